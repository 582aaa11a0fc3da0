"""
Release notes by patch: a `Release-Note:` trailer names the first line of a part.

That is a bullet, or a heading with all that is below it. What no patch names belongs
to the patch that the file is an `Overlay:` of.
"""

import re

TRAILER = "Release-Note"
HEADING = re.compile(r"([=~-])\1{2,}")
LEVELS = "=-~"


def is_notes(path):
    return path.startswith("docs/releases/")


def without(text, starts):
    """Return release notes without the parts that start with these lines."""
    lines = text.split("\n")
    for start in starts:
        if start in lines:
            first = lines.index(start)
            del lines[first : end(lines, first)]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).rstrip("\n") + "\n"


def end(lines, first):
    """Return the index after the part that begins at the first one."""
    own = level(lines, first)
    for index in range(first + 1, len(lines)):
        if own is None:
            ends = lines[index] and not lines[index].startswith(" ")
        else:
            found = level(lines, index)
            ends = found is not None and found <= own
        if ends:
            return index
    return len(lines)


def level(lines, index):
    """Return how deep the heading at the index is, None for other lines."""
    underline = HEADING.fullmatch("".join(lines[index + 1 : index + 2]))
    return LEVELS.index(underline[1]) if underline and lines[index] else None
