"""Botocore's own data (service models, endpoints), read once for the whole process."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import botocore.loaders
import botocore.session

# None of this machine's settings: no profile, no configuration or credentials file.
_NOTHING: Final = (None, None, None, None)
_ALONE: Final = {"profile": _NOTHING, "config_file": _NOTHING, "credentials_file": _NOTHING}


@cache
def loader() -> Any:
    """The data that came with botocore; what ~/.aws/models adds is not AWS's."""
    kind = botocore.loaders.Loader
    return kind([kind.BUILTIN_DATA_PATH], include_default_search_paths=False)


def new_session() -> Any:
    """A session without credentials that shares the data already read."""
    session = botocore.session.Session(session_vars=_ALONE)
    session.register_component("data_loader", loader())
    return session


@cache
def models() -> Any:
    """The session that models are asked of."""
    return new_session()
