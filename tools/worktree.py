"""The work tree: a git repository with pristine Django and one commit per patch."""

import contextlib
import os
import re
import shutil
import tempfile
from pathlib import Path

import overlay
import pristine
import series
from common import ForkError
from git import Git

SYNCED = "refs/fork/synced"  # The last commit that patches/ agreed with.
PENDING = "refs/fork/pending"  # The commit that a checkout is about to reach.
NAME = re.compile(r"[a-z0-9]+(-[a-z0-9.]+)+")
# fmt: off
MAIL = [
    "format-patch", "--quiet", "--numbered-files", "--no-signature", "--zero-commit",
    "--full-index", "--no-stat", "--no-numbered", "--keep-subject", "--no-renames",
    "--diff-algorithm=histogram", "--always",
]
APPLY = [
    "am", "--quiet", "--keep-non-patch", "--keep-cr", "--no-gpg-sign",
    "--committer-date-is-author-date",
]
# fmt: on


@contextlib.contextmanager
def locked(root):
    """Keep a second run out for as long as this one lives."""
    (root / ".cache").mkdir(exist_ok=True)
    with open(root / ".cache/lock", "w") as lock:
        with contextlib.suppress(ImportError):  # Windows
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX)
        for leftover in (root / ".cache").glob("tree-*"):  # Of a run that was killed.
            shutil.rmtree(leftover)
        yield


def base(root, git):
    """Make the commit of the pristine tree: the same one everywhere."""
    pin = pristine.pin(root)
    if git.has(pin.base):
        return pin.base
    with tempfile.TemporaryDirectory(prefix="fork-") as folder:
        newest = 0
        for path, member, archive in pristine.members(pristine.sdist(root)):
            newest = max(newest, int(member.mtime))
            archive.extract(member, folder, filter="data")
            top = member.name.partition("/")[0]
        where = {
            "GIT_DIR": str(git.folder.resolve() / ".git"),
            "GIT_WORK_TREE": f"{folder}/{top}",
            "GIT_INDEX_FILE": f"{folder}/index",
        }
        git("add", "--all", "--force", ".", **where | {"GIT_LITERAL_PATHSPECS": "1"})
        tree = git("write-tree", **where)
    commit = git(
        *("commit-tree", "-m", f"Django {pin.version}", tree),
        GIT_AUTHOR_NAME="Django fork",
        GIT_AUTHOR_EMAIL="fork@example.invalid",
        GIT_AUTHOR_DATE=f"{newest} +0000",
        GIT_COMMITTER_DATE=f"{newest} +0000",
    )
    if commit != pin.base:
        raise ForkError(f"the base commit is {commit}, not tools/pristine.txt's")
    return commit


def mails(git, base, tip):
    """Return the patches that the commits from base to tip make."""
    if not git("merge-base", "--is-ancestor", base, tip, check=False):
        raise ForkError("the work tree's commits do not stand on pristine Django")
    if git("rev-list", "--merges", f"{base}..{tip}"):
        raise ForkError("the work tree has a merge commit; a series is a line")
    with tempfile.TemporaryDirectory(prefix="fork-") as folder:
        git(*MAIL, f"--output-directory={folder}", f"{base}..{tip}")
        files = sorted(Path(folder).iterdir(), key=lambda file: int(file.name))
        patches = [series.Patch("", file.read_bytes()) for file in files]
    named = {}
    for patch in patches:
        names = patch.trailers("Patch-Name")
        if len(names) != 1 or not NAME.fullmatch(names[0]):
            raise ForkError(
                f"commit {patch.subject!r}: its message must end with one trailer "
                "`Patch-Name: <area>-<slug>`"
            )
        name = f"{names[0]}.patch"
        if name in named:
            raise ForkError(f"commit {patch.subject!r}: a second {name}")
        named[name] = series.Patch(name, patch.mail)
    return list(named.values())


def init(root, git):
    """Make a repository of pristine Django, and check it out."""
    git("init", "--quiet", "--initial-branch=main", "--template=")
    git("config", "core.autocrlf", "false")
    start = base(root, git)
    git("reset", "--hard", "--quiet", start)
    return start


def am(root, git, patches):
    """Commit the patches."""
    if not patches:
        return  # Without a file, git would wait for a mail on standard input.
    # Older versions of git do not know the option, nor need it.
    empty = [] if all(patch.diff.strip() for patch in patches) else ["--empty=keep"]
    try:
        git(*APPLY, *empty, *(str(root / "patches" / patch.name) for patch in patches))
    except ForkError as error:
        at = re.search(r"^Patch failed at (\d+) ", str(error), re.M)
        name = patches[int(at[1]) - 1].name if at else "series"
        raise ForkError(f"patches/{name} does not apply\n{error}") from None


def opened(root):
    """Return the work tree's git, in a state that can be worked on."""
    git = Git(root / ".fork")
    if not (git.folder / ".git").is_dir():
        raise ForkError(".fork/ is no work tree; `fork.py checkout` makes it")
    for name in ("rebase-merge", "rebase-apply"):
        if (git.folder / ".git" / name).exists():
            raise ForkError("a rebase is in progress in .fork/; finish or abort it")
    return git


def dirty(git):
    status = git("status", "--porcelain", "--untracked-files=no")
    return [line.split(maxsplit=1)[1] for line in status.splitlines()]


def create(root):
    """Build the work tree where nothing looks for it, then give it its name."""
    git = Git(tempfile.mkdtemp(prefix="tree-", dir=root / ".cache"))
    init(root, git)
    am(root, git, series.read(root))
    git("update-ref", SYNCED, "HEAD")
    os.chmod(git.folder, 0o755)
    os.rename(git.folder, root / ".fork")


def update(root, git):
    """Move the work tree to the commits of patches/."""
    start = base(root, git)
    with git.aside(start, root / ".cache") as other:
        am(root, other, series.read(root))
        tip = other("rev-parse", "HEAD")
    git("update-ref", PENDING, tip)
    git("reset", "--hard", "--quiet", tip)
    git("update-ref", SYNCED, tip)
    git("update-ref", "-d", PENDING)


def checkout(root, force=False):
    """Make .fork/ hold patches/ and the overlay. Return the commit left behind."""
    with locked(root):
        if not (root / ".fork").exists():
            create(root)
        git = opened(root)
        tip = git("rev-parse", "HEAD")
        left = None
        if not same(root, git, tip):
            left = tip if tip != synced(git) else None
            if left and not force:
                raise ForkError(
                    "the work tree has commits that patches/ lacks: `fork.py export` "
                    "them, or leave them behind with `checkout --force`"
                )
            if dirty(git) and not force and not unfinished(git):
                raise ForkError(
                    "uncommitted changes: commit them, or discard them with "
                    f"`checkout --force`: {', '.join(dirty(git))}"
                )
            update(root, git)
        git("tag", "--force", "pristine", pristine.pin(root).base)
        overlay.link(root, git.folder)
        return left


def export(root, force=False):
    """Make patches/ hold the work tree's commits. Return what is not committed."""
    with locked(root):
        git = opened(root)
        base = pristine.pin(root).base
        tip = git("rev-parse", "HEAD")
        folded = squashed(root, git, base, tip)
        others = git(
            "diff", "--name-only", "--no-renames", "--diff-filter=AD", base, tip
        )
        if others:
            raise ForkError(
                "commits change existing files only; a new file goes into the overlay: "
                + ", ".join(others.split("\n"))
            )
        patches = mails(git, base, folded)
        if not force and (root / "patches/series").exists():
            known = [*patches, *exported(git)]
            for patch in series.read(root):
                if patch not in known:
                    raise ForkError(
                        f"patches/{patch.name} changed since the last checkout. Keep "
                        "your commits on a branch, `checkout --force`, cherry-pick "
                        "them; or overwrite it with `export --force`"
                    )
        series.write(root, patches)
        if folded != tip:
            git("update-ref", "HEAD", folded, tip)
        git("update-ref", SYNCED, folded)
        return dirty(git)


def unfinished(git):
    """Tell whether all that changed is what an interrupted update wrote."""
    differs = ("diff", "--quiet", PENDING, "--", *dirty(git))
    return git.has(PENDING) and git(*differs, check=False)


def exported(git):
    """Return the patches of the last agreement, be it on another release."""
    tip = synced(git)
    return mails(git, git("rev-list", "--max-parents=0", tip), tip) if tip else []


def synced(git):
    return git("rev-parse", SYNCED) if git.has(SYNCED) else None


def same(root, git, tip):
    """Tell whether the commits make exactly what patches/ holds."""
    try:
        agree = mails(git, pristine.pin(root).base, tip) == series.read(root)
    except ForkError:
        return False
    if agree:
        git("update-ref", SYNCED, tip)
    return agree


def squashed(root, git, base, tip):
    """Return the tip with its fixup commits folded into what they fix."""
    subjects = git("log", "--format=%s", f"{base}..{tip}").splitlines()
    if not any(re.match("(fixup|squash|amend)! ", subject) for subject in subjects):
        return tip
    with git.aside(tip, root / ".cache") as other:
        other("rebase", "--interactive", "--autosquash", "--quiet", base)
        folded = other("rev-parse", "HEAD")
    if git("rev-parse", f"{folded}^{{tree}}") != git("rev-parse", f"{tip}^{{tree}}"):
        raise ForkError("folding the fixup commits changes the outcome; rebase by hand")
    return folded
