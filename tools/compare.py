"""Tell what would become of the series on another release of Django."""

import re
import subprocess
import sys
from dataclasses import dataclass

import applier
import overlay
import pristine
import series
from common import ForkError


@dataclass(frozen=True)
class Hunk:
    """A hunk, and what is found of it in the other release."""

    patch: str
    path: str
    number: int
    line: int
    found: int | None = None
    problem: str = ""

    @property
    def exact(self):
        return self.line == self.found

    def __str__(self):
        fate = self.problem or f"applies at line {self.found}"
        return f"{self.path}: hunk {self.number} (line {self.line}): {fate}"


def compare(root, tree):
    """
    Return a Hunk for each hunk of the series, and the overlay's paths that exist.

    `tree` is {path: content} of the other release. What does not apply is left out,
    so that hunks which need its outcome do not apply either.
    """
    files, hunks = {}, []
    for patch in series.read(root):
        for path, _, parsed in applier.split(patch.diff):
            if path not in files and path in tree:
                files[path] = applier.lines(tree[path])
            hunks += place(patch.name, path, parsed, files.get(path))
    return hunks, [path for path in overlay.files(root) if path in tree]


def place(patch, path, parsed, lines):
    """Yield a Hunk for each, and apply those that find their lines."""
    shift = done = 0
    for number, hunk in enumerate(parsed, 1):
        where = patch, path, number, hunk.source_start
        if lines is None:
            yield Hunk(*where, problem="there is no such file")
            continue
        old, new = applier.sides(hunk)
        # An empty side names the line before it.
        start = hunk.source_start - bool(old)
        index = find(lines, old, start + shift, done)
        if index is None:
            yield Hunk(*where, problem=why(lines, old, new))
            continue
        # Hunks name the lines of the file before any of them is applied.
        grown = sum(h.added - h.removed for h in parsed[: number - 1])
        yield Hunk(*where, found=index + bool(old) - grown)
        lines[index : index + len(old)] = new
        shift = index - start + len(new) - len(old)
        done = index + len(new)


def find(lines, wanted, expected, first=0):
    """Return the index nearest to the expected one where the wanted lines start."""
    places = range(first, len(lines) - len(wanted) + 1)
    found = [i for i in places if lines[i : i + len(wanted)] == wanted]
    return min(found, key=lambda index: abs(index - expected), default=None)


def why(lines, old, new):
    """Return why the old lines are not found."""
    if find(lines, new, 0) is not None:
        return "is applied already"
    lacking = [line.strip() for line in old if line not in lines]
    if not lacking:
        return "conflicts: its lines are there, but apart"
    return f"conflicts: there is no line {lacking[0]!r}"


def newer(root):
    """Return the releases to move to: the newest of the series, of all, to come."""
    # fmt: off
    command = [
        sys.executable, "-m", "pip", "index", "versions", "--pre", "Django",
        "--disable-pip-version-check",
    ]
    # fmt: on
    output = subprocess.run(command, capture_output=True, text=True).stdout
    listed = re.search(r"^Available versions: (.+)$", output, re.M)
    if listed is None:
        raise ForkError("pip did not list the releases of Django")
    return choose(pristine.pin(root).version, listed[1].split(", "))


def choose(ours, versions):
    """Return those of the versions, which are sorted from new to old, to move to."""
    if ours not in versions:
        raise ForkError(f"the package index does not list Django {ours}")
    ahead = [v for v in versions[: versions.index(ours)] if "+" not in v]
    final = [version for version in ahead if re.fullmatch(r"[\d.]+", version)]
    same = [v for v in final if v.split(".")[:2] == ours.split(".")[:2]]
    return list(dict.fromkeys(group[0] for group in (same, final, ahead) if group))


def report(root, version):
    """Print the comparison with a release. Return whether it takes work to move."""
    archive = pristine.release(root, version)
    digest = pristine.sha256(archive.read_bytes()).hex()
    print(f"Django==={version} --hash=sha256:{digest}")
    hunks, existing = compare(root, pristine.unpacked(archive))
    patch = None
    for hunk in hunks:
        if not hunk.exact:
            if hunk.patch != patch:
                patch = hunk.patch
                print(f"patches/{patch}")
            print(f"    {hunk}")
    for path in existing:
        print(f"{path}: exists there")
    failing = sum(bool(hunk.problem) for hunk in hunks)
    exact = sum(hunk.exact for hunk in hunks)
    print(
        f"{len(hunks)} hunks: {exact} apply, {len(hunks) - exact - failing} apply at "
        f"another line, {failing} don't; {len(existing)} new files exist there"
    )
    return bool(failing or existing)
