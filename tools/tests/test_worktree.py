import os
import shutil

import pristine
import pytest
import worktree
from common import ForkError
from conftest import TREE


def test_checkout_then_export_changes_nothing(fork):
    before = fork.patches()
    shutil.rmtree(fork.tree)
    fork.checkout()
    fork.export()
    assert fork.patches() == before


def test_checkout_is_the_same_everywhere(fork, monkeypatch, tmp_path):
    shutil.rmtree(fork.tree)
    fork.checkout()
    first = fork.git("rev-parse", "HEAD")
    shutil.rmtree(fork.tree)
    config = "[core]\nautocrlf=true\n[commit]\ngpgsign=true\n[diff]\nnoprefix=true\n"
    (tmp_path / ".gitconfig").write_text(config)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_DIR", "/nonexistent")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    fork.checkout()
    assert fork.git("rev-parse", "HEAD") == first
    assert fork.git("rev-parse", "pristine") == pristine.pin(fork.root).base
    assert fork.git("status", "--porcelain") == ""


def test_the_work_tree_is_no_installed_django(fork):
    assert not (fork.tree / "Django.egg-info").exists()


def test_another_base_commit_is_refused(bare):
    text = (bare.root / "tools/pristine.txt").read_text()
    bare.write("tools/pristine.txt", text[:-41] + "1" * 40 + "\n")
    with pytest.raises(ForkError, match="the base commit is"):
        bare.checkout()
    assert not bare.tree.exists()


def test_another_sdist_is_not_taken_from_the_cache(bare, monkeypatch):
    (cached,) = (bare.root / ".cache").glob("*.tar.gz")
    cached.write_bytes(b"damaged")
    monkeypatch.setattr(pristine.sys, "executable", "false")
    with pytest.raises(ForkError, match="pip did not fetch"):
        bare.checkout()


def test_a_fixup_changes_only_its_patch(fork):
    before = fork.patches()
    fork.edit("django/db/query.py", "line 5 of", "line five of")
    fork.git("commit", "--quiet", "--all", "--fixup", ":/orm first")
    fork.edit("docs/index.txt", "* One", "* 1")  # Not committed: nobody's business.
    assert fork.export() == ["docs/index.txt"]
    after = fork.patches()
    assert {name for name in after if after[name] != before.get(name)} == {
        "orm-first.patch",
    } | {
        # The ids of the file that both change.
        "orm-second.patch"
    }
    changed = [
        line
        for line in after["orm-second.patch"].splitlines()
        if line not in before["orm-second.patch"].splitlines()
    ]
    assert [line[:6] for line in changed] == [b"index "]
    assert "* 1" in (fork.tree / "docs/index.txt").read_text()
    assert "fixup!" not in fork.git("log", "--format=%s")
    fork.checkout()


def test_a_reworded_commit_keeps_its_name(fork):
    fork.git("commit", "--amend", "--quiet", "-m", (
        "Refs #29262 -- Said it otherwise.\n\nWhy.\n\nForwarded: no\n"
        "Overlay: docs/releases/6.2.txt\nPatch-Name: docs-index"
    ))  # fmt: skip
    names = set(fork.patches())
    fork.export()
    assert set(fork.patches()) == names
    assert b"Said it otherwise" in fork.patches()["docs-index.patch"]


def test_new_dropped_and_reordered_commits(fork):
    fork.git("reset", "--quiet", "--hard", "HEAD~1")
    fork.patch("tests-basic", "tests/basic/tests.py", "2]", "2, 3]")
    fork.export()
    assert set(fork.patches()) == {
        "series",
        *("version-local.patch", "orm-first.patch", "orm-second.patch"),
        "tests-basic.patch",
    }
    assert fork.patches()["series"] == (
        b"# In order.\nversion-local.patch\norm-first.patch\norm-second.patch\n"
        b"tests-basic.patch\n"
    )


def test_a_commit_of_new_files_only(fork):
    fork.commit(
        "Refs #29262 -- Added it.\n\nWhy.\n\nForwarded: no\nPatch-Name: orm-new\n"
        "Overlay: django/new.py"
    )
    fork.export()
    before = fork.patches()
    shutil.rmtree(fork.tree)
    fork.checkout()
    fork.export()
    assert fork.patches() == before
    assert before["orm-new.patch"].endswith(b"Overlay: django/new.py\n")


def test_a_commit_needs_a_name(fork):
    fork.edit("docs/index.txt", "* One", "* 1")
    fork.commit("Refs #29262 -- Did it.\n\nWhy.\n")
    with pytest.raises(ForkError, match="Did it.*Patch-Name: <area>-<slug>"):
        fork.export()


def test_a_commit_makes_no_new_file(fork):
    fork.write(".fork/django/new.py", "new = 1\n")
    fork.git("add", "django/new.py")
    fork.commit("Refs #1 -- A.\n\nB.\n\nForwarded: no\nPatch-Name: a-b")
    with pytest.raises(ForkError, match="goes into the overlay: django/new.py"):
        fork.export()


def test_checkout_keeps_uncommitted_work(fork):
    fork.edit("docs/index.txt", "* One", "* 1")
    fork.checkout()
    assert "* 1" in (fork.tree / "docs/index.txt").read_text()
    shutil.copytree(fork.root / "patches", fork.root / "before")
    fork.write("patches/series", "version-local.patch\n")
    with pytest.raises(ForkError, match="uncommitted changes.*docs/index.txt"):
        fork.checkout()
    assert "* 1" in (fork.tree / "docs/index.txt").read_text()
    fork.checkout(force=True)
    assert "* 1" not in (fork.tree / "docs/index.txt").read_text()


def test_checkout_keeps_commits_that_are_not_exported(fork):
    fork.patch("tests-basic", "tests/basic/tests.py", "2]", "2, 3]")
    tip = fork.git("rev-parse", "HEAD")
    with pytest.raises(ForkError, match="commits that patches/ lacks"):
        fork.checkout()
    assert fork.git("rev-parse", "HEAD") == tip
    assert fork.checkout(force=True) == tip
    assert fork.git("rev-parse", "HEAD@{1}") == tip


def test_checkout_follows_patches_that_changed(fork, tmp_path):
    colleague = tmp_path / "colleague"
    shutil.copytree(fork.root, colleague, symlinks=True)
    other = type(fork)(colleague)
    other.patch("tests-basic", "tests/basic/tests.py", "2]", "2, 3]")
    other.export()
    shutil.rmtree(fork.root / "patches")
    shutil.copytree(colleague / "patches", fork.root / "patches")
    fork.git("branch", "keep")
    tip = fork.git("rev-parse", "HEAD")
    with pytest.raises(ForkError, match="tests-basic.patch changed since the last"):
        fork.export()
    fork.checkout()
    assert (fork.tree / "tests/basic/tests.py").read_text() == "allowed = [1, 2, 3]\n"
    assert fork.git("rev-parse", "keep") == tip


def test_a_patch_that_does_not_apply_leaves_the_work_tree(fork):
    tip = fork.git("rev-parse", "HEAD")
    path = fork.root / "patches/orm-second.patch"
    path.write_bytes(path.read_bytes().replace(b" line 29 of", b" line 1000 of"))
    with pytest.raises(ForkError, match="orm-second.patch does not apply(.|\n)*query"):
        fork.checkout()
    assert fork.git("rev-parse", "HEAD") == tip
    assert not list(fork.root.glob(".cache/tree-*"))


def test_an_interrupted_first_checkout(fork, monkeypatch):
    shutil.rmtree(fork.tree)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(worktree, "am", interrupt)
        fork.checkout()
    assert not fork.tree.exists()
    fork.checkout()
    assert not list(fork.root.glob(".cache/tree-*"))
    assert fork.git("status", "--porcelain") == ""


def test_an_interrupted_update(fork):
    fork.write("patches/series", "version-local.patch\norm-first.patch\n")
    fork.checkout()
    start, reached = fork.git("rev-parse", "HEAD~1"), fork.git("rev-parse", "HEAD")
    # As git leaves it when it stops half way: some files, no commit.
    fork.git("reset", "--quiet", "--hard", start)
    fork.git("update-ref", worktree.SYNCED, start)
    fork.git("update-ref", worktree.PENDING, reached)
    fork.edit("django/db/query.py", "line 4 of", "line four of")
    fork.checkout()
    assert fork.git("rev-parse", "HEAD") == reached
    assert fork.git("status", "--porcelain") == ""


def test_an_interrupted_export(fork, monkeypatch):
    fork.edit("django/db/query.py", "line 5 of", "line five of")
    fork.git("commit", "--quiet", "--all", "--fixup", ":/orm first")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(worktree.series, "replace", replace_once(worktree.series.replace))
        fork.export()
    fork.export()
    fork.checkout()
    assert fork.git("log", "--format=%s").count("\n") == 4


def replace_once(replace):
    seen = []

    def replacement(path, content):
        if path.name == "orm-second.patch":
            raise KeyboardInterrupt
        seen.append(path)
        replace(path, content)

    return replacement


def interrupt(*args):
    raise KeyboardInterrupt


def test_a_rebase_in_progress(fork):
    (fork.tree / ".git/rebase-merge").mkdir()
    for command in (fork.checkout, fork.export):
        with pytest.raises(ForkError, match="a rebase is in progress"):
            command()


def test_a_merge_is_no_series(fork):
    fork.git("checkout", "--quiet", "-b", "side", "HEAD~1")
    fork.patch("tests-basic", "tests/basic/tests.py", "2]", "2, 3]")
    fork.git("merge", "--quiet", "--no-edit", "main")
    with pytest.raises(ForkError, match="merge commit"):
        fork.export()


def test_the_repository_around_is_never_taken_for_the_work_tree(fork):
    shutil.rmtree(fork.tree / ".git")
    for command in (fork.checkout, fork.export):
        with pytest.raises(ForkError, match="no work tree"):
            command()


def test_the_overlay_is_linked(fork):
    assert os.readlink(fork.tree / "django/db/joins") == "../../../django/db/joins"
    assert (
        os.readlink(fork.tree / "django/db/alias.py") == "../../../django/db/alias.py"
    )
    assert (fork.tree / "docs/releases/6.2.txt").read_text() == "New.\n"
    assert fork.git("status", "--porcelain") == ""


def test_checkout_links_what_came_and_unlinks_what_went(fork):
    fork.write("tests/more/tests.py", "")
    fork.write("django/db/late.py", "")
    fork.write("tests/joins/__pycache__/tests.pyc", "")
    (fork.root / "django/db/alias.py").unlink()
    fork.checkout()
    assert (fork.tree / "tests/more").is_symlink()
    assert (fork.tree / "django/db/late.py").is_symlink()
    assert not (fork.tree / "django/db/alias.py").is_symlink()
    assert fork.git("status", "--porcelain") == ""


def test_an_overlay_file_is_no_upstream_file(fork):
    fork.write("docs/index.txt", "Mine.\n")
    with pytest.raises(ForkError, match="docs/index.txt: exists in the work tree"):
        fork.checkout()


def test_moving_to_another_release(fork):
    later = {**TREE, "django/db/query.py": "new\n" * 5 + TREE["django/db/query.py"]}
    base = fork.pin("6.1.4", later)
    fork.git("rebase", "--quiet", "--onto", base, "pristine")
    before = fork.patches()
    fork.export()
    fork.checkout()
    after = fork.patches()
    assert b"@@ -6,7 +6,7 @@" in after["orm-first.patch"]
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"orm-first.patch", "orm-second.patch"}
    assert fork.git("rev-parse", "pristine") == base
