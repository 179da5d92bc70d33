"""A throw-away PostgreSQL server, for gateways that keep their data there."""

import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from .ports import free_port

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "max_connections": "200",
}


def programs():
    """The folder of the server's programs, the newest where there are several; `None` where there are none."""
    folders = [initdb.parent for initdb in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    return max(folders, key=lambda folder: int(folder.parent.name), default=None)


class Postgres:
    """One server; `database` gives the URL of a new database on it."""

    def __init__(self, **settings):
        self.programs = programs()
        assert self.programs, "PostgreSQL is not installed"
        self.home = Path(tempfile.mkdtemp(prefix="e2e-postgres-"))
        self.port = free_port()
        self.numbers = itertools.count()
        # The server refuses to run as root.
        self.user = "nobody" if os.getuid() == 0 else None
        if self.user:
            shutil.chown(self.home, self.user)
        self.run("initdb", "-D", self.home / "data", "-U", "postgres", "-A", "trust", "-N", "-E", "UTF8", "--locale=C")
        settings = {**SETTINGS, **settings}
        settings = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        self.command = [self.programs / "postgres", "-D", self.home / "data", "-p", str(self.port), *settings]
        self.begin()

    def begin(self):
        """Starts the server, at first or after `halt`."""
        with (self.home / "server.log").open("ab") as log:
            self.process = subprocess.Popen(self.command, user=self.user, cwd=self.home, stdout=log, stderr=log)
        self.wait_ready()

    def halt(self, number=signal.SIGINT):
        """Ends the server and keeps its data: SIGINT breaks connections off, SIGQUIT is like a crash."""
        self.process.send_signal(number)
        self.process.wait(30)

    def run(self, program, *arguments):
        command = [self.programs / program, *arguments]
        done = subprocess.run(command, user=self.user, cwd=self.home, capture_output=True, text=True)
        assert done.returncode == 0, f"{program}: {done.stdout}{done.stderr}"

    def wait_ready(self, seconds=30):
        until = time.monotonic() + seconds
        ready = [self.programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        while subprocess.run(ready).returncode != 0:
            assert self.process.poll() is None and time.monotonic() < until, (self.home / "server.log").read_text()
            time.sleep(0.05)

    def database(self):
        name = f"e2e_{next(self.numbers)}"
        self.run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", name)
        return f"postgresql://postgres@127.0.0.1:{self.port}/{name}"

    def stop(self):
        self.process.terminate()
        self.process.wait(30)
        shutil.rmtree(self.home, ignore_errors=True)
