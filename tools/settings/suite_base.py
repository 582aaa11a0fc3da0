"""What the settings for the test suite have in common."""

import os

SECRET_KEY = "django_tests_secret_key"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
USE_TZ = False


def databases(engine, host, port, user, password="", **test):
    """Return the two databases that the suite needs."""
    prefix = os.environ.get("TEST_DATABASE_PREFIX", "")
    return {
        alias: {
            "ENGINE": f"django.db.backends.{engine}",
            "NAME": f"{prefix}django_{alias}",
            "HOST": os.environ.get("TEST_DATABASE_HOST", host),
            "PORT": os.environ.get("TEST_DATABASE_PORT", port),
            "USER": os.environ.get("TEST_DATABASE_USER", user),
            "PASSWORD": os.environ.get("TEST_DATABASE_PASSWORD", password),
            "TEST": {"NAME": f"test_{prefix}django_{alias}", **test},
        }
        for alias in ("default", "other")
    }
