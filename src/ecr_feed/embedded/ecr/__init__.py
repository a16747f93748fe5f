"""Amazon ECR's API, owned by the embedded account: state, handlers, nothing of moto."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from ecr_feed.embedded.ecr import images, layers, repositories, settings
from ecr_feed.embedded.ecr.state import Context, Params, Result

HANDLERS: Final[Mapping[str, Callable[[Context, Params], Result]]] = {
    **repositories.HANDLERS,
    **images.HANDLERS,
    **layers.HANDLERS,
    **settings.HANDLERS,
}

__all__ = ["HANDLERS", "Context", "Params", "Result"]
