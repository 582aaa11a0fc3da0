"""
The build backend (PEP 517, PEP 660): pristine Django + patches/ + overlay.

Needs no git, except to make a missing work tree for an editable installation.
"""

import sys

if sys.version_info < (3, 12):
    sys.exit(
        "This Django needs Python 3.12 or newer; this is Python %s."
        % sys.version.split()[0]
    )

import functools
import re
from pathlib import Path

import applier
import archive
import overlay
import pristine
import series
from archive import File
from common import ForkError

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ("django", "docs", "patches", "tests", "tools")
SOURCE_FILES = ("AUTHORS", "CONTRIBUTING.md", "LICENSE", "README.md", "pyproject.toml")
WHEEL = b"""\
Wheel-Version: 1.0
Generator: fork.py
Root-Is-Purelib: true
Tag: py3-none-any
"""


def hook(function):
    """Let the frontend show the message of an error rather than its traceback."""

    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        try:
            return function(*args, **kwargs)
        except (ForkError, applier.PatchError) as error:
            sys.exit(f"Cannot build Django: {error}")

    return wrapper


def upstream():
    """Return {path: File} of pristine Django, as the build environment has it."""
    return pristine.installed(pristine.pin(ROOT).version)


def patched(files):
    """Return {path: File} of django/ with the series and the overlay."""
    tree = {path: file for path, file in files.items() if path.startswith("django/")}
    claimed = set()
    for patch in series.read(ROOT):
        claimed.update(path for path in patch.overlay if path.startswith("django/"))
        try:
            changes = applier.apply(
                patch.diff,
                lambda path: tree[path].content if path in tree else None,
                wanted=lambda path: path.startswith("django/"),
            )
        except applier.PatchError as error:
            raise ForkError(f"patches/{patch.name}: {error}") from None
        for path, content in changes.items():
            tree[path] = tree[path]._replace(content=content)
    ours = set(overlay.files(ROOT, ["django"]))
    if ours != claimed or ours & set(tree):
        wrong = ", ".join(sorted((ours ^ claimed) | (ours & set(tree))))
        raise ForkError(f"not new, missing, or claimed by no patch's Overlay: {wrong}")
    return tree | {path: File((ROOT / path).read_bytes()) for path in ours}


def version(content):
    """Return the fork's version, which a patch adds to django/__init__.py."""
    match = re.search(rb'^__version__ = .* \+ "(\+[a-z0-9.]+)"$', content, re.M)
    if match is None:
        raise ForkError("django/__init__.py: no patch names the version of the fork")
    return pristine.pin(ROOT).version + match[1].decode()


def metadata(files, version):
    """Return the .dist-info folder's name and its {path: File}, upstream's own."""
    before = pristine.pin(ROOT).version
    info = f"django-{version}.dist-info"
    found = {f"{info}/WHEEL": File(WHEEL)}
    for path, file in files.items():
        name = path.partition(".dist-info/")[2]
        if name == "METADATA":
            old, new = f"\nVersion: {before}\n", f"\nVersion: {version}\n"
            content = file.content.replace(old.encode(), new.encode(), 1)
            found[f"{info}/{name}"] = File(content)
        elif name in ("entry_points.txt", "top_level.txt") or "licenses/" in name:
            found[f"{info}/{name}"] = file
    return info, found


@hook
def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    files = upstream()
    tree = patched(files)
    built = version(tree["django/__init__.py"].content)
    info, found = metadata(files, built)
    name = f"django-{built}-py3-none-any.whl"
    archive.wheel(Path(wheel_directory, name), tree | found, info)
    return name


@hook
def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    tree = ROOT / ".fork"
    if not tree.exists():
        import worktree

        worktree.checkout(ROOT)
    built = version((tree / "django/__init__.py").read_bytes())
    info, found = metadata(upstream(), built)
    name = f"django-{built}-0.editable-py3-none-any.whl"
    found["django_fork.pth"] = File(f"{tree}\n".encode())
    archive.wheel(Path(wheel_directory, name), found, info)
    return name


@hook
def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    files = upstream()
    built = version(patched(files)["django/__init__.py"].content)
    info, found = metadata(files, built)
    for path, file in found.items():
        target = Path(metadata_directory, path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.content)
    return info


@hook
def build_sdist(sdist_directory, config_settings=None):
    upstream_files = upstream()
    built = version(patched(upstream_files)["django/__init__.py"].content)
    info, found = metadata(upstream_files, built)
    paths = [name for name in SOURCE_FILES if (ROOT / name).exists()]
    paths += [f"{top}/{path}" for top in SOURCES for path in overlay.walk(ROOT / top)]
    files = {path: File((ROOT / path).read_bytes()) for path in paths}
    files["PKG-INFO"] = found[f"{info}/METADATA"]
    top = f"django-{built}"
    archive.sdist(Path(sdist_directory, f"{top}.tar.gz"), files, top)
    return f"{top}.tar.gz"
