import subprocess
import sys

import mutations
import pytest
import suite
from common import ForkError
from mutants import Mutant

CODE = """\
def run():
    setup("x")
    stop = 1
"""


@pytest.fixture
def fork(bare):
    """A fork with two patches, one of which is for itself only."""
    bare.write("tests/joins/tests.py", "joined()\n")
    bare.checkout()
    where = "django/db/query.py", "line 1 of", "line one of"
    bare.patch("version-local", *where, forwarded="not-needed")
    where = "django/__init__.py", '"""End."""\n', CODE
    bare.patch("orm-first", *where, "Overlay: tests/joins/tests.py")
    bare.export()
    return bare


@pytest.fixture
def trial(fork, monkeypatch):
    """Run the command on the fork, with a stand-in for the tests."""
    monkeypatch.setattr(mutations, "ROOT", fork.root)
    monkeypatch.setattr(suite, "FORK", fork.tree)
    runs = []

    def trial(*arguments, noticed=lambda mutant, database: "test"):
        def run(database, found, packages, processes):
            runs.append((database, [str(mutant) for mutant in found], packages))
            for mutant in found:
                result = noticed(mutant, database)
                if result is not None:
                    yield mutant, result

        monkeypatch.setattr(mutations, "run", run)
        return mutations.main(arguments), runs

    return trial


def test_each_hook_is_tried(trial):
    status, runs = trial()
    assert not status
    ((database, found, packages),) = runs
    assert database == "sqlite"
    assert packages == ["joins"]
    assert found == [
        "django/__init__.py:3 def run(): -> as upstream",
        "django/__init__.py:4 setup('x') -> pass",
        "django/__init__.py:5 stop = 1 -> pass",
    ]


def test_what_no_test_notices(trial, capsys):
    status, _ = trial(
        noticed=lambda mutant, database: "" if mutant.lines == (5,) else "t"
    )
    assert status
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2:] == [
        "No test notices django/__init__.py:5 stop = 1 -> pass",
        "2 noticed, 1 not",
    ]


def test_other_databases_try_what_is_left(trial, capsys):
    def noticed(mutant, database):
        if mutant.lines == (5,):
            return {"sqlite": None, "mariadb": "test"}[database]
        return "" if database == "sqlite" and "pass" in mutant.fault else "test"

    status, runs = trial("--databases", "sqlite", "mariadb", noticed=noticed)
    assert not status
    assert [len(found) for _, found, _ in runs] == [3, 2]
    assert capsys.readouterr().out.splitlines()[-1] == "3 noticed, 0 not"


def test_what_needs_another_database(trial, capsys):
    status, _ = trial("stop", noticed=lambda mutant, database: None)
    assert not status
    assert capsys.readouterr().out.splitlines() == [
        "1 mutants",
        "Needs another database: django/__init__.py:5 stop = 1 -> pass",
        "0 noticed, 0 not",
    ]


def test_list(trial, capsys):
    assert trial("stop", "--list") == (None, [])
    assert capsys.readouterr().out.splitlines() == [
        "1 mutants",
        "django/__init__.py:5 stop = 1 -> pass",
    ]


def test_modules(trial):
    _, ((_, found, _),) = trial("--files", "tests/joins/tests.py")
    assert found == ["tests/joins/tests.py:1 joined() -> pass"]


SCRIPT = """
import json, os, sys
folder, fork, settings, tools = os.environ["PYTHONPATH"].split(os.pathsep)
assert os.listdir(folder)
task = json.load(open(os.environ["MUTATIONS"]))
mutant, other = task["mutants"]
assert mutant["path"] == fork + "/django/a.py" and mutant["lines"] == [1]
print("System check identified no issues.")
print(json.dumps([1, "a test"]))
sys.exit(%d)
"""


@pytest.mark.parametrize("status", [0, 1])
def test_run(monkeypatch, capsys, status):
    def start(tree, settings, labels, options, **environ):
        assert (settings, labels) == ("mutation_settings", ["joins"])
        return subprocess.Popen(
            [sys.executable, "-c", SCRIPT % status],
            env=environ,
            stdout=subprocess.PIPE,
            text=True,
        )

    monkeypatch.setattr(suite, "start", start)
    found = [Mutant("django/a.py", (1,), "x -> pass", "") for _ in range(2)]
    outcome = mutations.run("sqlite", found, ["joins"], 2)
    assert next(outcome) == (found[1], "a test")
    if status:
        with pytest.raises(ForkError, match="fail on sqlite without a mutant"):
            next(outcome)
    else:
        assert list(outcome) == []
    assert capsys.readouterr().err == "System check identified no issues.\n"
