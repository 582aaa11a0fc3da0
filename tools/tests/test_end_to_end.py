"""The fork itself, through pip. Run by `pytest -m slow`."""

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent

pytestmark = pytest.mark.slow


def run(*command, **options):
    run = subprocess.run(command, capture_output=True, text=True, **options)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout.strip()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return build(ROOT, tmp_path_factory.mktemp("wheel"))


def build(source, folder, **options):
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
    run(*pip, f"--wheel-dir={folder}", str(source), **options)
    (wheel,) = folder.iterdir()
    return wheel


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_wheel_is_reproducible(wheel, tmp_path):
    assert sha256(build(ROOT, tmp_path, umask=0o077)) == sha256(wheel)


def test_the_sdist_builds_the_same_wheel(wheel, tmp_path):
    code = "import backend, sys; print(backend.build_sdist(sys.argv[1]))"
    python = environment(tmp_path / "venv", "Django===6.1.3", "unidiff~=1.0")
    sdist = tmp_path / run(python, "-c", code, str(tmp_path), cwd=ROOT / "tools")
    (tmp_path / "wheel").mkdir()
    built = build(sdist, tmp_path / "wheel", env=os.environ | {"PATH": ""})
    assert sha256(built) == sha256(wheel)


def test_it_takes_the_place_of_django_and_gives_it_back(wheel, tmp_path):
    python = environment(tmp_path / "venv", "Django===6.1.3")
    version = [python, "-c", "import django; print(django.VERSION, django.__version__)"]
    stock = run(*version)
    run(python, "-m", "pip", "install", "--quiet", str(wheel))
    assert run(*version) == stock + "+joins.1"
    assert run(python, "-m", "pip", "check") == "No broken requirements found."
    run(python, "-m", "pip", "install", "--quiet", "Django===6.1.3")
    assert run(*version) == stock
    assert run(python, "-m", "pip", "check") == "No broken requirements found."


def environment(folder, *requirements):
    venv.create(folder, with_pip=True)
    python = folder / "bin/python"
    run(python, "-m", "pip", "install", "--quiet", *requirements)
    return python
