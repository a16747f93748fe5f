"""The JSON schema of the feeds file, made from the models."""

from __future__ import annotations

import json
from typing import Any, Final

from ecr_feed.config.models import FeedsFile

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of a feeds file (TOML read as JSON), a title and description per key.

    It cannot say all that the models do: that names and package IDs are distinct, for one.
    """
    return {"$schema": DIALECT, **FeedsFile.model_json_schema(mode="validation")}


def schema_text() -> str:
    """The schema as `fixtures/feeds.schema.json` holds it."""
    return json.dumps(schema(), indent=2, ensure_ascii=False, sort_keys=True) + "\n"
