from suite_base import *  # NOQA: F403
from suite_base import databases

DATABASES = databases(
    "mysql",
    "127.0.0.1",
    "3306",
    "root",
    CHARSET="utf8mb4",
    COLLATION="utf8mb4_general_ci",
)
