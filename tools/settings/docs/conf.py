"""Upstream's configuration, with the inventories that are here as files."""

import os
from pathlib import Path

DOCS = Path(__file__).resolve().parents[3] / ".fork/docs"

# What its code finds from its own place, it finds from there.
__file__ = str(DOCS / "conf.py")
exec(compile(DOCS.joinpath("conf.py").read_bytes(), __file__, "exec"))
html_theme_path = [str(DOCS / path) for path in html_theme_path]  # NOQA: F821

for name in os.listdir(os.environ["INVENTORIES"]):
    url, _ = intersphinx_mapping[name]  # NOQA: F821
    intersphinx_mapping[name] = (  # NOQA: F821
        url,
        os.path.join(os.environ["INVENTORIES"], name),
    )

# What the inventories of Debian's releases do not have yet.
nitpick_ignore = [
    ("rst:role", "cve"),
    ("py:class", "psycopg:psycopg_pool.ConnectionPool"),
    ("py:attr", "BaseException.__cause__"),
]
