"""
What joins cost to build and compile, and what they cost queries without them, in
instructions or CPU time: python -m benchmarks.overhead
"""

import argparse
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from .connect import CACHE, ROOT
from .report import row

VERSION = "6.1.3"
SIDES = {"fork": ROOT / ".fork", "pristine": CACHE / f"django-{VERSION}"}
# Repetitions before and during the measurement, and hash seeds to take the median of.
WARM_UP, REPETITIONS, SEEDS = 20, 200, 3

# Cases on both sides, and those to divide by another case of the fork.
SHARED = ["plain", "foreign key", "subquery", "FilteredRelation"]
SHARED += ["FilteredRelation, grouped", "clone", "clone with FilteredRelation"]
RELATIVE = {
    "join of a model": "FilteredRelation",
    "join of a queryset": "FilteredRelation",
    "join of groups": "FilteredRelation, grouped",
    "lateral join": "FilteredRelation, latest",
    "SQLAlchemy": "FilteredRelation",
    "peewee": "FilteredRelation",
    "clone with a join": "clone with FilteredRelation",
    "hydrate a join": "hydrate a foreign key",
}


def install_pristine():
    if not SIDES["pristine"].exists():
        target = ["--target", str(SIDES["pristine"]), "--no-deps"]
        subprocess.run(
            [sys.executable, "-m", "pip", "install", *target, f"Django==={VERSION}"],
            check=True,
        )


def run(side, case, repetitions, seed, *prefix):
    """Run a case in a process of its own; return what it wrote to stderr."""
    path = os.pathsep.join([str(SIDES[side]), str(ROOT)])
    return subprocess.run(
        [*prefix, sys.executable, "-m", "benchmarks.cases", case, str(repetitions)],
        env=os.environ | {"PYTHONPATH": path, "PYTHONHASHSEED": str(seed)},
        check=True,
        stderr=subprocess.PIPE,
        text=True,
        cwd=CACHE,
    ).stderr


def perf(*case):
    output = run(*case, "perf", "stat", "-x,", "-e", "instructions:u")
    return int(re.search(r"^(\d+),,instructions", output, re.MULTILINE)[1])


def callgrind(*case):
    options = ["--tool=callgrind", "--callgrind-out-file=/dev/null"]
    output = run(*case, "valgrind", *options)
    return int(re.search(r"Collected : (\d+)", output)[1])


def cpu_time(*case):
    """Return microseconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    run(*case)
    return 1e6 * (resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before)


def default_counter():
    if shutil.which("perf"):
        try:
            perf("fork", "plain", 1, 0)
        except (subprocess.CalledProcessError, TypeError):
            pass
        else:
            return "perf"
    return "callgrind" if shutil.which("valgrind") else "time"


COUNTERS = {"perf": perf, "callgrind": callgrind, "time": cpu_time}


def measure(count, case, sides):
    """Return the cost of one repetition on each side, one run after another."""
    if case.startswith("hydrate"):
        few, many, seeds = 1, 3, 1
    else:
        few, many, seeds = WARM_UP, WARM_UP + REPETITIONS, SEEDS
        if case.startswith("clone"):
            many += 20 * REPETITIONS
    samples = {side: [] for side in sides}
    for seed in range(seeds):
        for side in sides:
            cost = count(side, case, many, seed) - count(side, case, few, seed)
            samples[side].append(cost / (many - few))
    return [statistics.median(samples[side]) for side in sides]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--counter", choices=COUNTERS)
    parser.add_argument("--case", action="append", help="some only")
    parser.add_argument(
        "--output", type=Path, default=Path(__file__).parent / "results" / "overhead.md"
    )
    options = parser.parse_args()
    CACHE.mkdir(parents=True, exist_ok=True)
    install_pristine()
    counter = options.counter or default_counter()
    count = COUNTERS[counter]
    unit = "µs" if counter == "time" else "instructions"
    lines = [f"# Overhead, {unit} ({counter})", ""]
    lines += [row("case", "pristine", "fork", "ratio"), "|---|---|---|---|"]

    def wanted(case):
        package = case.lower()
        if package in ["sqlalchemy", "peewee"] and not find_spec(package):
            return False
        return options.case is None or case in options.case

    def report(*values):
        lines.append(row(*values))
        print(lines[-1], flush=True)

    for case in filter(wanted, SHARED):
        stock, fork = measure(count, case, ["pristine", "fork"])
        report(case, f"{stock:,.0f}", f"{fork:,.0f}", f"{fork / stock:.3f}")
    lines += ["", row("case", "cost", "that of", "ratio"), "|---|---|---|---|"]
    bases = {}
    for case in filter(wanted, RELATIVE):
        base = RELATIVE[case]
        if base not in bases:
            [bases[base]] = measure(count, base, ["fork"])
        [cost] = measure(count, case, ["fork"])
        report(case, f"{cost:,.0f}", base, f"{cost / bases[base]:.3f}")
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
