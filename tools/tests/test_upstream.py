import subprocess

import pristine
import pytest
import upstream
import worktree
from common import ForkError
from git import Git


@pytest.fixture
def mails(fork, tmp_path):
    fork.write("AUTHORS", "The fork's authors:\n\n    Éva <eva@example.com>\n")
    upstream.write_mails(fork.root, tmp_path / "mails")
    return tmp_path / "mails"


def apply(fork, mails, tmp_path):
    """Do as a committer of Django does."""
    (tmp_path / "django").mkdir()
    git = Git(tmp_path / "django")
    worktree.init(fork.root, git)
    subprocess.run(
        "git -c user.name=Mariusz -c user.email=m@example.com am -q ../mails/*.patch",
        shell=True,
        check=True,
        cwd=git.folder,
    )
    return git


def test_the_mails_apply_to_pristine(fork, mails, tmp_path):
    assert sorted(path.name for path in mails.iterdir()) == [
        "0001-Refs-29262-Did-orm-first.patch",
        "0002-Refs-29262-Did-orm-second.patch",
        "0003-Refs-29262-Did-docs-index.patch",
    ]
    git = apply(fork, mails, tmp_path)
    assert git("log", "--format=%an %s%n%b", "-1") == (
        "Zoë Refs #29262 -- Did docs index.\nFor the tests."
    )
    before = pristine.contents(fork.root)
    after = {
        path: (git.folder / path).read_bytes() for path in git("ls-files").splitlines()
    }
    changed = {path for path in after if after[path] != before.get(path)}
    assert set(before) <= set(after)
    assert changed == {
        "AUTHORS",
        "django/db/alias.py",
        "django/db/joins/__init__.py",
        "django/db/joins/joined.py",
        "django/db/query.py",
        "docs/index.txt",
        "docs/releases/6.2.txt",
        "tests/joins/tests.py",
    }
    for path in changed - {"AUTHORS"}:
        assert after[path] == (fork.tree / path).read_bytes()
    assert after["AUTHORS"].decode().splitlines()[2:6] == [
        "    Aaron <a@example.com>",
        "    Étienne <e@example.com>",
        "    Éva <eva@example.com>",
        "    Zoe <z@example.com>",
    ]


def test_each_mail_holds_its_overlay(mails):
    second = (mails / "0002-Refs-29262-Did-orm-second.patch").read_text("utf-8")
    assert "Subject: [PATCH 2/3] Refs #29262 -- Did orm second." in second
    assert "+++ b/django/db/joins/joined.py" in second
    for trailer in ("Overlay:", "Forwarded:", "Patch-Name:"):
        assert trailer not in second


def test_a_cover_letter_does_not_get_in_the_way(fork, tmp_path):
    fork.write("tools/cover-letter.txt", "Joins in the ORM\n\nThey are here.\n")
    upstream.write_mails(fork.root, tmp_path / "mails")
    letter = (tmp_path / "mails/cover-letter.txt").read_text("utf-8")
    assert "Subject: [PATCH 0/3] Joins in the ORM" in letter
    assert "They are here." in letter
    apply(fork, tmp_path / "mails", tmp_path)


def test_the_folder_must_be_empty(fork, mails):
    with pytest.raises(ForkError, match="not empty"):
        upstream.write_mails(fork.root, mails)
