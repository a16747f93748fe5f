"""The JSON schema of the feeds file, made from the models."""

from __future__ import annotations

import json
from typing import Any, Final

from ecr_feed.config.models import FeedsFile

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_NULL: Final = {"type": "null"}


def schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of a feeds file (TOML read as JSON), a title and description per key.

    It cannot say all that the models do: that names and package IDs are distinct, for one.
    """
    made: dict[str, Any] = _without_null(FeedsFile.model_json_schema(mode="validation"))
    return {"$schema": DIALECT, **made}


def schema_text() -> str:
    """The schema as `fixtures/feeds.schema.json` holds it."""
    return json.dumps(schema(), indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def _without_null(part: Any) -> Any:
    """TOML has no null: what may be left out is only left out."""
    if isinstance(part, list):
        return [_without_null(item) for item in part]
    if not isinstance(part, dict):
        return part
    kept = {key: _without_null(value) for key, value in part.items()}
    if _NULL in kept.get("anyOf", []):
        kept.pop("default", None)
        choices = [choice for choice in kept.pop("anyOf") if choice != _NULL]
        return {**choices[0], **kept} if len(choices) == 1 else {"anyOf": choices, **kept}
    return kept
