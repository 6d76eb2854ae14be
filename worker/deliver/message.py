"""Makes the message that goes to a gateway out of a row. Called by `worker.deliver.sender`."""

from __future__ import annotations

from pydantic import ValidationError

from schema.errors import SendRefused
from schema.replies import Reply, ReplyKind
from worker.deliver.outbox import OpenReply
from worker.details import details_of
from worker.drain.statuses import our_ref


def reply_of(empresa_id: int, row: OpenReply) -> Reply:
    """The reply in its canonical form. Raises SendRefused when the row is no message."""
    details = details_of(row.details)
    try:
        return Reply(
            to=row.address or "",
            kind=ReplyKind(row.kind),
            text=row.text,
            media_url=row.media_url,
            file_name=details.file_name,
            location=details.location,
            options=details.options,
            button=details.button,
            template=details.template,
            our_ref=our_ref(empresa_id, row.id),
        )
    except ValidationError as error:
        what = error.errors(include_input=False, include_url=False, include_context=False)
        raise SendRefused(f"this row is no message that can be sent: {what[0]['msg']}") from None
    except ValueError:
        raise SendRefused(f"a message of kind {row.kind!r} cannot be sent") from None
