"""One registry with one login, and the walks to the images of its packages."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from ecr_feed.oci.login import log_in
from ecr_feed.oci.pull import PackageWalker
from ecr_feed.oci.registry_client import RegistryClient
from ecr_feed.oci.steps import Login, PackageWalk, Step, WantedImage, step_not_made
from ecr_feed.once import Once


class RegistrySession:
    """One registry with one login, which is made once, and the walks to its packages."""

    def __init__(self, client: RegistryClient) -> None:
        self._client = client
        self._login = Once(partial(log_in, client))

    @property
    def client(self) -> RegistryClient:
        """The client, whose `sent` has every request."""
        return self._client

    def login(self) -> Login:
        """`docker login`, once."""
        return self._login.get()

    def walk(self, wanted: WantedImage, *, deep: bool = False) -> PackageWalk:
        """The walk to one image; no request is made after a failed login."""
        login = self.login()
        if not login.ok:
            return PackageWalk(
                wanted, deep, (step_not_made(login.login, Step.TAGS, wanted.repository),)
            )
        return PackageWalker(self._client, wanted, deep).walk()

    def look_again(self, wanted: WantedImage, *, deep: bool) -> PackageWalk:
        """The same once more, for answers that disagree with others. Not after a failed login."""
        return PackageWalker(self._client, wanted, deep).walk()

    def walk_all(
        self, wanted: Sequence[WantedImage], *, deep: bool = False
    ) -> tuple[PackageWalk, ...]:
        """Every walk, in the given order, at most `network.connections` of them at a time."""
        self.login()
        with ThreadPoolExecutor(self._client.network.connections) as pool:
            return tuple(pool.map(partial(self.walk, deep=deep), wanted))
