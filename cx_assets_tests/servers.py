"""Real servers for tests, each of its own folder and port, gone with the test: PostgreSQL, MariaDB, S3 and HTTP.

The first two are started from their installed programs, so that a developer and the continuous integration do the same.
Where they are missing the tests fail and say what to install: a skipped test proves nothing.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

CANARY = "canary-1f!e'p w"
"""The password of the servers: of no use elsewhere, hard to quote, easy to find again."""


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def program(name: str, package: str) -> str:
    """The path of a server's program."""
    folders = [os.environ["PATH"], "/usr/sbin", *map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin")))]
    found = shutil.which(name, path=os.pathsep.join(folders))
    assert found, f"{name} is not installed, which this test needs: apt-get install {package}"
    return found


def unprivileged(user: str, folder: Path) -> list[str]:
    """What runs a command as somebody else than root, as servers of databases want it; that user gets the folder."""
    if os.geteuid() != 0:
        return []
    shutil.chown(folder, user)
    return ["runuser", "-u", user, "--"]


@contextmanager
def postgres() -> Iterator[dict[str, Any]]:
    """A PostgreSQL server: how to connect to it, and how to `stop` it."""
    # A socket's path is short, and pytest's folders are closed to others.
    folder = Path(tempfile.mkdtemp(prefix="cx_postgres_"))
    port = free_port()
    (folder / "password").write_text(CANARY)
    user = unprivileged("postgres", folder)
    pg_ctl = [*user, program("pg_ctl", "postgresql"), "-D", str(folder / "data"), "-w"]
    try:
        initdb = [program("initdb", "postgresql"), "-D", str(folder / "data"), "-U", "cx", "--no-sync", "-E", "UTF8"]
        subprocess.run(
            [*user, *initdb, "-A", "scram-sha-256", f"--pwfile={folder / 'password'}"],
            check=True, capture_output=True, cwd=folder,
        )  # fmt: skip
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        subprocess.run(
            [*pg_ctl, "-o", options, "-l", str(folder / "log"), "start"], check=True, cwd=folder,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        stop = partial(subprocess.run, [*pg_ctl, "-m", "immediate", "stop"], cwd=folder, capture_output=True)
        try:
            yield {"host": "127.0.0.1", "port": port, "user": "cx", "password": CANARY, "stop": stop}
        finally:
            stop()
    finally:
        shutil.rmtree(folder)


@contextmanager
def mariadb() -> Iterator[dict[str, Any]]:
    """A MariaDB server with a database `shop`: how to connect, and `run`, which runs statements in it."""
    folder = Path(tempfile.mkdtemp(prefix="cx_mariadb_"))
    data, port, log = folder / "data", free_port(), folder / "socket"
    user = unprivileged("mysql", folder)
    install = [program("mariadb-install-db", "mariadb-server"), "--no-defaults", f"--datadir={data}"]
    client = [program("mariadb", "mariadb-server"), "--no-defaults", "-uroot", f"--socket={log}"]
    try:
        subprocess.run(
            [*user, *install, "--skip-test-db", "--auth-root-authentication-method=normal"],
            check=True, capture_output=True, cwd=folder,
        )  # fmt: skip
        server = subprocess.Popen(
            [*user, program("mariadbd", "mariadb-server"), "--no-defaults", f"--datadir={data}", f"--port={port}",
             "--bind-address=127.0.0.1", f"--socket={log}", "--innodb-buffer-pool-size=16M",
             "--innodb-flush-log-at-trx-commit=0"],
            cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            _wait(lambda: subprocess.run([*client, "-e", "select 1"], capture_output=True).returncode == 0)
            secret = CANARY.replace("'", "''")
            begin = f"create database shop; create user cx@'%' identified by '{secret}'; grant all on shop.* to cx@'%'"
            subprocess.run([*client, "-e", begin], check=True, capture_output=True)

            def run(statements: str) -> None:
                subprocess.run([*client, "shop", "-e", statements], check=True, capture_output=True)

            yield {"host": "127.0.0.1", "port": port, "user": "cx", "password": CANARY, "run": run}
        finally:
            subprocess.run([*client, "-e", "shutdown"], capture_output=True)
            server.wait(30)
    finally:
        shutil.rmtree(folder)


@contextmanager
def s3() -> Iterator[str]:
    """An S3-compatible server; its address."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def answers() -> bool:
        assert server.poll() is None, "moto.server ended: is moto[server] installed?"
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    try:
        _wait(answers)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(30)


@contextmanager
def http(folder: Path) -> Iterator[str]:
    """A web server of a folder's files; its address."""

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *arguments: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder))) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def _wait(ready: Any) -> None:
    until = time.monotonic() + 60
    while not ready():
        assert time.monotonic() < until, "the server did not start within a minute"
        time.sleep(0.05)
