import compare
import pristine
import pytest
from common import ForkError
from conftest import QUERY, TREE

PATCHES = ("version-local", "orm-first", "orm-second", "docs-index")


def other(**changed):
    """Return the tree of another release."""
    tree = {path: text.encode() for path, text in TREE.items()}
    return tree | {path: text.encode() for path, text in changed.items()}


def fates(fork, tree):
    """Return what becomes of each patch: all of them have one hunk."""
    hunks, _ = compare.compare(fork.root, tree)
    assert [hunk.patch for hunk in hunks] == [f"{name}.patch" for name in PATCHES]
    return {
        name: hunk.problem or ("exact" if hunk.exact else hunk.found)
        for name, hunk in zip(PATCHES, hunks)
    }


def test_the_same_release(fork):
    assert fates(fork, other()) == dict.fromkeys(PATCHES, "exact")


def test_lines_that_moved(fork):
    """The line is the other release's, whatever the patches before have added."""
    tree = other(**{"django/db/query.py": "new\n" * 5 + QUERY})
    assert fates(fork, tree)["orm-first"] == 6
    assert fates(fork, tree)["orm-second"] == 32


def test_a_conflict_leaves_the_others_alone(fork):
    text = QUERY.replace("line 5 of", "line V of")
    found = fates(fork, other(**{"django/db/query.py": text}))
    assert found["orm-first"] == "conflicts: there is no line 'line 5 of the query'"
    assert found["orm-second"] == "exact"


def test_lines_in_another_order(fork):
    three, six = "line 3 of the query\n", "line 6 of the query\n"
    text = QUERY.replace(three, "").replace(six, six + three)
    found = fates(fork, other(**{"django/db/query.py": text}))
    assert found["orm-first"] == "conflicts: its lines are there, but apart"


def test_what_upstream_took_over(fork):
    text = QUERY.replace("line 4 of", "line four of")
    found = fates(fork, other(**{"django/db/query.py": text}))
    assert found["orm-first"] == "is applied already"


def test_a_file_that_is_gone(fork):
    tree = other()
    del tree["docs/index.txt"]
    assert fates(fork, tree)["docs-index"] == "there is no such file"


def test_overlay_paths_that_exist(fork):
    tree = other(**{"docs/releases/6.2.txt": "New.\n"})
    _, existing = compare.compare(fork.root, tree)
    assert existing == ["docs/releases/6.2.txt"]


def test_the_nearest_place_counts():
    lines = ["a\n", "b\n", "a\n", "b\n", "a\n"]
    assert compare.find(lines, ["a\n"], 1, first=1) == 2
    assert compare.find(lines, ["a\n", "b\n"], 4) == 2
    assert compare.find(lines, ["c\n"], 0) is None


@pytest.mark.parametrize(
    "ours, versions, chosen",
    [
        ("6.1.3", "6.1.3 6.1.2", []),
        ("6.1.3", "6.1.5 6.1.4 6.1.3", ["6.1.5"]),
        ("6.1.3", "6.2b1 6.2a1 6.1.4 6.1.3", ["6.1.4", "6.2b1"]),
        ("6.1.3", "6.2.1 6.2 6.2rc1 6.1.4 6.1.3", ["6.1.4", "6.2.1"]),
        ("6.1.3", "6.1.3+joins.1 6.1.3", []),
    ],
)
def test_the_releases_to_move_to(ours, versions, chosen):
    assert compare.choose(ours, versions.split()) == chosen


def test_a_release_that_is_not_listed(fork):
    with pytest.raises(ForkError, match="does not list Django 6.1.3"):
        compare.choose("6.1.3", ["6.1.2"])


def test_the_report(fork, monkeypatch, capsys):
    sdist = pristine.sdist(fork.root)
    monkeypatch.setattr(pristine, "release", lambda root, version: sdist)
    assert not compare.report(fork.root, "6.1.4")
    assert capsys.readouterr().out.splitlines() == [
        f"Django===6.1.4 --hash=sha256:{pristine.pin(fork.root).sha256}",
        "4 hunks: 4 apply, 0 apply at another line, 0 don't; 0 new files exist there",
    ]
    text = pristine.unpacked(sdist)["django/db/query.py"].replace(b"line 5 of", b"5")
    tree = {"django/db/query.py": text}
    monkeypatch.setattr(pristine, "unpacked", lambda sdist: tree)
    assert compare.report(fork.root, "6.1.4")
    assert capsys.readouterr().out.splitlines()[1:] == [
        "patches/version-local.patch",
        "    django/__init__.py: hunk 1 (line 1): there is no such file",
        "patches/orm-first.patch",
        "    django/db/query.py: hunk 1 (line 1): conflicts: there is no line "
        "'line 5 of the query'",
        "patches/docs-index.patch",
        "    docs/index.txt: hunk 1 (line 3): there is no such file",
        "4 hunks: 1 apply, 0 apply at another line, 3 don't; 0 new files exist there",
    ]
