"""The overlay: our new files, each at its final path in Django."""

import os
from pathlib import Path

from common import ForkError, replace

ROOTS = ("django", "tests", "docs")
MARK = "# The overlay's links, kept by tools/fork.py:"


def ignored(name):
    return (
        name.startswith(".")
        or name in ("__pycache__", "_build")
        or (name.endswith((".pyc", ".orig", ".rej", "~")))
    )


def walk(root):
    """Yield the folder's files, relative to it, without caches and leftovers."""
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not ignored(name)]
        for name in names:
            if not ignored(name):
                yield Path(folder, name).relative_to(root).as_posix()


def files(root, roots=ROOTS):
    """Return the overlay's paths, sorted."""
    return sorted(f"{top}/{path}" for top in roots for path in walk(root / top))


def link(root, tree):
    """
    Make the tree hold a link to each overlay file, and to nothing else of ours.

    A folder that upstream lacks is one link, so that a file made in it is ours.
    """
    exclude = tree / ".git/info/exclude"
    text = exclude.read_text("utf-8") if exclude.exists() else ""
    kept, _, ours = text.partition(MARK)
    wanted = set()
    for path in files(root):
        for part in [*reversed(Path(path).parents[:-1]), Path(path)]:
            if part.as_posix() in wanted:
                break
            if (tree / part).is_symlink() or not (tree / part).exists():
                wanted.add(part.as_posix())
                break
        else:
            raise ForkError(f"{path}: exists in the work tree; an overlay file is new")
    for path in {line[1:] for line in ours.split()} - wanted:
        if (tree / path).is_symlink():
            (tree / path).unlink()
    for path in sorted(wanted):
        place = tree / path
        target = os.path.relpath(root / path, place.parent)
        if not place.is_symlink():
            place.symlink_to(target)
        elif os.readlink(place) != target:
            place.unlink()
            place.symlink_to(target)
    lines = [MARK, *(f"/{path}" for path in sorted(wanted)), ""]
    exclude.parent.mkdir(exist_ok=True)
    replace(exclude, (kept + "\n".join(lines)).encode())
