"""Botocore's own data (service models, endpoints, pages), read once per process."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import botocore.loaders
import botocore.session

# Ignore this machine's settings: no profile, no configuration or credentials file.
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
    """The session that service models are read from."""
    return new_session()


@cache
def model(service: str) -> Any:
    """Botocore's model of a service."""
    return models().get_service_model(service)


@cache
def operation_model(service: str, operation: str) -> Any:
    """Botocore's model of one operation."""
    return model(service).operation_model(operation)


@cache
def paginators(service: str) -> Mapping[str, Mapping[str, Any]]:
    """Operation -> botocore's paginator settings."""
    found = models().get_paginator_model(service)
    names = model(service).operation_names
    pages: dict[str, Mapping[str, Any]] = {}
    for name in names:
        try:
            pages[name] = found.get_paginator(name)
        except ValueError:  # botocore: this operation has no pages
            continue
    return pages
