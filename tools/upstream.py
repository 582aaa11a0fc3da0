"""Write the series as mails that `git am` applies to Django itself."""

import bisect
import re
import tempfile
import unicodedata

import notes
import overlay
import series
import worktree
from common import ForkError
from git import Git

# fmt: off
MAIL = [
    "format-patch", "--quiet", "--numbered", "--no-signature", "--zero-commit",
    "--no-renames", "--diff-algorithm=histogram",
]
# fmt: on


def write_mails(root, folder):
    """Write the mails, and the cover letter if tools/cover-letter.txt is there."""
    if folder.exists() and any(folder.iterdir()):
        raise ForkError(f"{folder}: not empty")
    patches = [
        patch
        for patch in series.read(root)
        if patch.trailers("Forwarded") != ["not-needed"]
    ]
    if not patches:
        raise ForkError("no patch of the series is for upstream")
    with tempfile.TemporaryDirectory(prefix="fork-") as scratch:
        git = Git(scratch)
        start = worktree.init(root, git)
        for number, patch in enumerate(patches, 1):
            commit(root, git, patch, later=patches[number:])
        options = cover(root, git)
        git(*MAIL, *options, f"--output-directory={folder.resolve()}", f"{start}..")
    letter = folder / "0000-cover-letter.patch"
    if letter.exists():  # It is no patch: `git am DIR/*.patch` must not meet it.
        letter.rename(folder / "cover-letter.txt")
    return sorted(file.name for file in folder.iterdir())


def commit(root, git, patch, later):
    """
    Commit a patch with its overlay and its part of the release notes, and with the
    last one its authors.
    """
    worktree.am(root, git, [patch])
    for path in patch.overlay:
        target = git.folder / path
        if target.exists():
            raise ForkError(f"{path}: exists upstream; an overlay file is new")
        if not (root / path).exists():
            raise ForkError(f"{path}: patches/{patch.name} claims it, it is missing")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((root / path).read_bytes())
    starts = [line for patch in later for line in patch.trailers(notes.TRAILER)]
    for path in filter(notes.is_notes, overlay.files(root)):
        target = git.folder / path
        if target.exists():
            text = notes.without((root / path).read_text("utf-8"), starts)
            target.write_text(text, "utf-8", newline="\n")
    if not later and (root / "AUTHORS").exists():
        authors = git.folder / "AUTHORS"
        text = authors.read_text("utf-8")
        ours = (root / "AUTHORS").read_text("utf-8")
        authors.write_text(credited(text, ours), "utf-8", newline="\n")
    git("add", "--all", "--force")
    message = f"{patch.subject}\n\n{patch.why}\n"
    git("commit", "--amend", "--quiet", "--allow-empty", "--message", message)


def credited(text, ours):
    """Return Django's list of authors with ours, each where the alphabet wants it."""
    lines = text.split("\n")
    entries = [i for i, line in enumerate(lines) if re.match(r"    [^\s<]", line)]
    low, high = entries[0], lines.index("    <Please alphabetize new entries>")
    for entry in re.findall(r"^[ *-]*(\S[^<>\n]* <\S+>)$", ours, re.M):
        if f"    {entry}" not in lines:
            bisect.insort(lines, f"    {entry}", low, high, key=alphabetical)
            high += 1
    return "\n".join(lines)


def alphabetical(entry):
    """Return the letters that Django's list of authors is ordered by."""
    name = unicodedata.normalize("NFKD", entry.partition("<")[0])
    return "".join(filter(str.isalnum, name)).casefold()


def cover(root, git):
    """Return the options that make a cover letter: subject, blank line, text."""
    letter = root / "tools/cover-letter.txt"
    if not letter.exists():
        return []
    git("config", "branch.main.description", letter.read_text("utf-8"))
    return ["--cover-letter", "--cover-from-description=subject"]
