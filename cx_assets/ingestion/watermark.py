"""Which days of a database's events have changed, by a watermark: a column that grows with every change of a row.

Belongs here: asking for the rows from the last watermark seen on. Does not: the rows themselves, which are loaded day
by day (`reader`). What a watermark can't tell, it doesn't: a row that is deleted, or that leaves its day for another,
keeps its old day as it was until that day is loaded again.
"""

from datetime import date, datetime, timedelta
from typing import Any

import duckdb

from cx_assets.dataset import Dataset
from cx_assets.ingestion.complaints import first_line
from cx_assets.ingestion.databases import column_name
from cx_assets.ingestion.formats import file_query, reading
from cx_assets.ingestion.mapping import MappedSource
from cx_assets.ingestion.places import existing, label
from cx_assets.ingestion.reader import event_day, times_query
from cx_assets.source import Place, Source, SourceError
from cx_assets.table.schema import literal, quoted

MARK = "cx_watermark"
NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER")
TIMES = ("DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE")
Mark = int | datetime


def days_since(dataset: Dataset, mapped: MappedSource, seen: dict[str, Any] | None) -> tuple[set[date], dict[str, Any]]:
    """The days whose rows from a watermark on are others than they were, and the state for the next look.

    A transaction may commit a row whose watermark is older than one that was seen already. So a look begins at `from`,
    the lookback before the greatest watermark of the look before, and compares how many rows every day has from there
    on, and the greatest watermark of them, with what that look found from there on. Both are counted in one scan, so
    nothing falls between two looks.

    Args:
        dataset: whose events they are.
        mapped: a source whose database has a watermark.
        seen: the state that the last look left; None at first.

    Raises:
        SourceError: if the database can't be read, or the column isn't one of whole numbers or times.
    """
    database = mapped.source.database
    if database is None or database.watermark is None:
        raise SourceError(f"{'.'.join(map(str, mapped.location))} has no watermark")
    (place,) = existing(dataset, mapped)
    with reading(mapped.source, dataset.folder) as connection:
        try:
            kind = _kind(connection, place, mapped.source, quoted(database.watermark))
            begun = _mark(seen["from"], kind) if seen else None
            # The database leaves out what is far behind; a day more, as its session may be in another time zone.
            far = begun - timedelta(days=1) if isinstance(begun, datetime) else begun
            condition = f"{column_name(database, database.watermark)} >= {literal(str(far))}"
            pushed = condition if begun is not None and database.kind != "sqlite" else ""
            rows = (
                f"select {event_day(dataset)} as day, try_cast({MARK} as {kind}) as mark "
                f"from ({times_query(place, mapped, pushed, **{MARK: quoted(database.watermark)})})"
            )
            since = "mark is not null" if begun is None else f"mark >= cast({literal(str(begun))} as {kind})"
            newest = connection.execute(f"select max(mark) from ({rows}) where {since}").fetchone()
            if newest is None or newest[0] is None:
                return set(), seen or {}
            begin = _behind(newest[0], database.lookback)
            later = f"mark >= cast({literal(str(begin))} as {kind})"
            found = connection.execute(
                f"""
                select day, count(*), max(mark), count(*) filter ({later}), max(mark) filter ({later})
                from ({rows}) where {since} group by day
                """
            ).fetchall()
        except duckdb.Error as error:
            raise SourceError(f"{label(dataset, mapped.source, place)}: {first_line(error)}") from None
    return _compared(found, seen, begin)


def _compared(
    found: list[tuple[Any, ...]], seen: dict[str, Any] | None, begin: Mark
) -> tuple[set[date], dict[str, Any]]:
    before = seen["days"] if seen else {}
    now = {day: [count, str(newest)] for day, count, newest, *_ in found}
    touched = {day for day, told in now.items() if before.get(str(day)) != told}
    touched |= {date.fromisoformat(day) for day in before} - now.keys()
    if seen and not touched:
        return touched, seen
    kept = {str(day): [count, str(newest)] for day, _, _, count, newest in found if count}
    return touched, {"from": str(begin), "days": kept}


def _behind(newest: Mark, lookback: int) -> Mark:
    return newest - timedelta(minutes=lookback) if isinstance(newest, datetime) else newest - lookback


def _mark(text: str, kind: str) -> Mark:
    return int(text) if kind == "bigint" else datetime.fromisoformat(text)


def _kind(connection: duckdb.DuckDBPyConnection, place: Place, source: Source, mark: str) -> str:
    """As what the watermark grows: `bigint` or `timestamp`."""
    delivered = file_query(place, source)
    ((_, told, *_),) = connection.execute(f"describe select {mark} from ({delivered})").fetchall()
    if told in NUMBERS:
        return "bigint"
    if told in TIMES:
        return "timestamp"
    for kind in ("bigint", "timestamp") if told == "VARCHAR" else ():
        wrong = f"select 1 from ({delivered}) where {mark} is not null and try_cast({mark} as {kind}) is null limit 1"
        if connection.execute(wrong).fetchone() is None:
            return kind
    raise SourceError(f"{place}: the watermark {mark} is neither of whole numbers nor of times")
