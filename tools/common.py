"""What every module of the tool needs."""

import os
from pathlib import Path


class ForkError(Exception):
    """Something that the user can put right. The message says what."""


def replace(path, content):
    """Write the file in one step, and only if it changes."""
    if path.exists() and path.read_bytes() == content:
        return
    partial = Path(f"{path}.tmp")
    partial.write_bytes(content)
    os.replace(partial, path)
