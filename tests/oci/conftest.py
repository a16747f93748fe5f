from collections.abc import Iterator

import pytest

from tests.oci.shelf import Shop, shop


@pytest.fixture
def at() -> Iterator[Shop]:
    """An empty shelf, served."""
    with shop() as served:
        yield served
