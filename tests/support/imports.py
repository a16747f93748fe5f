"""A pytest plugin: each process of a run writes the names of the modules that it imported.

`IMPORTS` names the folder. It is written at interpreter exit, after every other plugin is done.
"""

from __future__ import annotations

import atexit
import os
import sys
from pathlib import Path


def _write() -> None:
    names = sorted(sys.modules)
    place = Path(os.environ["IMPORTS"]) / f"{os.getpid()}.txt"
    place.write_text("\n".join(names), encoding="utf-8")


atexit.register(_write)
