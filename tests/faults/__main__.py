"""The whole fault matrix and its figures: `python -m tests.faults`.

Exit status 1 where a finding became what it may not become under a fault.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from tests.faults.run import ACCOUNTS, Figures, all_cells, bench_of, judge, sample

_PART = 40  # cells that one process judges before it reports


def _judged(account: str, cells: int, seed: int, start: int) -> Figures:
    """One part of an account's cells, judged in a process that keeps its benches."""
    bench = bench_of(account)
    found = all_cells(bench)
    chosen = sample(found, cells or len(found), seed)
    return judge(bench, chosen[start : start + _PART])


def main() -> int:
    """Judge and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--cells", type=int, default=0, help="of each account; by default all")
    parser.add_argument("--seed", type=int, default=1, help="chooses the cells")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    started, figures = time.monotonic(), Figures()
    parts = [
        (account, start)
        for account in ACCOUNTS
        for start in range(0, options.cells or len(all_cells(bench_of(account))), _PART)
    ]
    pool = ProcessPoolExecutor(options.processes, mp_context=get_context("fork"))
    with pool:
        waiting = [
            pool.submit(_judged, account, options.cells, options.seed, start)
            for account, start in parts
        ]
        for part in waiting:
            figures += part.result()
    _show(figures, time.monotonic() - started)
    return 1 if figures.violations else 0


def _show(figures: Figures, seconds: float) -> None:
    total = figures.kinds.total()
    out = [f"{total} cells in {seconds:.0f} s ({seconds / max(total, 1) * 1000:.0f} ms each)", ""]
    out += ["by kind of fault", *_table(figures.kinds), ""]
    out += ["by operation", *_table(figures.operations), ""]
    changed = Counter({f"{a} -> {b}": count for (a, b), count in figures.became.items()})
    out += ["findings that changed", *_table(changed), ""]
    out += [f"violations: {len(figures.violations)}", *map(str, figures.violations), ""]
    sys.stdout.write("\n".join(out))


def _table(counts: Mapping[str, int]) -> list[str]:
    return [f"  {count:6}  {name}" for name, count in Counter(counts).most_common()]


if __name__ == "__main__":
    sys.exit(main())
