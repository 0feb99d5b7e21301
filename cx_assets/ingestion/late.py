"""Which rows of delivered files belong to days that were loaded before they came.

Belongs here: counting what files hold against what is stored of them. Does not: which files are new (`changes`), or a
database, whose watermark tells what came late (`watermark`).
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from cx_assets.dataset import Dataset
from cx_assets.ingestion.formats import reading
from cx_assets.ingestion.mapping import MappedSource, mapped_sources
from cx_assets.ingestion.places import existing
from cx_assets.ingestion.reader import counted_times, event_day
from cx_assets.source import Place, Source
from cx_assets.table import Table, sql
from cx_assets.table.removed import removed_days
from cx_assets.table.schema import literal


@dataclass(frozen=True)
class LateRows:
    """Rows of one file and day that are not stored.

    Attributes:
        file: what tables call the file.
        day: within the days that are stored.
        rows: how many.
    """

    file: str
    day: date
    rows: int


def late_rows(
    dataset: Dataset, raw_events: Table, delivered_columns: Table, told_name: Callable[[Source, Place], str]
) -> list[LateRows]:
    """What files hold beyond what is stored of them, of the days between the first and the last that are stored.

    Rows that were removed because they had been kept for long enough are none. Only files are opened of which another
    number of rows is stored than was counted when they were looked at.

    Args:
        dataset: whose events they are.
        raw_events: `ingestion.raw_events`, all days of it.
        delivered_columns: `ingestion.delivered_columns`.
        told_name: what tables call a file.
    """
    first, last = sql("select min(day), max(day) from raw_events", raw_events=raw_events).fetchone()
    if first is None:
        return []
    removed = set(removed_days(raw_events.connection, "ingestion.raw_events"))
    complete = _complete(raw_events, delivered_columns)
    return [
        late
        for name, held in _sources_by_file(dataset, told_name).items()
        if name not in complete
        for late in _of_file(dataset, raw_events, name, held)
        if first <= late.day <= last and late.day not in removed
    ]


def _complete(raw_events: Table, delivered_columns: Table) -> set[str]:
    """The files of which as many rows are stored as they had when they were looked at."""
    found = sql(
        """
        with of_sources as (
            select source, source_file, max("rows") as "rows" from delivered_columns where delivered_as = 'events'
            group by source, source_file
        ), held as (
            select source_file, sum("rows") as "rows" from of_sources group by source_file
        ), stored as (
            select source_file, count(*) as "rows" from raw_events group by source_file
        )
        select source_file from held left join stored using (source_file)
        where held."rows" = coalesce(stored."rows", 0)
        """,
        raw_events=raw_events,
        delivered_columns=delivered_columns,
    )
    return {str(name) for (name,) in found.fetchall()}


def _sources_by_file(
    dataset: Dataset, told_name: Callable[[Source, Place], str]
) -> dict[str, list[tuple[MappedSource, Place]]]:
    """The files of events by their names; several sources may each take other rows of the same one."""
    found: dict[str, list[tuple[MappedSource, Place]]] = {}
    for table, mapped in mapped_sources(dataset):
        if table == "events" and mapped.source.database is None:
            for place in existing(dataset, mapped):
                found.setdefault(told_name(mapped.source, place), []).append((mapped, place))
    return found


def _of_file(
    dataset: Dataset, raw_events: Table, name: str, sources: Iterable[tuple[MappedSource, Place]]
) -> Iterator[LateRows]:
    """By day, in order."""
    held: Counter[date] = Counter()
    for mapped, place in sources:
        with reading(mapped.source, dataset.folder) as connection:
            per_day = f"select {event_day(dataset)} as day, count(*) from ({counted_times(place, mapped)}) group by day"
            held.update(dict(connection.execute(per_day).fetchall()))
    of_file = f"select day, count(*) from raw_events where source_file = {literal(name)} group by day"
    stored = dict(sql(of_file, raw_events=raw_events).fetchall())
    for day in sorted(held):
        if held[day] > stored.get(day, 0):
            yield LateRows(name, day, held[day] - stored.get(day, 0))
