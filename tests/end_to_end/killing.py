"""A pytest plugin under which the run gets a signal just before it renames its n-th file.

`SIGNAL_AT=3:9` is SIGKILL before the fourth `os.replace`.
"""

from __future__ import annotations

import os
from typing import Any

_AT, _NUMBER = (int(part) for part in os.environ["SIGNAL_AT"].split(":"))
_replace = os.replace
_done = [0]


def _signalled(*given: Any, **named: Any) -> None:
    if _done[0] == _AT:
        os.kill(os.getpid(), _NUMBER)
    _done[0] += 1
    _replace(*given, **named)


os.replace = _signalled
