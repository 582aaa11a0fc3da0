from suite_base import *  # NOQA: F403
from suite_base import databases

DATABASES = databases("postgresql", "127.0.0.1", "5432", "postgres")
