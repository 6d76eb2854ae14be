"""Writes the JSON Schemas of event and reply for gateways: `python -m schema.publish`.

A test holds docs/reference against what this writes.
"""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import BaseModel

from schema.events import Event
from schema.replies import Reply, Sent

PUBLISHED: dict[str, type[BaseModel]] = {"event": Event, "reply": Reply, "sent": Sent}


def text_of(model: type[BaseModel]) -> str:
    """The JSON Schema (draft 2020-12) of a model, as it is published."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **model.model_json_schema(),
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def publish(folder: Path) -> None:
    """Writes `<name>.schema.json` for each of PUBLISHED."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, model in PUBLISHED.items():
        (folder / f"{name}.schema.json").write_text(text_of(model))


if __name__ == "__main__":
    publish(Path("docs/reference"))
