"""
A database of a size, with the defaults of the settings of the test suite.
"""

import importlib
import sys
from pathlib import Path

import django
from django.conf import settings
from django.db import connection

DATABASES = ["sqlite", "postgresql", "mariadb"]
SCALES = {"tiny": 0.1, "x1": 1, "x10": 10, "x100": 100}
ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache" / "benchmarks"
# What runs in another process can't be measured, and neither can a compiler.
POSTGRESQL_OPTIONS = "-c max_parallel_workers_per_gather=0 -c jit=off"


def configure(db, size):
    """Set Django up with one database, which setup_tables() creates."""
    if db == "sqlite":
        CACHE.mkdir(parents=True, exist_ok=True)
        name = size if size == ":memory:" else CACHE / f"{size}.sqlite3"
        database = {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": name,
            "TEST": {"NAME": name},
        }
    else:
        sys.path.append(str(ROOT / "tools" / "settings"))
        database = importlib.import_module(f"suite_{db}").DATABASES["default"]
        database["TEST"]["NAME"] += f"_benchmarks_{size}"
        if db == "postgresql":
            database["NAME"] = "postgres"
            database["OPTIONS"] = {"options": POSTGRESQL_OPTIONS}
    settings.configure(
        DATABASES={"default": database},
        INSTALLED_APPS=["benchmarks"],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        USE_TZ=False,
    )
    django.setup()


def setup_tables():
    """Create the database and its tables unless they exist, and connect to it."""
    connection.creation.create_test_db(verbosity=0, keepdb=True, autoclobber=True)
