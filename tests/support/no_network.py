"""A pytest plugin under which any attempt to reach a network ends the run."""

from __future__ import annotations

import socket
import sys
from typing import NoReturn


def _refuse(*_: object, **__: object) -> NoReturn:
    sys.exit("a socket was used")


socket.socket.connect = _refuse  # type: ignore[method-assign] # the point of this plugin
socket.socket.connect_ex = _refuse  # type: ignore[method-assign] # the point of this plugin
socket.getaddrinfo = _refuse
