import mails
import pytest
from git import Git


@pytest.fixture
def tree(fork, tmp_path):
    return mails.apply_mails(fork.root, tmp_path / "proof")


@pytest.fixture
def proof(tree, monkeypatch):
    """Return what is proved, with checks that only say what they are given."""
    proved = []

    def lint(tree, paths):
        proved.append((Git(tree)("log", "-1", "--format=%s"), *paths))
        yield "lint"

    def test(tree, database, labels):
        yield " ".join([database, *sorted(labels)])

    monkeypatch.setattr(mails, "lint", lint)
    monkeypatch.setattr(mails, "test", test)
    return proved


def test_labels_are_modules_or_packages():
    paths = ["tests/a/tests.py", "tests/a/test_b.py", "tests/c/d/test_e.py"]
    paths += ["tests/f/models.py", "tests/f/test_g.py", "django/tests.py", "docs/a.txt"]
    labels = mails.test_labels(paths)
    assert labels == {"a.tests", "a.test_b", "c.d.test_e", "f"}
    assert mails.test_labels(["tests/a/models.py"], labels) == {"a", "c.d.test_e", "f"}


def test_every_commit_is_proved_with_the_tests_so_far(tree, proof, capsys):
    assert mails.prove(tree, "sqlite", ["basic", "joins", "other"])
    assert proof == [
        ("Refs #29262 -- Did orm first.", "django/db/query.py"),
        (
            "Refs #29262 -- Did orm second.",
            "django/db/alias.py",
            "django/db/joins/__init__.py",
            "django/db/joins/joined.py",
            "django/db/query.py",
            "tests/joins/tests.py",
        ),
        ("Refs #29262 -- Did docs index.", "docs/index.txt", "docs/releases/6.2.txt"),
    ]
    assert capsys.readouterr().out.splitlines() == [
        "green  Refs #29262 -- Did orm first. (lint; sqlite basic)",
        "green  Refs #29262 -- Did orm second. (lint; sqlite basic joins)",
        "green  Refs #29262 -- Did docs index. (lint; sqlite basic joins)",
    ]


def test_nothing_is_tested_without_a_database(tree, proof, capsys):
    assert mails.prove(tree, None, [])
    assert capsys.readouterr().out.splitlines() == [
        "green  Refs #29262 -- Did orm first. (lint)",
        "green  Refs #29262 -- Did orm second. (lint)",
        "green  Refs #29262 -- Did docs index. (lint)",
    ]


def test_the_first_red_commit_is_the_last_one(tree, proof, monkeypatch, capsys):
    def test(tree, database, labels):
        if labels:
            raise mails.Red("FAIL: test_join")
        yield "nothing"

    monkeypatch.setattr(mails, "test", test)
    assert not mails.prove(tree, "sqlite", [])
    assert capsys.readouterr().out.splitlines() == [
        "green  Refs #29262 -- Did orm first. (lint; nothing)",
        "RED    Refs #29262 -- Did orm second.",
        "FAIL: test_join",
    ]


def test_a_failed_command_is_red(tmp_path):
    with pytest.raises(mails.Red, match="not black"):
        mails.run(tmp_path, "sh", "-c", "echo not black; exit 1")
