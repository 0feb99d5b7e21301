"""Which rows of delivered files belong to days that were loaded before they came.

Belongs here: counting what files hold against what is stored of them. Does not: which files are new (`changes`), or a
database, whose watermark tells what came late (`watermark`).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

from cx_assets.dataset import Dataset
from cx_assets.ingestion.formats import chosen_rows, file_query, reading
from cx_assets.ingestion.mapping import MappedSource, as_text, mapped_sources
from cx_assets.ingestion.places import existing
from cx_assets.ingestion.reader import event_day
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


def late_rows(dataset: Dataset, raw_events: Table, told_name: Callable[[Source, Place], str]) -> list[LateRows]:
    """What files hold beyond what is stored of them, of the days between the first and the last that are stored.

    Rows that were removed because they had been kept for long enough are none.

    Args:
        dataset: whose events they are.
        raw_events: `ingestion.raw_events`, all days of it.
        told_name: what tables call a file.
    """
    first, last = sql("select min(day), max(day) from raw_events", raw_events=raw_events).fetchone()
    if first is None:
        return []
    per_file = sql("select source_file, count(*) from raw_events group by source_file", raw_events=raw_events)
    stored = {str(name): int(count) for name, count in per_file.fetchall()}
    removed = set(removed_days(raw_events.connection, "ingestion.raw_events"))
    return [
        late
        for table, mapped in mapped_sources(dataset)
        if table == "events" and mapped.source.database is None
        for place in existing(dataset, mapped)
        for late in _of_file(dataset, raw_events, mapped, place, told_name(mapped.source, place), stored)
        if first <= late.day <= last and late.day not in removed
    ]


def _of_file(
    dataset: Dataset, raw_events: Table, mapped: MappedSource, place: Place, name: str, stored: dict[str, int]
) -> Iterator[LateRows]:
    """By day, in order; the days are only asked for where the numbers of rows differ."""
    rows = chosen_rows(file_query(place, mapped.source), mapped.where)
    times = f"select {as_text(mapped.expressions['occurred_at'])} as occurred_at from ({rows})"
    with reading(mapped.source, dataset.folder) as connection:
        if connection.execute(f"select count(*) from ({rows})").fetchall()[0][0] == stored.get(name, 0):
            return
        per_day = f"select {event_day(dataset)} as day, count(*) from ({times}) group by day order by day"
        held = connection.execute(per_day).fetchall()
    of_file = f"select day, count(*) from raw_events where source_file = {literal(name)} group by day"
    known = dict(sql(of_file, raw_events=raw_events).fetchall())
    for day, count in held:
        if count > known.get(day, 0):
            yield LateRows(name, day, count - known.get(day, 0))
