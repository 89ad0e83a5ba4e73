"""Write the schemas that the documentation publishes into docs/schemas: events, settings, HTTP API."""

import json
from pathlib import Path

from gateway.events import schemas
from gateway.http.openapi import document
from gateway.settings.plugins import installed
from gateway.settings.schema import schema

FOLDER = Path(__file__).parents[1] / "docs" / "schemas"
PUBLIC_URL = "https://gateway.example.com"


def files() -> dict[str, str]:
    """Return the text of each file, with the built-in connectors."""
    own = [entry for entry in installed() if entry.value.startswith("connectors.")]
    found = {
        "events": schemas.schema(),
        "connectors": schema(own),
        "openapi": document(PUBLIC_URL),
    }
    return {f"{name}.json": _text(content) for name, content in found.items()}


def _text(content: object) -> str:
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, text in files().items():
        (FOLDER / name).write_text(text, "utf-8")
