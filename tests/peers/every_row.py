"""All rows of the agreement table."""

from tests.peers.conditions import CONDITIONS
from tests.peers.table import STATEMENTS

ROWS = (*STATEMENTS, *CONDITIONS)
