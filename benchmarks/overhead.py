"""
What joins cost to build and compile, and what they cost queries without them, in
instructions or CPU time, and the memory that they keep: python -m benchmarks.overhead
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
# Cases on both sides, and those to divide by another case of the fork.
SHARED = ["plain", "foreign key", "subquery", "values", "aggregate", "update", "delete"]
SHARED += ["FilteredRelation", "FilteredRelation, grouped"]
SHARED += ["clone", "clone with FilteredRelation"]
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
# Cases whose results are kept.
RETAINED = ["FilteredRelation", "join of a model", "join of a queryset"]
RETAINED += ["join of groups", "lateral join", "SQLAlchemy", "peewee"]


def install_pristine():
    if not SIDES["pristine"].exists():
        target = ["--target", str(SIDES["pristine"]), "--no-deps"]
        subprocess.run(
            [sys.executable, "-m", "pip", "install", *target, f"Django==={VERSION}"],
            check=True,
        )


def run(side, case, repetitions, *, seed=0, mode=(), prefix=()):
    """Run a case in a process of its own; return what it wrote."""
    path = os.pathsep.join([str(SIDES[side]), str(ROOT)])
    arguments = ["-m", "benchmarks.cases", case, str(repetitions), *mode]
    return subprocess.run(
        [*prefix, sys.executable, *arguments],
        env=os.environ | {"PYTHONPATH": path, "PYTHONHASHSEED": str(seed)},
        check=True,
        capture_output=True,
        text=True,
        cwd=CACHE,
    )


def perf(*case, seed):
    prefix = ["perf", "stat", "-x,", "-e", "instructions:u"]
    output = run(*case, seed=seed, prefix=prefix).stderr
    return int(re.search(r"^(\d+),,instructions", output, re.MULTILINE)[1])


def callgrind(*case, seed):
    # The case itself switches it on.
    prefix = ["valgrind", "--tool=callgrind", "--instr-atstart=no"]
    prefix.append("--callgrind-out-file=/dev/null")
    output = run(*case, seed=seed, mode=["callgrind"], prefix=prefix).stderr
    return int(re.search(r"Collected : (\d+)", output)[1])


def cpu_time(*case, seed):
    """Return microseconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    run(*case, seed=seed)
    return 1e6 * (resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before)


def default_counter():
    if shutil.which("perf"):
        try:
            perf("fork", "plain", 1, seed=0)
        except (subprocess.CalledProcessError, TypeError):
            pass
        else:
            return "perf"
    return "callgrind" if shutil.which("valgrind") else "time"


# Each with the repetitions that it takes to tell one from the start of the process.
COUNTERS = {"perf": (perf, 100), "callgrind": (callgrind, 20), "time": (cpu_time, 200)}


def measure(counter, case, sides, seeds):
    """Return the cost of one repetition on each side, one run after another."""
    count, repetitions = COUNTERS[counter]
    if case.startswith("hydrate"):
        repetitions, seeds = 1, 1
    elif case.startswith("clone"):
        repetitions *= 20
    samples = {side: [] for side in sides}
    for seed in range(seeds):
        for side in sides:
            # The difference leaves out the start.
            cost = count(side, case, 2 * repetitions, seed=seed)
            cost -= count(side, case, repetitions, seed=seed)
            samples[side].append(cost / repetitions)
    return [statistics.median(samples[side]) for side in sides]


def retained(case, side="fork", repetitions=200):
    """Return the bytes that one result of the case keeps."""
    output = run(side, case, repetitions, mode=["memory"]).stdout
    return int(output) / repetitions


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--counter", choices=COUNTERS)
    parser.add_argument("--case", action="append", help="some only")
    parser.add_argument(
        "--seeds", type=int, default=3, help="hash seeds to take the median of"
    )
    parser.add_argument(
        "--output", type=Path, default=Path(__file__).parent / "results" / "overhead.md"
    )
    options = parser.parse_args()
    CACHE.mkdir(parents=True, exist_ok=True)
    install_pristine()
    counter = options.counter or default_counter()
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
        stock, fork = measure(counter, case, ["pristine", "fork"], options.seeds)
        report(case, f"{stock:,.0f}", f"{fork:,.0f}", f"{fork / stock:.3f}")
    lines += ["", row("case", "cost", "that of", "ratio"), "|---|---|---|---|"]
    bases = {}
    for case in filter(wanted, RELATIVE):
        base = RELATIVE[case]
        if base not in bases:
            [bases[base]] = measure(counter, base, ["fork"], options.seeds)
        [cost] = measure(counter, case, ["fork"], options.seeds)
        report(case, f"{cost:,.0f}", base, f"{cost / bases[base]:.3f}")
    lines += ["", row("case", "bytes that it keeps"), "|---|---|"]
    for case in filter(wanted, RETAINED):
        report(case, f"{retained(case):,.0f}")
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
