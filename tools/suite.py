"""
Run Django's test suite in the work tree, .fork/, on one of the databases.

    python tools/suite.py postgresql core ext
    python tools/suite.py sqlite alias_join --failfast

Labels are labels of runtests.py or names of lists in tools/labels/; `all` runs
everything. Failures are compared with tools/expected_failures.txt.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

TOOLS = Path(__file__).resolve().parent
FORK = TOOLS.parent / ".fork"
SETTINGS = {
    "sqlite": "test_sqlite",
    "postgresql": "suite_postgresql",
    "mariadb": "suite_mariadb",
}
FAILURE = re.compile(r"^(?:FAIL|ERROR|UNEXPECTED SUCCESS): \S+ \(([\w.]+)\)")
TOTAL = re.compile(r"^Ran (\d+) tests? in ")


def expand_labels(labels):
    """Return the labels of runtests.py that labels and names of lists mean."""
    expanded = []
    for label in labels:
        path = TOOLS / "labels" / f"{label}.txt"
        if path.exists():
            expanded.extend(path.read_text().split())
        elif label != "all":
            expanded.append(label)
    return expanded


def expected_failures(database):
    """Map the ids of the tests that may fail on ``database`` to the reasons."""
    expected = {}
    for line in (TOOLS / "expected_failures.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            name, test, reason = line.split(maxsplit=2)
            if name == database:
                expected[test] = reason
    return expected


def unprivileged():
    """
    Return the start of a command line that takes root's right to read and
    write any file away, which makes tests of permissions fail.
    """
    if os.geteuid() == 0 and shutil.which("setpriv"):
        capabilities = "-dac_override,-dac_read_search"
        return [
            "setpriv",
            f"--bounding-set={capabilities}",
            f"--inh-caps={capabilities}",
        ]
    return []


def start(tree, database, labels, options=(), **environ):
    """Start the tests in a tree of Django, on a database or with other settings."""
    return subprocess.Popen(
        [
            *unprivileged(),
            sys.executable,
            "runtests.py",
            f"--settings={SETTINGS.get(database, database)}",
            "--noinput",
            *labels,
            *options,
        ],
        cwd=tree / "tests",
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(tree), str(TOOLS / "settings")]),
            **environ,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def run(database, labels, options):
    """Run the tests; return their number and the ids of those that failed."""
    process = start(FORK, database, labels, options)
    total, failed = 0, set()
    for line in process.stdout:
        print(line, end="", flush=True)
        if match := FAILURE.match(line):
            failed.add(match[1])
        elif match := TOTAL.match(line):
            total = int(match[1])
    if process.wait() and not failed:
        sys.exit(f"runtests.py ended with status {process.returncode}.")
    return total, failed


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("database", choices=SETTINGS)
    parser.add_argument("labels", nargs="+")
    arguments, options = parser.parse_known_args()
    if not (FORK / "tests" / "runtests.py").exists():
        sys.exit("There is no work tree. Run: python tools/fork.py checkout")
    labels = expand_labels(arguments.labels)
    total, failed = run(arguments.database, labels, options)
    expected = expected_failures(arguments.database)
    unexpected = sorted(failed - expected.keys())
    for test in unexpected:
        print(f"Failed, and isn't expected to: {test}")
    for test in sorted(failed & expected.keys()):
        print(f"Failed as expected: {test}: {expected[test]}")
    print(f"{total - len(failed)} passed, {len(unexpected)} failed")
    return bool(unexpected)


if __name__ == "__main__":
    sys.exit(main())
