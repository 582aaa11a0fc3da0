import hashlib
import io
import re
import shutil
import subprocess
import tarfile

import pytest
import worktree
from common import ForkError
from git import Git

QUERY = "".join(f"line {number} of the query\n" for number in range(1, 41))
TREE = {
    "AUTHORS": (
        "Contributors:\n\n    Aaron <a@example.com>\n    Étienne <e@example.com>\n"
        "    Zoe <z@example.com>\n    <Please alphabetize new entries>\n\nThanks.\n"
    ),
    "PKG-INFO": "Name: Django\n",
    "Django.egg-info/PKG-INFO": "Name: Django\n",
    "django/__init__.py": '__version__ = get_version(VERSION)\n\n"""End."""\n',
    "django/db/query.py": QUERY,
    "django/db/ends.py": "no newline\nat the end",
    "docs/index.txt": "Index\n=====\n\n* One\n* Two\n",
    "tests/basic/tests.py": "allowed = [1, 2]\n",
    "tests/.coveragerc": "",
}
VERSION = """\
Refs #29262 -- Named the fork.

So that one can tell.

Forwarded: not-needed
Patch-Name: version-local
"""


class Fork:
    """A fork of a tiny Django."""

    def __init__(self, root):
        self.root = root
        self.tree = root / ".fork"

    def write(self, path, text):
        path = self.root / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8", newline="")

    def edit(self, path, old, new):
        text = (self.tree / path).read_text("utf-8")
        assert old in text
        self.write(f".fork/{path}", text.replace(old, new))

    def git(self, *args):
        """Run git as a contributor does: with an identity of their own."""
        who = ["-c", "user.name=Zoë", "-c", "user.email=zoe@example.com"]
        return Git(self.tree)(*who, *args, GIT_COMMITTER_NAME="Zoë")

    def commit(self, message):
        self.git("commit", "--all", "--quiet", "--allow-empty", "--message", message)

    def patch(self, name, path, old, new, *trailers, forwarded="no"):
        """Make a commit that becomes the patch."""
        self.edit(path, old, new)
        lines = [f"Forwarded: {forwarded}", f"Patch-Name: {name}", *trailers]
        subject = f"Refs #29262 -- Did {name.replace('-', ' ')}."
        self.commit(f"{subject}\n\nFor the tests.\n\n" + "\n".join(lines) + "\n")

    def patches(self):
        folder = self.root / "patches"
        return {path.name: path.read_bytes() for path in folder.iterdir()}

    def pin(self, version, tree):
        """Pin a release as CONTRIBUTING.md says. Return its base commit."""
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as archive:
            for path, text in tree.items():
                member = tarfile.TarInfo(f"django-{version}/{path}")
                member.size = len(text.encode())
                member.mtime = 1762177429
                archive.addfile(member, io.BytesIO(text.encode()))
        sha256 = hashlib.sha256(packed.getvalue()).hexdigest()
        (self.root / f".cache/{sha256}.tar.gz").write_bytes(packed.getvalue())
        pin = f"Django==={version} --hash=sha256:{sha256}\n# base: "
        self.write("tools/pristine.txt", pin + "0" * 40 + "\n")
        with pytest.raises(ForkError) as error:
            self.checkout()
        base = re.search(r"base commit is (\w{40})", str(error.value))[1]
        self.write("tools/pristine.txt", f"{pin}{base}\n")
        return base

    def checkout(self, **options):
        return worktree.checkout(self.root, **options)

    def export(self, **options):
        return worktree.export(self.root, **options)


@pytest.fixture(scope="session")
def empty_fork(tmp_path_factory):
    root = tmp_path_factory.mktemp("empty")
    fork = Fork(root)
    (root / ".cache").mkdir()
    fork.write("patches/series", "# In order.\n")
    fork.pin("6.1.3", TREE)
    subprocess.run(["git", "init", "--quiet", root], check=True)
    return fork


@pytest.fixture
def bare(empty_fork, tmp_path):
    """A fork without patches, nor a work tree."""
    shutil.copytree(empty_fork.root, tmp_path / "fork", symlinks=True)
    return Fork(tmp_path / "fork")


@pytest.fixture(scope="session")
def full_fork(empty_fork, tmp_path_factory):
    root = tmp_path_factory.mktemp("full") / "fork"
    shutil.copytree(empty_fork.root, root, symlinks=True)
    fork = Fork(root)
    fork.write("django/db/joins/__init__.py", "from .joined import Joined\n")
    fork.write("django/db/joins/joined.py", "class Joined:\n    pass\n")
    fork.write("django/db/alias.py", "alias = None\n")
    fork.write("tests/joins/tests.py", "# Tests.\n")
    fork.write("docs/releases/6.2.txt", "New.\n")
    fork.checkout()
    fork.edit("django/__init__.py", "(VERSION)", '(VERSION) + "+joins.1"')
    fork.commit(VERSION)
    fork.patch("orm-first", "django/db/query.py", "line 4 of", "line four of")
    fork.patch(
        "orm-second",
        "django/db/query.py",
        "line 30 of",
        "line thirty of",
        "Overlay: django/db/joins/__init__.py",
        "Overlay: django/db/joins/joined.py",
        "Overlay: django/db/alias.py",
        "Overlay: tests/joins/tests.py",
    )
    fork.patch(
        "docs-index",
        "docs/index.txt",
        "* Two\n",
        "* Two\n* Three\n",
        "Overlay: docs/releases/6.2.txt",
    )
    fork.export()
    return fork


@pytest.fixture
def fork(full_fork, tmp_path):
    """A fork with four patches and an overlay, checked out."""
    shutil.copytree(full_fork.root, tmp_path / "fork", symlinks=True)
    return Fork(tmp_path / "fork")
