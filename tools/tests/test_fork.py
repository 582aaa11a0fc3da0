import tomllib
from pathlib import Path

import fork as cli
import pristine

ROOT = Path(__file__).resolve().parent.parent.parent


def test_commands(fork, tmp_path, capsys):
    for command in ("checkout", "export", "check"):
        assert cli.main([command], fork.root) == 0
    assert cli.main(["upstream", str(tmp_path / "mails")], fork.root) == 0
    assert capsys.readouterr().out.count(".patch\n") == 3


def test_a_failed_check_names_every_problem(fork, capsys):
    fork.write("django/db/stray.py", "")
    fork.write("patches/stray.patch", "")
    assert cli.main(["check"], fork.root) == 1
    assert capsys.readouterr().err.count("\n") == 2


def test_an_error_is_one_message(fork, capsys):
    fork.edit("docs/index.txt", "* One", "* 1")
    fork.write("patches/series", "")
    assert cli.main(["checkout"], fork.root) == 1
    assert capsys.readouterr().err.startswith("fork.py: uncommitted changes")
    assert cli.main(["checkout", "--force"], fork.root) == 0
    assert capsys.readouterr().out == ""


def test_a_forced_checkout_says_what_it_leaves(fork, capsys):
    fork.git("commit", "--quiet", "--allow-empty", "--message", "Not exported")
    assert cli.main(["checkout", "--force"], fork.root) == 0
    assert capsys.readouterr().out.startswith("Left behind: ")


def test_the_build_takes_the_pinned_django():
    with open(ROOT / "pyproject.toml", "rb") as file:
        requires = tomllib.load(file)["build-system"]["requires"]
    assert requires[0].startswith(f"Django==={pristine.pin(ROOT).version} ;")
