"""Pristine Django: which one, and where the package index's client puts it."""

import base64
import hashlib
import importlib.metadata
import os
import re
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass

from archive import File
from common import ForkError


@dataclass(frozen=True)
class Pin:
    """What tools/pristine.txt pins."""

    version: str
    sha256: str
    base: str


def pin(root):
    text = (root / "tools/pristine.txt").read_text("utf-8")
    match = re.search(r"^Django===(\S+) --hash=sha256:(\w{64})$", text, re.M)
    base = re.search(r"^# base: (\w{40})$", text, re.M)
    if match is None or base is None:
        raise ForkError("tools/pristine.txt: no pinned Django, or no base commit")
    return Pin(*match.groups(), base[1])


def sdist(root):
    """Return the path of the source distribution, fetched once by pip."""
    wanted = pin(root).sha256
    cached = root / f".cache/{wanted}.tar.gz"
    if not cached.exists() or sha256(cached.read_bytes()).hex() != wanted:
        pinned = root / "tools/pristine.txt"
        fetch(cached, "--require-hashes", f"--requirement={pinned}")
    return cached


def release(root, version):
    """Return the path of any release's source distribution, fetched once by pip."""
    cached = root / f".cache/Django-{version}.tar.gz"
    if not cached.exists():
        fetch(cached, f"Django==={version}")
    return cached


def fetch(target, *what):
    """Have pip fetch a source distribution of Django, which goes to the target."""
    target.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="sdist-", dir=target.parent) as folder:
        print("Fetching Django's source distribution (a minute)…", file=sys.stderr)
        # fmt: off
        command = [
            sys.executable, "-m", "pip", "download", "--quiet", "--no-deps",
            "--no-binary=:all:", f"--dest={folder}", *what,
        ]
        # fmt: on
        # During an isolated build, the frontend's variables are not for this pip.
        ours = ("PYTHONPATH", "_PYPROJECT_HOOKS_", "PEP517_")
        env = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
        if subprocess.run(command, env=env).returncode:
            raise ForkError("pip did not fetch Django's source distribution")
        (name,) = os.listdir(folder)
        os.replace(os.path.join(folder, name), target)


def members(sdist):
    """Yield (path, member, archive) of each file in a source distribution."""
    with tarfile.open(sdist) as archive:
        for member in archive:
            _, _, path = member.name.partition("/")
            # Its metadata would make the work tree look like an installed Django.
            if member.isfile() and not path.startswith("Django.egg-info/"):
                yield path, member, archive


def contents(root):
    """Return {path: content} of the pristine tree."""
    return unpacked(sdist(root))


def unpacked(sdist):
    """Return {path: content} of a source distribution."""
    return {path: archive.extractfile(m).read() for path, m, archive in members(sdist)}


def sha256(content):
    return hashlib.sha256(content).digest()


def installed(version):
    """
    Return {path: File} of the Django that pip installed for the build.

    Every file is what its RECORD says, and the version is the one asked for.
    """
    distribution = importlib.metadata.distribution("Django")
    if distribution.version != version:
        raise ForkError(
            f"it takes pristine Django {version} to build, not "
            f"{distribution.version}; install Django==={version}, or build in isolation"
        )
    found = {}
    for file in distribution.files or ():
        if file.hash is None:  # RECORD itself and byte code.
            continue
        content = file.locate().read_bytes()
        digest = base64.urlsafe_b64encode(sha256(content)).decode().rstrip("=")
        if (file.hash.mode, file.hash.value) != ("sha256", digest):
            raise ForkError(f"{file}: not the file that Django {version} installs")
        executable = bool(file.locate().stat().st_mode & 0o100)
        found[file.as_posix()] = File(content, executable)
    return found
