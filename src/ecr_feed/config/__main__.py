"""`python -m ecr_feed.config > fixtures/feeds.schema.json` writes the schema anew."""

from __future__ import annotations

import sys

from ecr_feed.config.models import schema_text

if __name__ == "__main__":
    sys.stdout.write(schema_text())
