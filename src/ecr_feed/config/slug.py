"""A feed's name as it stands in test IDs and file names."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import Final

LONGEST: Final = 60


def slug_of(name: str) -> str:
    """`[a-z0-9-]`, no dash at an end, never empty, at most 60 characters.

    Accents fall away. Where letters of another script would be lost, or the name is long, a short
    hash of the name stands in for them, so that two such names stay apart.
    """
    plain = unicodedata.normalize("NFKD", name).casefold()
    slug = re.sub(r"[^a-z0-9]+", "-", re.sub(r"[\u0300-\u036f]", "", plain)).strip("-")
    lost = any(not letter.isascii() and letter.isalnum() for letter in plain)
    if slug and not lost and len(slug) <= LONGEST:
        return slug
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{slug[: LONGEST - 9].rstrip('-') or 'feed'}-{digest}"
