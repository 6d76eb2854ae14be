"""A log tells what happened and to which ids; whom to call, or a secret, it does not tell."""

from __future__ import annotations

import asyncio
import json
import sys

from hypothesis import given
from hypothesis import strategies as st

from worker.log import mask, mask_phones

_PROGRAM = """
import logging, structlog
from worker.log import configure_logging
configure_logging(pretty=False)
def work(buyer, text):
    raise ValueError("no good")
try:
    work("5511980000001", "meu segredo")
except ValueError:
    structlog.get_logger().exception("failed", empresa_id=42, message_id="wamid.T1")
logging.getLogger("some.library").warning("sent to 5511980000001")
"""


@given(st.from_regex(r"55[1-9]{2}9[0-9]{8}", fullmatch=True))
def test_a_phone_is_masked_wherever_it_stands(phone: str) -> None:
    """Enough is left to tell two apart, too little to call."""
    for text in (phone, f"+{phone}", f"to {phone}!", f"phone={phone},", f"{phone}@s.whatsapp.net"):
        assert phone not in mask(text)
        assert phone[-2:] in mask(text)


def test_ids_stay_whole() -> None:
    """What a person needs to find the row again is no phone."""
    line = {"event": "reply sent", "message_id": "wamid.T1", "empresa_id": 5511980000001}

    assert mask_phones(None, "info", dict(line)) == line


async def test_a_traceback_and_a_librarys_line_hold_no_buyer() -> None:
    """One JSON line each; no local variables, and a library's text is masked as ours is."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _PROGRAM, stderr=asyncio.subprocess.PIPE
    )
    _, raw = await process.communicate()

    failed, of_library = [json.loads(line) for line in raw.decode().splitlines()]
    assert failed["event"] == "failed"
    assert failed["empresa_id"] == 42
    assert failed["message_id"] == "wamid.T1"
    assert "no good" in json.dumps(failed["exception"])
    assert "meu segredo" not in raw.decode()
    assert of_library["event"].startswith("sent to 55")
    assert "5511980000001" not in raw.decode()
