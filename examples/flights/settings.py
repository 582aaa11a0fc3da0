"""
FLIGHTS_DB chooses the database: "sqlite" (the default), "postgresql" or
"mariadb". FLIGHTS_HOST, FLIGHTS_USER and FLIGHTS_PASSWORD override how a server
is reached.
"""

from os import environ
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

DATABASE = environ.get("FLIGHTS_DB", "sqlite")


def server(engine, user):
    return {
        "ENGINE": f"django.db.backends.{engine}",
        "NAME": "flights_demo",
        "HOST": environ.get("FLIGHTS_HOST", "127.0.0.1"),
        "USER": environ.get("FLIGHTS_USER", user),
        "PASSWORD": environ.get("FLIGHTS_PASSWORD", ""),
    }


CHOICES = {
    "sqlite": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": Path(__file__).with_name("flights.sqlite3"),
    },
    "postgresql": server("postgresql", "postgres"),
    "mariadb": server("mysql", "root"),
}

if DATABASE not in CHOICES:
    raise ImproperlyConfigured(
        f"FLIGHTS_DB is {DATABASE!r}; choose one of {', '.join(CHOICES)}."
    )

DATABASES = {"default": CHOICES[DATABASE]}
INSTALLED_APPS = ["flights"]
SECRET_KEY = "a demonstration without users"
USE_TZ = True
TIME_ZONE = "UTC"
