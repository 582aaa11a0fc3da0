"""
Check the documentation in the work tree, .fork/, as upstream does.

    python tools/docs.py
    python tools/docs.py html lint

html and spelling end at the first warning, as do references that lead nowhere; lint
and black are upstream's `make lint` and `make black`. Pages and doctrees go to
.tox/docs/. Debian and its kin have the inventories of the documentation that Django's
refers to as packages, so that no other site than theirs is needed.
"""

import argparse
import ctypes.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import services

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / ".fork/docs"
BUILD = ROOT / ".tox/docs"
SETTINGS = ROOT / "tools/settings/docs"
# Names as in intersphinx_mapping, and the packages that have their inventories.
PACKAGES = {
    "python": r"python3\.\d+-doc",
    "psycopg": r"python-psycopg-doc",
    "sphinx": r"sphinx-doc",
}
# Its own user can't write to our folders.
DOWNLOAD = ["apt-get", "--quiet=2", "--option=APT::Sandbox::User=root", "download"]


def fetch_inventories(folder):
    """Put the inventories that packages have into the folder, once."""
    folder.mkdir(parents=True, exist_ok=True)
    missing = [name for name in PACKAGES if not (folder / name).exists()]
    if not missing or not shutil.which("apt-get"):
        return
    found = packages(missing)
    if len(found) < len(missing) and not os.geteuid():
        services.run("apt-get", "update", "--quiet=2")
        found = packages(missing)
    for name, package in found.items():
        with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
            services.run(*DOWNLOAD, package, cwd=scratch)
            (archive,) = Path(scratch).glob("*.deb")
            services.run("dpkg-deb", "--extract", str(archive), scratch)
            # Other folders link to it.
            inventory, *_ = Path(scratch).glob("usr/share/doc/*/html/objects.inv")
            inventory.rename(folder / name)


def packages(names):
    """Return the newest package with each inventory, of those that apt knows."""
    known = services.run("apt-cache", "pkgnames", stdout=subprocess.PIPE).stdout.split()
    found = {}
    for name in names:
        matching = [known for known in known if re.fullmatch(PACKAGES[name], known)]
        if matching:
            found[name] = max(matching, key=lambda package: (len(package), package))
    return found


def sphinx(builder):
    inventories = BUILD / "inventories"
    fetch_inventories(inventories)
    services.run(
        *(sys.executable, "-m", "sphinx", "-b", builder, "-n", "-W", "-q"),
        *("-j", "auto", "-c", str(SETTINGS), "-d", str(BUILD / f"doctrees-{builder}")),
        *(str(DOCS), str(BUILD / builder)),
        env={**os.environ, "INVENTORIES": str(inventories)},
    )


def html():
    sphinx("html")
    print(f"file://{BUILD / 'html/index.html'}")


def spelling():
    if not ctypes.util.find_library("enchant-2"):
        services.install("libenchant-2-2", "hunspell-en-us")
    sphinx("spelling")


def lint():
    services.run(sys.executable, "lint.py", cwd=DOCS)


def black():
    pages = (page.relative_to(DOCS) for page in DOCS.rglob("*.txt"))
    pages = [str(page) for page in pages if not page.parts[0].startswith("_")]
    options = ["--check", "--rst-literal-block"]
    subprocess.run(["blacken-docs", *options, *pages], cwd=DOCS, check=True)


def main():
    checks = {check.__name__: check for check in (lint, black, html, spelling)}
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checks", nargs="*", metavar="check", help=", ".join(checks))
    names = parser.parse_args().checks or list(checks)
    for name in names:
        if name not in checks:
            parser.error(f"no such check: {name}")
    for name in names:
        try:
            checks[name]()
        except subprocess.CalledProcessError:
            sys.exit(f"docs.py: {name} failed")
    print(f"{', '.join(names)}: clean")


if __name__ == "__main__":
    main()
