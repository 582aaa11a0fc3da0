"""
Have PostgreSQL and MariaDB answer on 127.0.0.1, for tests: services.py [name ...]

What already answers stays as it is. Otherwise, as root on Debian and its kin, install
what is missing and start it without any regard for durability. A server installed
here lets in postgres, respectively root, without a password from 127.0.0.1.
"""

import argparse
import glob
import os
import shutil
import socket
import subprocess
import sys
import time

WAIT = 60  # Seconds for a server to come up.


def run(*command, **options):
    print("+", " ".join(command), file=sys.stderr)
    return subprocess.run(command, check=True, text=True, **options)


def install(*packages):
    if os.geteuid():
        sys.exit("services.py: run as root to install " + " ".join(packages))
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    options = ["--yes", "--quiet=2", "--no-install-recommends"]
    try:
        run("apt-get", "install", *options, *packages, env=env)
    except subprocess.CalledProcessError:  # The lists of packages are old, or absent.
        run("apt-get", "update", "--quiet=2", env=env)
        run("apt-get", "install", *options, *packages, env=env)


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def wait(name, *command, log="its log"):
    """Wait until the command succeeds."""
    for _ in range(WAIT):
        if not subprocess.run(command, capture_output=True).returncode:
            return
        time.sleep(1)
    sys.exit(f"services.py: {name} does not answer on 127.0.0.1; see {log}")


class PostgreSQL:
    port = 5432
    options = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off"

    def present(self):
        return shutil.which("pg_ctlcluster") and glob.glob("/etc/postgresql/*/*")

    def install(self):
        install("postgresql")
        if not self.present():
            sys.exit("services.py: the package postgresql made no cluster")
        for path in glob.glob("/etc/postgresql/*/*/pg_hba.conf"):
            with open(path, "r+") as file:
                rules = file.read()
                file.seek(0)
                file.write("host all all 127.0.0.1/32 trust\n" + rules)

    def start(self):
        *_, cluster = sorted(glob.glob("/etc/postgresql/*/*"))
        version, name = cluster.split(os.sep)[-2:]
        control = ["pg_ctlcluster", version, name]
        # Where installing it started it, it knows neither the rule nor the options.
        subprocess.run([*control, "stop"], capture_output=True)
        run(*control, "start", "-o", self.options)
        wait("PostgreSQL", "pg_isready", "--quiet", "--host=127.0.0.1")

    def prepare(self):
        pass


class MariaDB:
    port = 3306
    client = ["mariadb", "--host=127.0.0.1", "--user=root"]
    socket = "/run/mysqld/mysqld.sock"
    log = "/run/mysqld/error.log"
    options = [
        f"--log-error={log}",
        "--user=mysql",
        "--bind-address=127.0.0.1",
        f"--socket={socket}",
        "--innodb-flush-log-at-trx-commit=0",
        "--innodb-doublewrite=0",
        "--sync-binlog=0",
    ]
    # With and without the resolution of names.
    accounts = """
        ALTER USER root@localhost IDENTIFIED BY '';
        CREATE USER root@127.0.0.1 IDENTIFIED BY '';
        GRANT ALL ON *.* TO root@127.0.0.1 WITH GRANT OPTION;
    """
    installed = False

    def present(self):
        return shutil.which("mariadbd")

    def install(self):
        install("mariadb-server", "tzdata")
        self.installed = True

    def start(self):
        os.makedirs("/run/mysqld", exist_ok=True)
        shutil.chown("/run/mysqld", "mysql", "mysql")
        local = ["--protocol=socket", f"--socket={self.socket}"]
        subprocess.run(["mariadb-admin", *local, "shutdown"], capture_output=True)
        print("+ mariadbd", *self.options, file=sys.stderr)
        subprocess.Popen(  # It goes on when this script is done.
            ["mariadbd", *self.options],
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait("MariaDB", "mariadb-admin", *local, "status", log=self.log)
        if self.installed:
            run("mariadb", *local, "--user=root", f"--execute={self.accounts}")
        wait("MariaDB", "mariadb-admin", *self.client[1:], "status", log=self.log)

    def prepare(self):
        """Load the time zones, where there are none."""
        query = "SELECT EXISTS (SELECT 1 FROM mysql.time_zone_name)"
        try:
            count = subprocess.run(
                [*self.client, "--skip-column-names", f"--execute={query}"],
                capture_output=True,
                text=True,
            )
        except FileNotFoundError:
            return  # The server is a container's, and so is its client.
        if count.returncode:
            print(f"MariaDB does not let root in: {count.stderr}", file=sys.stderr)
        if count.stdout.strip() == "0":
            zones = run(
                "mariadb-tzinfo-to-sql", "/usr/share/zoneinfo", stdout=subprocess.PIPE
            )
            run(*self.client, "mysql", input=zones.stdout)


def headers():
    """Install what it takes to build mysqlclient."""
    found = shutil.which("pkg-config") and not subprocess.call(
        ["pkg-config", "--exists", "libmariadb"]
    )
    if not found or not shutil.which("gcc"):
        install("gcc", "libc6-dev", "libmariadb-dev", "pkg-config")


def main():
    services = {"postgresql": PostgreSQL, "mariadb": MariaDB}
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join(services))
    names = parser.parse_args().names or list(services)
    for name in names:
        if name not in services:
            parser.error(f"no such service: {name}")
    for name in names:
        service = services[name]()
        if not answers(service.port):
            if not service.present():
                service.install()
            service.start()
        service.prepare()
    if "mariadb" in names:
        headers()


if __name__ == "__main__":
    main()
