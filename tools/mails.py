"""
Prove that each commit of the series is green on its own.

    python tools/mails.py
    python tools/mails.py --database=postgresql core
    python tools/mails.py --lint

Writes the mails for upstream, applies them to pristine Django with plain `git am`, and
checks each commit: black, isort, and flake8 on the Python files that it changes,
upstream's lint and blacken-docs on its pages, and the tests that it or a commit before
it changes. Labels, or names of lists in tools/labels/, are run at each commit as well,
as far as there are such tests by then. With --lint, none are run.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import suite
import upstream
import worktree
from common import ForkError
from git import Git

ROOT = Path(__file__).resolve().parent.parent
TEST_MODULE = re.compile(r"tests/(.+/(?:tests?|test_\w+))\.py")
IDENTITY = ["-c", "user.name=Django", "-c", "user.email=django@example.invalid"]


class Red(Exception):
    """A check of a commit that failed. The message is what it printed."""


def test_labels(paths, before=()):
    """
    Return the labels that changed files mean, and those before them: test modules,
    or their whole packages where other files change.
    """
    labels = set(before)
    for path in paths:
        if match := TEST_MODULE.fullmatch(path):
            labels.add(match[1].replace("/", "."))
        elif path.startswith("tests/"):
            labels.add(path.split("/")[1])
    return {label for label in labels if not labels & set(parents(label))}


def parents(label):
    *packages, _ = label.split(".")
    return [".".join(packages[:length]) for length in range(1, len(packages) + 1)]


def known_labels(tree, labels):
    """Return those of the labels that are tests in the tree."""
    return [
        label for label in labels if (tree / "tests" / label.split(".")[0]).exists()
    ]


def run(tree, *command):
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True)
    if done.returncode:
        raise Red(done.stdout + done.stderr)


def lint(tree, paths):
    """Check changed files as upstream does. Return what was done."""
    modules = [path for path in paths if path.endswith(".py")]
    if modules:
        run(tree, "black", "--check", *modules)
        run(tree, "isort", "--check-only", *modules)
        run(tree, "flake8", f"--config={ROOT / 'tox.ini'}", *modules)
        yield f"{len(modules)} modules"
    pages = [path for path in paths if re.fullmatch(r"docs/.+\.txt", path)]
    if pages:
        run(tree / "docs", sys.executable, "lint.py")
        run(tree, "blacken-docs", "--check", "--rst-literal-block", *pages)
        yield f"{len(pages)} pages"


def test(tree, database, labels):
    """Run the tests. Return what was done."""
    if labels:
        process = suite.start(tree, database, sorted(labels))
        output, _ = process.communicate()
        total = re.search(r"^Ran (\d+) tests? in ", output, re.M)
        if process.returncode or not total:
            raise Red(output)
        yield f"{total[1]} tests of {', '.join(sorted(labels))}"


def prove(tree, database, extra):
    """
    Check each commit of a tree that has the mails applied. Without a database, no
    tests are run.
    """
    git = Git(tree)
    labels = set()
    for commit in git("rev-list", "--reverse", "pristine..HEAD").split():
        git("checkout", "--quiet", "--detach", commit)
        changed = git("diff", "--name-only", "--diff-filter=d", f"{commit}^", commit)
        paths = changed.splitlines()
        labels = test_labels(paths, labels)
        subject = git("log", "-1", "--format=%s", commit)
        wanted = test_labels([], labels.union(known_labels(tree, extra)))
        try:
            done = [*lint(tree, paths)]
            if database:
                done += test(tree, database, wanted)
        except Red as red:
            print(f"RED    {subject}\n{red}", flush=True)
            return False
        print(f"green  {subject} ({'; '.join(done)})", flush=True)
    return True


def apply_mails(root, folder):
    """Return a tree of pristine Django, to which plain `git am` applied the mails."""
    upstream.write_mails(root, folder / "mails")
    tree = folder / "django"
    tree.mkdir()
    git = Git(tree)
    git("tag", "pristine", worktree.init(root, git))
    mails = sorted((folder / "mails").glob("*.patch"))
    git(*IDENTITY, "am", "--quiet", *map(str, mails))
    return tree


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--database", choices=suite.SETTINGS, default="sqlite")
    parser.add_argument("--lint", action="store_true")
    parser.add_argument("labels", nargs="*")
    options = parser.parse_args()
    extra = suite.expand_labels(options.labels)
    with tempfile.TemporaryDirectory(prefix="mails-") as folder:
        try:
            tree = apply_mails(ROOT, Path(folder))
        except ForkError as error:
            sys.exit(f"mails.py: {error}")
        return int(not prove(tree, None if options.lint else options.database, extra))


if __name__ == "__main__":
    sys.exit(main())
