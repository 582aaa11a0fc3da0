"""Apply a git diff exactly: no offset, no fuzz, all or nothing, never by guess."""

import hashlib
import re

from unidiff import PatchSet, UnidiffParseError

HEAD = re.compile(
    r"diff --git a/(?P<path>\S+) b/(?P=path)\n"
    r"index [0-9a-f]{40}\.\.(?P<blob>[0-9a-f]{40}) 100(?:644|755)\n"
    r"--- a/(?P=path)\n"
    r"\+\+\+ b/(?P=path)\n"
)


class PatchError(Exception):
    """A diff that does not apply exactly. The message names file and hunk."""


def blob_id(content):
    """Return git's name for a file's content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def split(diff):
    """Yield (path, blob, hunks) of each file that the diff changes."""
    before, *files = re.split(r"^(?=diff --git )", diff, flags=re.M)
    if before.strip():
        raise PatchError(f"text before the first file: {before.splitlines()[0]!r}")
    for text in files:
        head, *hunks = re.split(r"^(?=@@ )", text, flags=re.M)
        match = HEAD.fullmatch(head)
        if match is None:
            raise PatchError(
                f"{head.splitlines()[0].rpartition(' b/')[2]}: not a change to the "
                "text of an existing file, as `fork.py export` writes it"
            )
        if not hunks:
            raise PatchError(f"{match['path']}: no hunk")
        yield match["path"], match["blob"], [
            parse(f"{match['path']}: hunk {number}", head, hunk)
            for number, hunk in enumerate(hunks, 1)
        ]


def parse(where, head, text):
    """Return the only hunk of `text`, having lost no line of it."""
    try:
        ((hunk,),) = PatchSet(head + text)
    except (UnidiffParseError, ValueError) as error:
        raise PatchError(f"{where}: {error}") from None
    if "".join(map(str, hunk)) != text.partition("\n")[2]:
        raise PatchError(f"{where}: its lines do not agree with its header")
    return hunk


def sides(hunk):
    """Return the lines that the hunk expects and those that it leaves."""
    old, new, touched = [], [], []
    for line in hunk:
        if line.line_type == "\\":  # The line before it ends without a newline.
            for side in touched:
                side[-1] = side[-1].removesuffix("\n")
        else:
            touched = [old] * (not line.is_added) + [new] * (not line.is_removed)
            for side in touched:
                side.append(line.value)
    return old, new


def lines(content):
    """Return a file's lines, each with its end."""
    text = content.decode("utf-8", "surrogateescape")
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def patched(path, content, hunks):
    """Return the content with the hunks applied at the lines that they name."""
    before = lines(content)
    result, done = [], 0
    for number, hunk in enumerate(hunks, 1):
        where = f"{path}: hunk {number} (line {hunk.source_start})"
        old, new = sides(hunk)
        # An empty side names the line before it.
        start = hunk.source_start - bool(old)
        if start < done:
            raise PatchError(f"{where}: overlaps the hunk before it")
        for offset, line in enumerate(old):
            if before[start + offset : start + offset + 1] != [line]:
                raise PatchError(
                    f"{where}: line {start + offset + 1} is not {line.rstrip()!r}"
                )
        result += before[done:start]
        if hunk.target_start - bool(new) != len(result):
            raise PatchError(f"{where}: lands on line {len(result) + 1} instead")
        result += new
        done = start + len(old)
    return "".join(result + before[done:]).encode("utf-8", "surrogateescape")


def apply(diff, read, wanted=lambda path: True):
    """
    Return {path: content} of the wanted files that the diff changes.

    `read(path)` returns a file's content before the diff, or None.
    """
    changed = {}
    for path, blob, hunks in split(diff):
        if path in changed:
            raise PatchError(f"{path}: changed twice")
        if not wanted(path):
            continue
        content = read(path)
        if content is None:
            raise PatchError(f"{path}: hunk 1: no such file in the pristine tree")
        changed[path] = patched(path, content, hunks)
        if blob_id(changed[path]) != blob:
            raise PatchError(
                f"{path}: its {len(hunks)} hunk(s) apply, but not to the file that "
                "they were made for; `fork.py checkout` and `export` renew them"
            )
    return changed
