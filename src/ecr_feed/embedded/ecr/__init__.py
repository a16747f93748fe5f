"""Amazon ECR's API, implemented here without moto."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from ecr_feed.embedded.ecr import (
    image_handlers,
    layer_handlers,
    registry_handlers,
    repository_handlers,
)
from ecr_feed.embedded.ecr.registry_state import EcrCall
from ecr_feed.embedded.protocol.wire import Params, Result

HANDLERS: Final[Mapping[str, Callable[[EcrCall, Params], Result]]] = {
    **repository_handlers.HANDLERS,
    **image_handlers.HANDLERS,
    **layer_handlers.HANDLERS,
    **registry_handlers.HANDLERS,
}

__all__ = ["HANDLERS", "EcrCall"]
