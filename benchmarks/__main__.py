"""
Measure the workloads on a database: python -m benchmarks --db postgresql --size x10
"""

import argparse
import json
import platform
import random
from pathlib import Path

from . import connect, report
from .connect import DATABASES, SCALES


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--db", choices=DATABASES, default="sqlite")
    parser.add_argument("--size", choices=SCALES, default="x1")
    parser.add_argument("--workload", action="append", help="some only, for example W1")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--timeout", type=float, default=60, help="seconds a statement")
    parser.add_argument("--seed", type=int, default=0, help="of the order in a round")
    parser.add_argument(
        "--output", type=Path, default=Path(__file__).parent / "results"
    )
    options = parser.parse_args()
    connect.configure(options.db, options.size)
    connect.setup_tables()
    # Models can be imported from now on.
    from .data import load
    from .workloads import WORKLOADS

    path = options.output / f"{options.db}-{options.size}.json"
    results = json.loads(path.read_text()) if path.exists() else {"workloads": {}}
    results |= {"db": options.db, "size": options.size, "versions": versions()}
    for name in options.workload or WORKLOADS:
        print(f"{name} at {options.size} on {options.db}", flush=True)
        workload = WORKLOADS[name]()
        load(workload.tables, options.size)
        results["workloads"][name] = run(workload, options)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(results, indent=1, default=str) + "\n")
    report.write(options.output)


def versions():
    import django
    from django.db import connection

    return {
        "python": platform.python_version(),
        "django": django.__version__,
        "database": ".".join(map(str, connection.get_database_version())),
    }


def run(workload, options):
    """Return what was measured of each form of a workload."""
    from .measure import Cell, Clock

    clock = Clock()
    cells = list(Cell.of(workload, clock, options.timeout))
    expected = None
    for cell in cells:
        if (rows := cell.verify()) is None:
            continue
        if not workload.ordered:
            rows = sorted(rows, key=nulls_first)
        if expected is None:
            expected = rows
        elif rows != expected:
            raise SystemExit(f"{cell} returns other rows than {cells[0]}.")
    order = random.Random(options.seed)
    running = [cell for cell in cells if cell.problem is None]
    for number in range(options.rounds):
        print(f"\r  round {number + 1} of {options.rounds}", end="", flush=True)
        for cell in order.sample(running, len(running)):
            cell.measure()
    print()
    return {
        "title": workload.__doc__,
        "page": workload.page,
        "rows": len(expected),
        "clock": "CPU" if clock.local else "wall",
        "forms": [cell.result() for cell in cells],
    }


def nulls_first(row):
    """Return a key to sort rows with NULL by."""
    return [(value is not None, value) for value in row]


if __name__ == "__main__":
    main()
