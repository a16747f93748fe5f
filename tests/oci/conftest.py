from collections.abc import Iterator

import pytest

from tests.oci.debian import Debian, running_debian
from tests.oci.shelf import Shop, shop


@pytest.fixture
def at() -> Iterator[Shop]:
    """An empty shelf, served."""
    with shop() as served:
        yield served


@pytest.fixture(scope="session")
def debian(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Debian]:
    """Debian's docker-registry, running."""
    with running_debian(tmp_path_factory.mktemp("docker-registry")) as running:
        yield running
