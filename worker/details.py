"""What a row of `mensagens` holds beyond its text, as JSON in `detalhes`. Used by drain, deliver.

Of a reply: what it is made of, and when which step of its delivery was reported. Of a buyer's
message: what he tapped, and what his file is called.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schema.replies import Location, Option, Template


class Details(BaseModel):
    """One JSON object; a key that is missing says nothing."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    options: tuple[Option, ...] = ()
    button: str | None = None
    location: Location | None = None
    template: Template | None = None
    reminder: tuple[str, ...] = ()
    """Of a reminder: what, day and time in words, for a template that goes out in its place."""
    file_name: str | None = None
    mime_type: str | None = None
    """As the gateway claims it; `mensagens.midia_tipo` is what the file itself says."""
    option_id: str | None = None
    """The option that the buyer chose: tapped, or answered with its number or title."""
    passos: Mapping[str, int] = Field(default_factory=dict)
    """Of a reply: by the words of `mensagens.status`, when it was reported (unix milliseconds)."""

    def to_json(self) -> str | None:
        """For the column; None when there is nothing to say."""
        text = self.model_dump_json(exclude_defaults=True)
        return None if text == "{}" else text


def details_of(stored: str | None) -> Details:
    """From the column; what cannot be read (another release wrote it) says nothing."""
    if stored is None:
        return Details()
    try:
        return Details.model_validate_json(stored)
    except ValidationError:
        return Details()
