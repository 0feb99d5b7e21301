"""The one connection that writes, and the lock that makes it the only one.

Belongs here: opening the working database for a run, and waiting for whoever has it. Does not: what is written
(`io_manager`). DuckDB lets one process write and shuts everyone else out meanwhile; a lock of our own in front of it
turns its error into a wait with a bound, and says who is being waited for.
"""

import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import duckdb
from filelock import FileLock, Timeout
from pydantic import Field, PrivateAttr

from cx_assets.migrations import migrate
from cx_assets.table.connection import WarehouseError as WarehouseError
from cx_assets.table.connection import connect as connect
from cx_assets.table.relation import Table


class WarehouseBusyError(Exception):
    """Another process was writing for longer than this one was told to wait."""


class Warehouse(dg.ConfigurableResource["Warehouse"]):
    """The working database, opened for writing for as long as a run lasts.

    Raises:
        WarehouseBusyError: if another process still writes after `lock_timeout_seconds`.
        WarehouseError: if the file, or its folder, can't be opened or written.
        MigrationError: if it is of an earlier schema and can't be changed, or of a later one.
    """

    path: str = Field(description="The DuckDB file; it and its folder are made when missing.")
    memory_limit: str = Field(default="1GB", description="What DuckDB may hold in memory before it spills to disk.")
    threads: int = Field(default=2, description="Threads that DuckDB may use.")
    lock_timeout_seconds: float = Field(default=600, description="How long to wait for another writer, in seconds.")

    _connection: duckdb.DuckDBPyConnection = PrivateAttr()

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["Warehouse"]:
        """Hold the lock and the connection while Dagster runs the steps that need them."""
        with self.opened(context.run.run_id if context.run else "no run", context.log.info if context.log else None):
            yield self

    @contextmanager
    def opened(self, purpose: str, tell: Callable[[str], object] | None = None) -> Iterator["Warehouse"]:
        """The same for code outside a run.

        Args:
            purpose: what a waiting process is told.
            tell: told of each step by which the schema was brought up to date.
        """
        path = Path(self.path)
        with writing(path, self.lock_timeout_seconds, purpose), connect(path, self.memory_limit, self.threads) as con:
            for version, name in migrate(con, str(path)):
                if tell:
                    tell(f"{path.name}: brought to schema {version}: {name}")
            self._connection = con
            yield self

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The open connection."""
        return self._connection

    def query(self, text: str) -> Table:
        """A Table over a query of our own: for the table layer and for ingestion, where tables begin."""
        return Table(self._connection, text)


@contextmanager
def writing(database: Path, timeout_seconds: float, purpose: str) -> Iterator[None]:
    """Be the one process that writes to `database`.

    The lock is the operating system's, so it goes with its process, however that ends.

    Raises:
        WarehouseBusyError: naming the process that has it, after `timeout_seconds`.
        WarehouseError: if the lock can't be written.
    """
    holder = database.with_suffix(".holder")
    try:
        database.parent.mkdir(parents=True, exist_ok=True)
        database.with_suffix(".lock").touch()
    except OSError as error:
        raise WarehouseError(
            f"{database.parent} can't be written: {error.strerror}. It is the folder for all that a run makes "
            "(CX_DATA_DIR): choose another, or let this user write there. Nothing was changed."
        ) from error
    try:
        with FileLock(database.with_suffix(".lock"), timeout=timeout_seconds):
            since = datetime.now(UTC).isoformat(timespec="seconds")
            command = " ".join(Path(word).name for word in sys.argv[:3])
            holder.write_text(
                f"process {os.getpid()} on {socket.gethostname()} ({command}; {purpose}), since {since}", "utf-8"
            )
            yield
    except Timeout as timeout:
        who = holder.read_text("utf-8") if holder.exists() else "another process"
        raise WarehouseBusyError(
            f"{database} is being written by {who}. Waited {timeout_seconds:g} s. Let that run finish or stop it, "
            "then run again; CX_LOCK_TIMEOUT_SECONDS sets the wait."
        ) from timeout
