"""
Show that the tests notice each hook of the patches: mutations.py [--list] [TEXT ...]

One change of the patches on Django's code at a time is taken back, and so is each
part of it, and the packages of tests that the patches bring or change run until one
test fails. What no test notices needs a test, or is needless. `--files` looks for
untested conditions and statements in modules of the overlay instead.
"""

import argparse
import dataclasses
import json
import os
import sys
import tempfile
from pathlib import Path

import mutants
import series
import suite
from common import ForkError
from git import Git
from unidiff import PatchSet

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = """\
from {settings} import *

TEST_RUNNER = "mutation_runner.MutationRunner"
"""


def hooks(fork, patches):
    """Yield the mutants of the code that the patches change."""
    code = {file.path for patch in patches for file in PatchSet(patch.diff)}
    diff = Git(fork)("diff", "--unified=0", "--no-renames", "pristine", "--", "django")
    for path, changes in mutants.changes(diff):
        if path in code:
            yield from mutants.hooks(path, (fork / path).read_text("utf-8"), changes)


def faults(fork, paths):
    """Yield the mutants of the modules."""
    for path in paths:
        text = (fork / path).read_text("utf-8")
        for lines, fault, content in mutants.faults(text, range(len(text))):
            yield mutants.Mutant(path, lines, fault, content)


def labels(patches):
    """Return the packages of tests that the patches bring or change."""
    paths = [path for patch in patches for path in patch.overlay]
    paths += [file.path for patch in patches for file in PatchSet(patch.diff)]
    return sorted({path.split("/")[1] for path in paths if path.startswith("tests/")})


def run(database, found, packages, processes):
    """Yield (mutant, the test that noticed it, or nothing) of those that it loads."""
    with tempfile.TemporaryDirectory(prefix="mutations-") as folder:
        settings = SETTINGS.format(settings=suite.SETTINGS[database])
        Path(folder, "mutation_settings.py").write_text(settings)
        given = [
            dataclasses.asdict(mutant) | {"path": str(suite.FORK / mutant.path)}
            for mutant in found
        ]
        task = Path(folder, "task.json")
        task.write_text(json.dumps({"mutants": given, "processes": processes}))
        path = [folder, suite.FORK, suite.TOOLS / "settings", suite.TOOLS]
        process = suite.start(
            suite.FORK,
            "mutation_settings",
            packages,
            ["--parallel=1"],
            PYTHONPATH=os.pathsep.join(map(str, path)),
            MUTATIONS=str(task),
        )
        for line in process.stdout:
            if line.startswith("["):
                number, noticed = json.loads(line)
                yield found[number], noticed
            else:
                print(line, end="", file=sys.stderr)
        if process.wait():
            raise ForkError(f"the tests fail on {database} without a mutant")


def parse(arguments):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("text", nargs="*", help="only mutants whose line has it")
    parser.add_argument("--list", action="store_true", help="run nothing")
    parser.add_argument("--files", nargs="+", help="modules of the overlay")
    parser.add_argument("--labels", nargs="+", help="instead of the patches' tests")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument(
        "--databases", nargs="+", choices=suite.SETTINGS, default=["sqlite"]
    )
    return parser.parse_args(arguments)


def main(arguments=None):
    options = parse(arguments)
    # The tests of the tools see to what only the fork needs.
    patches = [
        patch
        for patch in series.read(ROOT)
        if patch.trailers("Forwarded") != ["not-needed"]
    ]
    if options.files:
        found = faults(suite.FORK, options.files)
    else:
        found = hooks(suite.FORK, patches)
    found = [
        mutant
        for mutant in found
        if not options.text or any(text in str(mutant) for text in options.text)
    ]
    print(f"{len(found)} mutants")
    if options.list:
        print(*found, sep="\n")
        return
    left = dict.fromkeys(found)
    packages = options.labels or labels(patches)
    for database in options.databases:
        # Each process has a copy of the database, if that is in memory.
        processes = options.processes if database == "sqlite" else 1
        for mutant, noticed in run(database, list(left), packages, processes):
            print(f"{mutant}: {noticed or 'survived'} ({database})", flush=True)
            left[mutant] = database
            if noticed:
                del left[mutant]
    for mutant, database in left.items():
        if database:
            print(f"No test notices {mutant}")
        else:
            print(f"Needs another database: {mutant}")
    survived = sum(map(bool, left.values()))
    print(f"{len(found) - len(left)} noticed, {survived} not")
    return bool(survived)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ForkError as error:
        sys.exit(f"mutations.py: {error}")
