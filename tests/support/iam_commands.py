"""The AWS CLI's IAM commands, as reports print them, run with a boto3 client."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def run_commands(commands: Iterable[str], iam: Any, folder: Path) -> list[str]:
    """Run each command and return the operations; `file://` is read from `folder`."""
    done = []
    for command in commands:
        program, service, operation, *rest = shlex.split(command)
        assert (program, service) == ("aws", "iam"), command
        flags, values = rest[::2], rest[1::2]
        assert all(flag.startswith("--") for flag in flags), command
        given = {
            _camel(flag): _value(value, folder) for flag, value in zip(flags, values, strict=True)
        }
        getattr(iam, operation.replace("-", "_"))(**given)
        done.append(operation)
    return done


def _camel(flag: str) -> str:
    return "".join(word.capitalize() for word in re.split("-+", flag) if word)


def _value(text: str, folder: Path) -> str:
    if not text.startswith("file://"):
        return text
    return (folder / text.removeprefix("file://")).read_text(encoding="utf-8")
