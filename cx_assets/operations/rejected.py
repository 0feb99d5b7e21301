"""Rejected rows of a database: which there are, why, where, and what else came on their days.

Belongs here: asking a database, published or working, for rows that some table keeps because they were rejected. Does
not: rejecting them (`warehouse`) or printing (`rejected_command`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb

from cx_assets.ingestion.tables import RAW_EVENTS
from cx_assets.operations.holder import writer
from cx_assets.settings import DATABASE, Settings
from cx_assets.table import Table, sql
from cx_assets.table.schema import literal
from cx_assets.table.storage import read, stored_columns
from cx_assets.warehouse.reconciliation import day_counts
from cx_assets.warehouse.tables import EVENTS, REJECTED_EVENTS, REJECTED_ROWS, REJECTED_VALUES, WITHDRAWN_EVENTS

TABLES = (REJECTED_EVENTS, REJECTED_ROWS, REJECTED_VALUES)
"""What was rejected, rows and values; each has `reason`, `source_file`, `source_row`, and `day` where it has one."""


@dataclass(frozen=True)
class Asked:
    """Which rejected rows are asked for; what isn't given leaves none out.

    Attributes:
        reason: a part of the reason.
        file: a part of the file's name.
        first: the first day.
        last: the last day.
    """

    reason: str | None = None
    file: str | None = None
    first: date | None = None
    last: date | None = None

    @property
    def days(self) -> str:
        """The condition on `day`."""
        bounds = [f"day {sign} date '{day}'" for sign, day in ((">=", self.first), ("<=", self.last)) if day]
        return " and ".join(["true", *bounds])

    @property
    def condition(self) -> str:
        """The condition on a rejected row."""
        parts = {"reason": self.reason, "source_file": self.file}
        texts = [f"contains(lower({name}), {literal(part.lower())})" for name, part in parts.items() if part]
        return " and ".join([self.days, *texts])


@contextmanager
def opened(settings: Settings, *, working: bool) -> Iterator[tuple[Table, str]]:
    """All rejected rows of what is published, or of the working database, and the name of which.

    Args:
        settings: for where both are.
        working: whether the working database is meant although something is published; before anything is, it is.

    Raises:
        LookupError: if neither is there, no table of rejected rows is in it, or a run holds it.
    """
    published = settings.published_dir / DATABASE
    path = settings.warehouse_path if working or not published.exists() else published
    if not path.exists():
        raise LookupError("Nothing has been loaded yet: run `cx run`.")
    if path == settings.warehouse_path and (holder := writer(settings)):
        raise LookupError(f"The working database is being written by {holder}. Ask again when that has finished.")
    name = "what was published" if path == published else "what was last written"
    when = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    try:
        connection = duckdb.connect(str(path), read_only=True)
    except duckdb.Error as error:
        raise LookupError(f"{path} can't be opened: {str(error).splitlines()[0]}") from error
    with connection:
        yield _rows(connection), f"{name}, {when:%Y-%m-%d %H:%M} UTC"


def _rows(connection: duckdb.DuckDBPyConnection) -> Table:
    there = [spec for spec in TABLES if stored_columns(connection, spec)]
    if not there:
        raise LookupError("The last run stopped before rows were judged: `cx status` tells why.")
    parts = [
        f"select {literal(spec.qualified)} as table_name, * from ({read(connection, spec).query})" for spec in there
    ]
    return Table(connection, " union all by name ".join(parts))


def chosen(rows: Table, asked: Asked) -> Table:
    """The rows that are asked for, whole, in the order of their files."""
    return sql(
        f"select * from rows where {asked.condition} order by table_name, source_file, source_row, day", rows=rows
    )


def by_reason(rows: Table) -> Table:
    """One row per table and reason, the most frequent first: `table_name, reason, rows`, the first `file` and `row`."""
    return sql(
        """
        with placed as (
            select *, row_number() over (partition by table_name, reason order by source_file, source_row) as place
            from rows
        )
        select table_name, reason, count(*) as rows,
            arg_min(source_file, place) as file, arg_min(source_row, place) as row
        from placed group by table_name, reason order by rows desc, table_name, reason
        """,
        rows=rows,
    )


def around(rows: Table, asked: Asked) -> Table:
    """What became of the delivered events of the days asked for, as `day_counts` has it."""
    connection = rows.connection
    specs = (RAW_EVENTS, EVENTS, REJECTED_EVENTS, WITHDRAWN_EVENTS)
    stored = (
        read(connection, spec) if stored_columns(connection, spec) else Table(connection, spec.no_rows())
        for spec in specs
    )
    counts = day_counts(*stored)
    return sql(f"select * from counts where {asked.days}", counts=counts)


def export(rows: Table, path: Path, kind: str) -> None:
    """Write rows to a file, whole.

    Args:
        rows: which.
        path: the file; one that is there is replaced.
        kind: `csv`, with a header, or `parquet`.

    Raises:
        OSError: if it can't be written.
    """
    header = ", header" if kind == "csv" else ""
    try:
        rows.connection.execute(f"copy ({rows.query}) to {literal(str(path))} (format {kind}{header})")
    except duckdb.IOException as error:
        raise OSError(f"{path} can't be written: {str(error).splitlines()[0]}") from error
