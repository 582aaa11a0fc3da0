"""What must hold for the fork to be a patch series on pristine Django."""

import re
from collections import Counter, defaultdict
from typing import NamedTuple

import applier
import notes
import overlay
import pristine
import series
from common import ForkError

RUN = 8  # Consecutive lines from which on a likeness is a copy.
TELLING = 5  # How many of them must be more than a bracket or a blank.


def check(root):
    """Return what is wrong, a sentence each."""
    try:
        tree = pristine.contents(root)
        patches = series.read(root)
    except ForkError as error:
        return [str(error)]
    return [
        *listing(root),
        *headers(patches),
        *applying(patches, tree),
        *claims(root, patches, tree),
        *notes_claims(root, patches),
        *copies(root, tree),
    ]


def listing(root):
    names = series.listed(root)
    for name, count in Counter(names).items():
        if count > 1:
            yield f"patches/series: {name} is listed {count} times"
    for path in sorted((root / "patches").iterdir()):
        if path.name != "series" and path.name not in names:
            yield f"patches/{path.name}: not listed in patches/series"


def headers(patches):
    for patch in patches:
        where = f"patches/{patch.name}"
        if not re.fullmatch(r"(Refs|Fixed) #\d+ -- [A-Z].*\.", patch.subject or ""):
            yield f"{where}: its subject must read `Refs #29262 -- Did this.`"
        if not patch.why:
            yield f"{where}: its message does not say why it exists"
        forwarded = patch.trailers("Forwarded")
        if len(forwarded) != 1 or not re.fullmatch(
            r"no|not-needed|https://\S+", forwarded[0]
        ):
            yield f"{where}: needs one trailer `Forwarded: no | <url> | not-needed`"
        if [f"{name}.patch" for name in patch.trailers("Patch-Name")] != [patch.name]:
            yield f"{where}: its trailer `Patch-Name:` must give its name"


def applying(patches, tree):
    """Apply the series to a copy of the tree."""
    tree = dict(tree)
    for patch in patches:
        try:
            tree |= applier.apply(patch.diff, tree.get)
        except applier.PatchError as error:
            yield f"patches/{patch.name}: {error}"
            return  # What stands on it would only fail in its wake.


def claims(root, patches, tree):
    """Each overlay file is new, and belongs to exactly one patch."""
    claimed = Counter(path for patch in patches for path in patch.overlay)
    files = overlay.files(root)
    for path in files:
        if path in tree:
            yield f"{path}: exists upstream; change it by a patch"
        if claimed[path] != 1:
            yield f"{path}: {claimed[path]} patches claim it by `Overlay:`, not one"
    for patch in patches:
        for path in sorted(set(patch.overlay) - set(files)):
            yield f"patches/{patch.name}: `Overlay: {path}` names no overlay file"


def notes_claims(root, patches):
    """Each part of the release notes that a patch names is there."""
    paths = filter(notes.is_notes, overlay.files(root))
    found = Counter(
        line for path in paths for line in (root / path).read_text("utf-8").split("\n")
    )
    for patch in patches:
        for line in patch.trailers(notes.TRAILER):
            if found[line] != 1:
                yield (
                    f"patches/{patch.name}: `{notes.TRAILER}: {line}` names "
                    f"{found[line]} lines of the release notes, not one"
                )


def copies(root, tree):
    """
    No overlay file repeats RUN or more consecutive lines of a pristine file.

    Indentation and blank lines do not hide a copy: the comparison leaves them out,
    yet a blank line between two copied ones counts. What any two files have in
    common, a bracket here and an `else:` there, makes no copy: TELLING of the lines
    must say more than that.
    """
    ours = {path: lines((root / path).read_bytes()) for path in overlay.files(root)}
    places = defaultdict(list)
    for path, found in ours.items():
        for index, line in enumerate(found):
            if line.telling:
                places[line.text].append((path, index))
    copied = {}
    for source, content in tree.items():
        theirs = lines(content)
        for index, line in enumerate(theirs):
            for path, place in places.get(line.text, ()):
                run = shared(ours[path], place, theirs, index)
                if (
                    run
                    and run[-1].number - run[0].number >= RUN - 1
                    and sum(line.telling for line in run) >= TELLING
                ):
                    where = f"{source}, line {line.number}"
                    copied.setdefault((path, run[0].number), (run[-1].number, where))
    for (path, first), (last, where) in sorted(copied.items()):
        yield f"{path}: lines {first} to {last} copy {where}"


def shared(ours, i, theirs, j):
    """Return our run of equal lines around a pair, if no pair before it tells more."""
    first = last = 0
    while min(i, j) + first and ours[i + first - 1].text == theirs[j + first - 1].text:
        first -= 1
        if ours[i + first].telling:
            return []  # That pair gives the same run.
    for mine, their in zip(ours[i + 1 :], theirs[j + 1 :]):
        if mine.text != their.text:
            break
        last += 1
    return ours[i + first : i + last + 1]


class Line(NamedTuple):
    number: int
    text: str

    @property
    def telling(self):
        return len(self.text) > 7


def lines(content):
    """Return a text's lines that are not blank, without their indentation."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return []
    split = enumerate(map(str.strip, text.split("\n")), 1)
    return [Line(number, line) for number, line in split if line]
