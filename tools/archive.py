"""Write wheels and source distributions that are the same, bit for bit."""

import base64
import gzip
import hashlib
import io
import os
import tarfile
import time
import zipfile
from typing import NamedTuple

FIRST = 315532800  # The first moment of 1980: zip archives know none before it.


class File(NamedTuple):
    content: bytes
    executable: bool = False

    @property
    def mode(self):
        return 0o755 if self.executable else 0o644


def moment():
    return max(int(os.environ.get("SOURCE_DATE_EPOCH", FIRST)), FIRST)


def wheel(path, files, info):
    """Write {path: File} and, at the end, those of the .dist-info folder `info`."""
    order = sorted(files, key=lambda name: (name.startswith(f"{info}/"), name))
    record = "".join(f"{name},{digest(files[name].content)}\n" for name in order)
    record += f"{info}/RECORD,,\n"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in [*order, f"{info}/RECORD"]:
            file = files.get(name) or File(record.encode())
            entry = zipfile.ZipInfo(name, time.gmtime(moment())[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix, wherever it is built.
            entry.external_attr = (0o100000 | file.mode) << 16
            archive.writestr(entry, file.content)


def digest(content):
    sha256 = base64.urlsafe_b64encode(hashlib.sha256(content).digest())
    return f"sha256={sha256.decode().rstrip('=')},{len(content)}"


def sdist(path, files, top):
    """Write {path: File} below the folder `top`."""
    with (
        open(path, "wb") as raw,
        gzip.GzipFile("", "wb", 9, raw, mtime=moment()) as packed,
        tarfile.open(fileobj=packed, mode="w") as archive,
    ):
        for name in sorted(files):
            entry = tarfile.TarInfo(f"{top}/{name}")
            entry.size = len(files[name].content)
            entry.mode = files[name].mode
            entry.mtime = moment()
            archive.addfile(entry, io.BytesIO(files[name].content))
