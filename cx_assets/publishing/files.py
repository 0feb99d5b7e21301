"""Writing the published files, all of them beside the old ones, and putting them in their place in one step.

Belongs here: files. Does not: whether they may be published (`gate`). Readers open `published/`, a link to a folder
that never changes once it is linked; publishing makes the next folder and moves the link, which the file system does at
once.
"""

import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import duckdb
import pandas as pd

from cx_assets.settings import DATABASE
from cx_assets.table import Table, TableSpec
from cx_assets.table.schema import literal, quoted
from cx_assets.table.storage import is_of_the_disk

REPORT = "report.html"
SIDE_BY_SIDE = 2
NAME_LENGTH = 12
# Hashed twice: DuckDB makes a row's hash of its columns' by exclusive or, so that two rows could exchange their values
# in a column unseen. Added up rather than xor-ed: equal rows would cancel each other out.
FINGERPRINT = f"coalesce(sum(cast(hash(hash(t)) as hugeint)) % {1 << 64}, 0)"


class PublishError(Exception):
    """The published files can't be put in their place; the old ones are as they were."""


def publish(
    connection: duckdb.DuckDBPyConnection, specs: Sequence[TableSpec], report: str, published: Path
) -> pd.DataFrame:
    """Write every table and the report, and let readers have them, all at once.

    Args:
        connection: the writer's, on the working database.
        specs: the tables to publish, each of which exists.
        report: the page's HTML.
        published: the link that readers open; what it pointed to before is removed.

    Returns:
        One row per table: `table_name, rows, columns, fingerprint`.

    Raises:
        PublishError: if something that is not ours stands at `published`, or the files can't be written.
    """
    if published.exists() and not published.is_symlink():
        raise PublishError(f"{published} is not a link that publishing made. Move it away, then publish again.")
    published.parent.mkdir(parents=True, exist_ok=True)
    _remove_all_but_current(published)
    folder = published.parent / f".{published.name}-{uuid4().hex[:NAME_LENGTH]}"
    try:
        folder.mkdir()
        written = write_tables(connection, specs, folder)
        (folder / REPORT).write_text(report, "utf-8")
        _point(published, folder)
    except (duckdb.Error, OSError) as error:
        # On a full disk, what was half written is what is in the way.
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, duckdb.Error) and not is_of_the_disk(error):
            raise
        raise PublishError(
            f"{folder} could not be written: {error}. Nothing of it is published; what was published before stays. "
            "Free space on the disk, or see that this user may write there; then publish again."
        ) from error
    _remove_all_but_current(published)
    return written


def write_tables(connection: duckdb.DuckDBPyConnection, specs: Sequence[TableSpec], folder: Path) -> pd.DataFrame:
    """Write `cx.duckdb` and one Parquet file per table into a folder; say what was written.

    Rows are ordered where the declaration gives them an order of days, so that equal tables make equal files. Keeping
    an order makes DuckDB write a table with one thread, so tables are written side by side.
    """
    # Readers may come with an older DuckDB.
    connection.execute(f"attach {literal(str(folder / DATABASE))} as published (storage_version 'v1.0.0')")
    try:
        for group in dict.fromkeys(spec.group for spec in specs):
            connection.execute(f"create schema published.{group}")
            (folder / "parquet" / group).mkdir(parents=True)
        with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            rows = list(pool.map(lambda spec: _write_table(connection.cursor(), spec, folder), specs))
    finally:
        connection.execute("detach published")
    return pd.DataFrame(rows, columns=["table_name", "rows", "columns", "fingerprint"])


def _write_table(connection: duckdb.DuckDBPyConnection, spec: TableSpec, folder: Path) -> tuple[str, int, int, str]:
    """Write one table into both; its name, rows, columns and fingerprint."""
    target = f"published.{spec.qualified}"
    connection.execute(spec.ddl(target))
    # Days are stored in the order in which they were loaded.
    order = f" order by day, {', '.join(map(quoted, spec.key))}" if "day" in spec.column_names else ""
    # By name: a declaration whose columns changed places may still be stored in the old order.
    columns = ", ".join(map(quoted, spec.column_names))
    connection.execute(f"insert into {target} ({columns}) select {columns} from {spec.qualified}{order}")
    _describe(connection, spec, target)
    parquet = folder / "parquet" / spec.group / f"{spec.name}.parquet"
    connection.execute(f"copy {target} to {literal(str(parquet))} (format parquet, compression zstd)")
    count, fingerprint = Table(connection, f"select count(*), {FINGERPRINT} from {target} as t").fetchone()
    return spec.qualified, int(count), len(spec.column_names), f"{int(fingerprint):016x}"


def _describe(connection: duckdb.DuckDBPyConnection, spec: TableSpec, target: str) -> None:
    """Let the database itself say what its tables and columns mean."""
    connection.execute(f"comment on table {target} is {literal(spec.description)}")
    for column in spec.columns:
        connection.execute(f"comment on column {target}.{quoted(column.name)} is {literal(column.description)}")


def _point(published: Path, folder: Path) -> None:
    """Make the link point to a folder, in one step of the file system."""
    link = published.with_name(f".{published.name}-link")
    link.unlink(missing_ok=True)
    link.symlink_to(folder.name)
    link.replace(published)


def _remove_all_but_current(published: Path) -> None:
    """Remove the folders of earlier publications, and what a killed one left behind."""
    current = published.resolve() if published.is_symlink() else None
    for folder in published.parent.glob(f".{published.name}-{'[0-9a-f]' * NAME_LENGTH}"):
        if folder.is_dir() and not folder.is_symlink() and folder.resolve() != current:
            shutil.rmtree(folder)
