"""A connection to DuckDB as all of the project's are: days are UTC days, and memory and threads are bounded.

Belongs here: opening and closing it. Does not: who may write, and the resource of a run (`warehouse`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from cx_assets.table.schema import literal

# How a new file is laid out. Unless told otherwise DuckDB writes for readers of its version 1.0, and takes half as long
# again for texts; nobody but this project opens the working file.
STORAGE = "v1.4.0"


class WarehouseError(Exception):
    """The working database can't be opened."""


@contextmanager
def connect(path: Path | None, memory_limit: str, threads: int) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection whose days are UTC days and whose order of rows is the order of its queries.

    Args:
        path: the database file, or None for one in memory.
        memory_limit: as DuckDB spells it, for example `1GB`.
        threads: at least 1.

    Raises:
        WarehouseError: if there is a file that can't be opened.
    """
    try:
        connection = duckdb.connect(
            str(path) if path else ":memory:", config={"storage_compatibility_version": STORAGE}
        )
    except duckdb.Error as error:
        raise WarehouseError(
            f"{path} can't be opened: {error} Nothing was changed, and what was published is as it was. If another "
            "program has it open, close that. If the file is damaged, put a copy of yours in its place, or move it and "
            "its .wal away: the next run over all days makes it anew from the files of the dataset."
        ) from error
    try:
        connection.execute("set timezone = 'UTC'")
        connection.execute(f"set memory_limit = {literal(memory_limit)}")
        connection.execute(f"set threads = {threads}")
        yield connection
    finally:
        connection.close()
