import base64
import csv
import hashlib
import io
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from conftest import TREE

METADATA = """\
Metadata-Version: 2.4
Name: Django
Version: 6.1.3
Requires-Python: >=3.12
Requires-Dist: asgiref>=3.9.1

The text says
Version: 6.1.3
"""
INFO = "django-6.1.3.dist-info"


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A folder where pip installed pristine Django."""
    files = {path: text for path, text in TREE.items() if path.startswith("django/")}
    files |= {
        f"{INFO}/METADATA": METADATA,
        f"{INFO}/INSTALLER": "pip\n",
        f"{INFO}/entry_points.txt": "[console_scripts]\ndjango-admin = d:run\n",
        f"{INFO}/licenses/LICENSE": "BSD\n",
    }
    site = tmp_path / "site"
    record = ""
    for path, text in files.items():
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_text(text, "utf-8", newline="")
        record += f"{path},{digest(text.encode())},{len(text)}\n"
    (site / f"{INFO}/RECORD").write_text(record + f"{INFO}/RECORD,,\n", "utf-8")
    (site / "django/db/query.py").chmod(0o755)
    (site / "django/stray.py").write_text("")
    monkeypatch.syspath_prepend(site)
    return site


@pytest.fixture
def backend(fork, site, monkeypatch):
    import backend

    monkeypatch.setattr(backend, "ROOT", fork.root)
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    return backend


def digest(content):
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest())
    return "sha256=" + digest.decode().rstrip("=")


def built(backend, folder, hook="build_wheel"):
    folder.mkdir(parents=True)
    return folder / getattr(backend, hook)(str(folder))


def test_the_wheel_is_pristine_patched_and_overlaid(backend, fork, tmp_path):
    wheel = built(backend, tmp_path / "a")
    assert wheel.name == "django-6.1.3+joins.1-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        found = {name: archive.read(name) for name in archive.namelist()}
        modes = {info.filename: info.external_attr >> 16 for info in archive.infolist()}
    info = "django-6.1.3+joins.1.dist-info"
    tree = [f"{'django/'}{path}" for path in (
        "__init__.py", "db/alias.py", "db/ends.py", "db/joins/__init__.py",
        "db/joins/joined.py", "db/query.py",
    )]  # fmt: skip
    parts = ("METADATA", "WHEEL", "entry_points.txt", "licenses/LICENSE", "RECORD")
    assert list(found) == tree + [f"{info}/{name}" for name in parts]
    for path in tree:
        assert found[path] == (fork.tree / path).read_bytes()
    assert found[f"{info}/METADATA"].decode() == METADATA.replace(
        "Version: 6.1.3\n", "Version: 6.1.3+joins.1\n", 1
    )
    assert modes["django/db/query.py"] == 0o100755
    assert modes["django/db/alias.py"] == 0o100644
    record = list(csv.reader(io.StringIO(found[f"{info}/RECORD"].decode())))
    assert record.pop() == [f"{info}/RECORD", "", ""]
    assert record == [
        [name, digest(found[name]), str(len(found[name]))] for name in list(found)[:-1]
    ]


def test_the_wheel_is_the_same_again(backend, fork, tmp_path, monkeypatch):
    first = built(backend, tmp_path / "a").read_bytes()
    (fork.root / "django/db/alias.py").touch()
    fork.write("django/db/__pycache__/alias.pyc", "")
    assert built(backend, tmp_path / "b").read_bytes() == first
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1762177429")
    with zipfile.ZipFile(built(backend, tmp_path / "c")) as archive:
        assert {i.date_time for i in archive.infolist()} == {(2025, 11, 3, 13, 43, 48)}


def test_an_sdist_builds_the_same_wheel(backend, tmp_path, monkeypatch):
    first = built(backend, tmp_path / "a").read_bytes()
    sdist = built(backend, tmp_path / "b", "build_sdist")
    assert sdist.name == "django-6.1.3+joins.1.tar.gz"
    again = built(backend, tmp_path / "c", "build_sdist")
    assert again.read_bytes() == sdist.read_bytes()
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    root = tmp_path / "django-6.1.3+joins.1"
    assert "Version: 6.1.3+joins.1\n" in (root / "PKG-INFO").read_text()
    assert (root / "tests/joins/tests.py").exists()
    monkeypatch.setattr(backend, "ROOT", root)
    monkeypatch.setenv("PATH", "")
    assert built(backend, tmp_path / "d").read_bytes() == first


def test_the_metadata_is_the_wheels(backend, tmp_path):
    info = backend.prepare_metadata_for_build_wheel(str(tmp_path))
    with zipfile.ZipFile(built(backend, tmp_path / "a")) as archive:
        for path in (tmp_path / info).rglob("*.*"):
            name = path.relative_to(tmp_path).as_posix()
            assert archive.read(name) == path.read_bytes()


def test_an_editable_wheel_points_at_the_work_tree(backend, fork, tmp_path):
    wheel = built(backend, tmp_path / "a", "build_editable")
    with zipfile.ZipFile(wheel) as archive:
        assert archive.read("django_fork.pth").decode() == f"{fork.tree}\n"
        assert not [name for name in archive.namelist() if name.startswith("django/")]


def test_an_editable_wheel_makes_the_work_tree(backend, fork, tmp_path, monkeypatch):
    shutil.rmtree(fork.tree)
    with monkeypatch.context() as patch, pytest.raises(SystemExit) as error:
        patch.setenv("PATH", "")
        built(backend, tmp_path / "a", "build_editable")
    assert "git is not installed" in str(error.value)
    built(backend, tmp_path / "b", "build_editable")
    assert (fork.tree / "django/db/joins").is_symlink()


def refusal(backend, tmp_path):
    with pytest.raises(SystemExit) as error:
        built(backend, tmp_path / "refused")
    assert not list((tmp_path / "refused").iterdir())
    return str(error.value)


def test_refuses_another_version(backend, site, tmp_path):
    path = site / INFO / "METADATA"
    path.write_text(METADATA.replace("6.1.3", "6.1.3+joins.1"))
    message = "it takes pristine Django 6.1.3 to build, not 6.1.3+joins.1"
    assert message in refusal(backend, tmp_path)


def test_refuses_a_tampered_django(backend, site, tmp_path):
    (site / "django/db/ends.py").write_text("tampered")
    message = "django/db/ends.py: not the file that Django 6.1.3 installs"
    assert message in refusal(backend, tmp_path)


def test_refuses_a_patch_that_does_not_apply(backend, fork, tmp_path):
    path = fork.root / "patches/orm-second.patch"
    path.write_bytes(path.read_bytes().replace(b" line 29 of", b" line 1000 of"))
    message = "patches/orm-second.patch: django/db/query.py: hunk 1 (line 27)"
    assert message in refusal(backend, tmp_path)


def test_refuses_files_that_nobody_claims_and_misses_none(backend, fork, tmp_path):
    fork.write("django/stowaway.py", "")
    (fork.root / "django/db/alias.py").unlink()
    message = refusal(backend, tmp_path)
    assert message.endswith("django/db/alias.py, django/stowaway.py")


def test_an_older_python_hears_why():
    tools = Path(__file__).parent.parent
    for name in ("fork.py", "backend.py"):
        code = (
            "import sys; sys.version_info = (3, 11, 7);"
            f"exec(compile(open({name!r}).read(), {name!r}, 'exec'))"
        )
        command = [sys.executable, "-c", code]
        run = subprocess.run(command, cwd=tools, capture_output=True, text=True)
        assert run.returncode == 1
        assert "needs Python 3.12 or newer" in run.stderr
        assert "Traceback" not in run.stderr
