"""
Keep the fork: a patch series on pristine Django, with new files laid over it.

checkout  make .fork/, a git repository: pristine Django, a commit per patch, and
          links to the overlay
export    write the commits of .fork/ to patches/
check     tell whether the patches and the overlay are in order
compare   tell which hunks another release, by default each newer one, takes
upstream  write the series as mails for Django's own repository
"""

import sys

if sys.version_info < (3, 12):
    sys.exit("fork.py needs Python 3.12 or newer; this is %s." % sys.version.split()[0])

import argparse
from pathlib import Path

from common import ForkError

ROOT = Path(__file__).resolve().parent.parent


def checkout(root, options):
    import worktree

    left = worktree.checkout(root, options.force)
    if left:
        print(f"Left behind: {left} (git -C .fork log {left:.12})")


def export(root, options):
    import worktree

    uncommitted = worktree.export(root, options.force)
    if uncommitted:
        print(f"Not committed, not exported: {', '.join(uncommitted)}", file=sys.stderr)


def check(root, options):
    import checks

    problems = checks.check(root)
    for problem in problems:
        print(problem, file=sys.stderr)
    return bool(problems)


def compare(root, options):
    import compare

    versions = options.versions or compare.newer(root)
    if not versions:
        print("No release is newer.")
    return any([compare.report(root, version) for version in versions])


def upstream(root, options):
    from upstream import write_mails

    for name in write_mails(root, options.folder):
        print(options.folder / name)


def main(arguments=None, root=ROOT):
    parser = argparse.ArgumentParser(
        prog="fork.py",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="command")
    for command in (checkout, export, check, compare, upstream):
        sub = commands.add_parser(command.__name__)
        sub.set_defaults(command=command)
        if command in (checkout, export):
            sub.add_argument("--force", action="store_true", help="overwrite changes")
        if command is compare:
            sub.add_argument("versions", nargs="*", metavar="version")
        if command is upstream:
            sub.add_argument("folder", type=Path, help="where to write, new or empty")
    options = parser.parse_args(arguments)
    try:
        return int(options.command(root, options) or 0)
    except ForkError as error:
        print(f"fork.py: {error}", file=sys.stderr)
        return 1
    except ModuleNotFoundError as error:
        if error.name != "unidiff":
            raise
        print("fork.py: this needs unidiff: pip install unidiff", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
