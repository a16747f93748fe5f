"""Run cells of the matrix."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache

from tests.faults import accounts
from tests.faults.bench import Bench, Sent
from tests.faults.cells import Cell, cells
from tests.faults.readers import READERS
from tests.faults.verdicts import Violation, reader_violations, violations

ACCOUNTS = {"healthy": accounts.HEALTHY, "broken": accounts.BROKEN}


@dataclass
class Figures:
    """What the cells said. `became` counts (before, after) outcomes of findings that changed."""

    kinds: Counter[str] = field(default_factory=Counter)
    operations: Counter[str] = field(default_factory=Counter)
    became: Counter[tuple[str, str]] = field(default_factory=Counter)
    violations: list[Violation] = field(default_factory=list)

    def __iadd__(self, other: Figures) -> Figures:
        self.kinds += other.kinds
        self.operations += other.operations
        self.became += other.became
        self.violations += other.violations
        return self


@cache
def bench_of(account: str) -> Bench:
    """The bench of an account by its name, made once in a process."""
    return Bench(ACCOUNTS[account])


def all_cells(bench: Bench) -> list[Cell]:
    """Every cell of an account, in a stable order."""
    ordered = sorted(bench.answers, key=lambda sent: (sent.service, sent.operation, sent.caller))
    return [cell for sent in ordered for cell in cells(sent, tuple(bench.answers[sent]))]


def sample(found: Sequence[Cell], count: int, seed: int) -> list[Cell]:
    """Cells of every operation and every kind, and others besides, chosen by the seed."""
    chooser = random.Random(seed)
    shuffled = chooser.sample(found, len(found))
    first: dict[tuple[Sent, str], Cell] = {}
    for cell in shuffled:
        first.setdefault((cell.sent, cell.kind), cell)
    firsts = chooser.sample(list(first.values()), len(first))
    operations = {cell.sent: cell for cell in firsts}
    ranked = [*operations.values(), *firsts, *shuffled]
    return list({id(cell): cell for cell in ranked}.values())[:count]


def judge(bench: Bench, chosen: Iterable[Cell]) -> Figures:
    """Judge the cells."""
    figures = Figures()
    for cell in chosen:
        if cell.sent.action in READERS:
            figures.violations += reader_violations(cell, bench)
        resting = bench.resting.get(cell.sent)
        after = bench.judge(cell.change, only=resting) if resting else {}
        figures.kinds[cell.kind] += 1
        figures.operations[cell.sent.action] += 1
        for finding, said in after.items():
            before = bench.healthy[finding].outcome
            if said.outcome != before:
                figures.became[before, said.outcome] += 1
        figures.violations += violations(cell, bench, after)
    return figures
