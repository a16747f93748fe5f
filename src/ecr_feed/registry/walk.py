"""The walk that a deployment takes: login, tags, manifest, platform, config, layers. Read-only.

Requests sent: 3 for a login (`/v2/` as a stranger, with the token, with a wrong password). For a
package 1 for each 1,000 tags and 1 HEAD. A deep walk adds 1 manifest (2 under an index), 2 for the
config and 2 for each different layer: the registry's and the layer storage's.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from ecr_feed.cell import Cell
from ecr_feed.registry.client import Client
from ecr_feed.registry.login import log_in
from ecr_feed.registry.outcome import after
from ecr_feed.registry.package import PackageWalker
from ecr_feed.registry.steps import Login, PackageWalk, Step, Wanted


class Registry:
    """Walks through one registry with one login, which is made once."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._login = Cell(partial(log_in, client))

    @property
    def client(self) -> Client:
        """The client, whose `touched` is the evidence of what was asked."""
        return self._client

    def login(self) -> Login:
        """`docker login`, once."""
        return self._login.get()

    def walk(self, wanted: Wanted, *, deep: bool = False) -> PackageWalk:
        """The walk to one image; nothing is asked of a registry that refused the login."""
        login = self.login()
        if not login.ok:
            return PackageWalk(wanted, deep, (after(login.login, Step.TAGS, wanted.repository),))
        return PackageWalker(self._client, wanted, deep).walk()

    def walk_all(self, wanted: Sequence[Wanted], *, deep: bool = False) -> tuple[PackageWalk, ...]:
        """Every walk, in the order given, at most `network.connections` of them at a time."""
        self.login()
        with ThreadPoolExecutor(self._client.network.connections) as pool:
            return tuple(pool.map(partial(self.walk, deep=deep), wanted))


def requests_of(*, pages: int = 1, index: bool = False, layers: int = 0, deep: bool = False) -> int:
    """Requests that one package costs where nothing is repeated and blobs are redirected."""
    shallow = pages + 1
    return shallow + (1 + index + 2 + 2 * layers if deep else 0)
