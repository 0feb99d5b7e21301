"""What a process does that is to fail: `python -m cx_assets_tests.operations.failing WHAT FOLDER`.

Belongs here: writing and publishing a table of many rows, under a limit of file sizes, as a user who may not write, or
until somebody kills it. Does not: what must be true afterwards (`test_failures`).
"""

import os
import resource
import sys
from pathlib import Path

import duckdb

from cx_assets.publishing.files import PublishError, publish
from cx_assets.table import Table, column, schema
from cx_assets.table.storage import TableWriteError, write
from cx_assets.table.warehouse import Warehouse, WarehouseError

NUMBERS = schema("shop", "numbers", "One row per number.", column("number", "varchar", "As text."))
NOBODY = 65534
SMALL = 2_000_000
ROWS = {"limited": 200_000, "endless": 400_000_000}


def numbers(connection: duckdb.DuckDBPyConnection, count: int) -> Table:
    """So many rows that don't compress."""
    return Table(connection, f"select md5(cast(range as varchar)) as number from range({count})")


def main(what: str, folder: Path) -> None:
    """Do it, and say how it failed."""
    warehouse = Warehouse(path=str(folder / "working.duckdb"), lock_timeout_seconds=0)
    how, _, size = what.partition("-")
    if how == "forbidden" and os.geteuid() == 0:
        os.setuid(NOBODY)
    try:
        with warehouse.opened("the test") as opened:
            if size == "limited":
                resource.setrlimit(resource.RLIMIT_FSIZE, (SMALL, SMALL))
            print("begun", flush=True)
            rows = numbers(opened.connection, ROWS.get(size, 1))
            if how == "write":
                write(opened.connection, NUMBERS, rows)
            elif how == "publish":
                publish(opened.connection, [NUMBERS], "new", folder / "published")
    except (PublishError, TableWriteError, WarehouseError) as error:
        print(f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
