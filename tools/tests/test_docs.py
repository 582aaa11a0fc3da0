import subprocess
from pathlib import Path

import pytest

import docs

KNOWN = "python3.9-doc python3.11-doc python3.11-doc-fr python3-doc sphinx-doc"


@pytest.fixture
def apt(monkeypatch):
    """Return what was downloaded by an apt that knows some packages."""
    downloaded = []

    def run(*command, cwd=None, **options):
        if command[0] == "apt-cache":
            return subprocess.CompletedProcess(command, 0, KNOWN)
        if command[: len(docs.DOWNLOAD)] == tuple(docs.DOWNLOAD):
            downloaded.append(command[-1])
            (Path(cwd) / f"{command[-1]}_1.deb").touch()
        if command[0] == "dpkg-deb":
            inventory = Path(command[-1], "usr/share/doc/x/html/objects.inv")
            inventory.parent.mkdir(parents=True)
            inventory.touch()

    monkeypatch.setattr(docs.services, "run", run)
    monkeypatch.setattr(docs.shutil, "which", lambda name: f"/usr/bin/{name}")
    return downloaded


def test_fetches_inventories_once(apt, tmp_path):
    docs.fetch_inventories(tmp_path / "inventories")
    assert apt == ["python3.11-doc", "sphinx-doc"]
    docs.fetch_inventories(tmp_path / "inventories")
    assert apt == ["python3.11-doc", "sphinx-doc"]
    names = sorted(path.name for path in (tmp_path / "inventories").iterdir())
    assert names == ["python", "sphinx"]


def test_needs_no_packages_elsewhere(apt, monkeypatch, tmp_path):
    monkeypatch.setattr(docs.shutil, "which", lambda name: None)
    docs.fetch_inventories(tmp_path)
    assert not apt


def test_names_the_check_that_failed(monkeypatch):
    def lint():
        pass

    def spelling():
        raise subprocess.CalledProcessError(1, "sphinx")

    monkeypatch.setattr(docs, "lint", lint)
    monkeypatch.setattr(docs, "spelling", spelling)
    monkeypatch.setattr(docs.sys, "argv", ["docs.py", "lint", "spelling"])
    with pytest.raises(SystemExit, match="spelling failed"):
        docs.main()
