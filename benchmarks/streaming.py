"""
The client's time and memory while it reads all rows of W2's join with iterator():
python -m benchmarks.streaming --db postgresql --size x1 --size x100
"""

import argparse
import resource
import subprocess
import sys
import time
from pathlib import Path

from . import connect
from .connect import ROOT
from .report import row


def read(db, size, idle):
    """
    Print the number of rows, the seconds, and the process' greatest size in KiB, or
    these of a process that reads nothing.
    """
    connect.configure(db, size)
    connect.setup_tables()
    # Models can be imported from now on.
    from .data import load
    from .workloads import W2

    workload = W2()
    load(workload.tables, size)
    start, rows = time.process_time(), 0
    if not idle:
        for _ in workload.joins_grouped().iterator():
            rows += 1
    seconds = time.process_time() - start
    print(rows, seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def measure(db, size, idle):
    """Run read() in a process of its own; return what it printed."""
    code = f"from benchmarks.streaming import read; read({db!r}, {size!r}, {idle!r})"
    process = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    rows, seconds, memory = process.stdout.splitlines()[-1].split()
    return int(rows), float(seconds), int(memory)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--db", choices=connect.DATABASES, default="postgresql")
    parser.add_argument("--size", choices=connect.SCALES, action="append")
    parser.add_argument(
        "--output", type=Path, default=Path(__file__).parent / "results"
    )
    options = parser.parse_args()
    lines = [f"# iterator() on {options.db}", ""]
    lines += [row("size", "rows", "µs a row", "MiB", "of which the rows'")]
    lines += ["|---|---|---|---|---|"]
    for size in options.size or ["x1", "x10", "x100"]:
        _, _, idle = measure(options.db, size, True)
        rows, seconds, memory = measure(options.db, size, False)
        lines.append(
            row(
                size,
                f"{rows:,}",
                f"{1e6 * seconds / rows:.2f}",
                f"{memory / 1024:.1f}",
                f"{(memory - idle) / 1024:.1f}",
            )
        )
        print(lines[-1], flush=True)
    options.output.mkdir(parents=True, exist_ok=True)
    path = options.output / f"streaming-{options.db}.md"
    path.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
