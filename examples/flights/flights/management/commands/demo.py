from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import OperationalError, connection
from django.db.utils import ConnectionHandler


class Command(BaseCommand):
    help = "Creates the database where it is absent, loads it and runs the reports."
    # MariaDB's checks connect to the database, which may not exist yet.
    requires_system_checks = []

    def handle(self, **options):
        create_database()
        for command in ("migrate", "load_flights", "reports"):
            call_command(command)


def create_database():
    try:
        connection.ensure_connection()
    except OperationalError:
        settings = connection.settings_dict
        server = ConnectionHandler({"default": {**settings, "NAME": None}})["default"]
        name = server.ops.quote_name(settings["NAME"])
        with server.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name}")
        server.close()
