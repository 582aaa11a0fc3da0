"""
W1 to W3, unchanged, over tables that three PostgreSQL servers hold a third of
each: python -m benchmarks.partitions --size x10

The servers are started for the purpose, beside the one of the test settings, whose
tables are partitioned by hash and whose partitions are foreign tables. The rows must
equal those of ordinary tables; what each server is asked is written to
results/partitions.md.
"""

import argparse
import os
import shutil
import subprocess
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connections

from . import connect
from .report import row

SERVERS = 3
PORT = 5440
OPTIONS = ["fsync=off", "listen_addresses=127.0.0.1"]
# By default the planner neither joins nor groups partition by partition.
PLANNER = ["enable_partitionwise_join", "enable_partitionwise_aggregate"]
EXTENSION = "CREATE EXTENSION IF NOT EXISTS postgres_fdw"
SERVER = """
    CREATE SERVER shard{number} FOREIGN DATA WRAPPER postgres_fdw OPTIONS (
        host '127.0.0.1', port '{port}', dbname 'postgres',
        fetch_size '10000', batch_size '10000'
    );
    CREATE USER MAPPING FOR CURRENT_USER SERVER shard{number}
        OPTIONS (user 'postgres');
"""
PARTITION = """
    CREATE FOREIGN TABLE {table}_{number} PARTITION OF {table}
    FOR VALUES WITH (MODULUS {servers}, REMAINDER {number})
    SERVER shard{number} OPTIONS (table_name '{table}')
"""


@contextmanager
def server(number):
    """Run a server of its own, without any regard for durability."""
    [*_, binaries] = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    account = {"user": "postgres", "group": "postgres"} if os.geteuid() == 0 else {}
    with tempfile.TemporaryDirectory() as directory:
        if account:
            shutil.chown(directory, "postgres", "postgres")
        data = Path(directory) / "data"

        def run(program, *arguments):
            subprocess.run(
                [binaries / program, f"--pgdata={data}", *arguments],
                check=True,
                stdout=subprocess.DEVNULL,
                cwd=directory,
                **account,
            )

        run("initdb", "--auth=trust", "--username=postgres", "--no-sync")
        options = [f"port={PORT + number}", f"unix_socket_directories={directory}"]
        flags = " ".join(f"-c {option}" for option in OPTIONS + options)
        run("pg_ctl", "start", f"--log={directory}/log", f"--options={flags}")
        try:
            yield
        finally:
            run("pg_ctl", "stop", "--mode=immediate")


def add_connections():
    """Configure the database of partitions and those that hold them."""
    default = settings.DATABASES["default"]
    connections.settings["partitioned"] = default | {
        "NAME": "benchmarks_partitioned",
        "OPTIONS": {"options": " ".join(f"-c {name}=on" for name in PLANNER)},
    }
    for number in range(SERVERS):
        connections.settings[f"shard{number}"] = default | {
            "NAME": "postgres",
            "PORT": PORT + number,
            "USER": "postgres",
        }


def execute(alias, sql):
    with connections[alias].cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else []


def create_tables(models, keys):
    """Create the tables where their rows are, and as partitions of one table."""
    for number in range(SERVERS):
        # A row may refer to one of another server.
        with connections[f"shard{number}"].schema_editor() as editor:
            for model in models:
                editor.create_model(model)
            editor.deferred_sql = [
                statement
                for statement in editor.deferred_sql
                if "FOREIGN KEY" not in str(statement)
            ]
    for number in range(SERVERS):
        execute("partitioned", SERVER.format(number=number, port=PORT + number))
    for model in models:
        table = model._meta.db_table
        columns = ", ".join(
            f"{field.column} {field.rel_db_type(connections['partitioned'])}"
            for field in model._meta.local_fields
        )
        execute(
            "partitioned",
            f"CREATE TABLE {table} ({columns}) PARTITION BY HASH ({keys[model]})",
        )
        for number in range(SERVERS):
            partition = {"table": table, "servers": SERVERS, "number": number}
            execute("partitioned", PARTITION.format(**partition))


def copy_rows(models):
    """Send the rows of the ordinary tables through the partitioned ones."""
    for model in models:
        table = model._meta.db_table
        columns = ", ".join(field.column for field in model._meta.local_fields)
        with (
            connections["default"].cursor() as source,
            connections["partitioned"].cursor() as target,
        ):
            with (
                source.copy(f"COPY {table} ({columns}) TO STDOUT") as rows,
                target.copy(f"COPY {table} ({columns}) FROM STDIN") as copies,
            ):
                for data in rows:
                    copies.write(data)
        execute("partitioned", f"ANALYZE {table}")


def timed(queryset):
    start = time.perf_counter()
    rows = list(queryset)
    return sorted(rows, key=str), 1000 * (time.perf_counter() - start)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", choices=connect.SCALES, default="x10")
    parser.add_argument(
        "--output",
        type=Path,
        default=Path(__file__).parent / "results" / "partitions.md",
    )
    options = parser.parse_args()
    connect.configure("postgresql", options.size)
    connect.setup_tables()
    # Models can be imported from now on.
    from .data import load
    from .models import Account, Car, Event, Record, Topic, Transfer
    from .workloads import W1, W2, W3

    # A row and what refers to it are on one server, except for transfers, each of
    # which refers to two accounts.
    keys = {Topic: "id", Record: "topic_id", Car: "id", Event: "car_id"}
    keys |= {Account: "id", Transfer: "id"}
    load(keys, options.size)
    with ExitStack() as servers:
        for number in range(SERVERS):
            servers.enter_context(server(number))
        add_connections()
        execute("default", "DROP DATABASE IF EXISTS benchmarks_partitioned")
        execute("default", "CREATE DATABASE benchmarks_partitioned")
        execute("partitioned", EXTENSION)
        create_tables(keys, keys)
        copy_rows(keys)
        lines = ["# Partitions on three servers", ""]
        lines += [
            row("join", "rows", "one server, ms", "three, ms"),
            "|---|---|---|---|",
        ]
        plans = []
        for workload, name in [
            (W1(), "queryset"),
            (W1(), "table"),
            (W2(), "grouped"),
            (W2(), "flat"),
            (W3(), "grouped"),
        ]:
            form = getattr(workload, f"joins_{name}")
            title = f"{type(workload).__name__} {name}"
            expected, alone = timed(form().using("default"))
            rows, together = timed(form().using("partitioned"))
            if rows != expected:
                raise SystemExit(f"{title} returns other rows than on one server.")
            lines.append(
                row(title, f"{len(rows):,}", f"{alone:.0f}", f"{together:.0f}")
            )
            print(lines[-1], flush=True)
            plan = form().using("partitioned").explain(verbose=True, costs=False)
            plans += ["", f"## {title}", "", "```", plan, "```"]
        for alias in connections.settings:
            connections[alias].close()
    execute("default", "DROP DATABASE benchmarks_partitioned")
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text("\n".join(lines + plans) + "\n")


if __name__ == "__main__":
    main()
