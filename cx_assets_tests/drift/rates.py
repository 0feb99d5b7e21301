"""How often drift is noticed where it was planted, and where it wasn't.

Belongs here: a year's raw events in DuckDB, with faults or without, and the alarms that the project raises on them.
Does not: which years are measured (`benchmarks.drift`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from cx_assets.dataset import Dataset, load_dataset
from cx_assets.drift.bounds import YOUNG_DAYS
from cx_assets.drift.counting import daily_categories, daily_figures, delivered
from cx_assets.drift.judging import judge_figures
from cx_assets.ingestion.reader import event_day, table_query
from cx_assets.ingestion.tables import RAW_EVENTS
from cx_assets.table import Table, from_frame, sql
from cx_assets.warehouse.contract import judge
from cx_assets.warehouse.events import accepted, rejected
from cx_assets_tests.drift.faults import FAULTS
from cx_assets_tests.drift.years import FIRST_DAY, Year
from cx_assets_tests.shop import write_tiny

GAP = 17
"""Days from one fault to the next: some more than two weeks, on changing weekdays."""


@dataclass(frozen=True)
class RawYear:
    """A year's raw events and items, in tables of a connection.

    Attributes:
        connection: with the tables raw_events and items.
        dataset: whose contract holds.
    """

    connection: duckdb.DuckDBPyConnection
    dataset: Dataset

    def table(self, name: str) -> Table:
        """One of the tables."""
        return Table(self.connection, f"select * from {name}")

    def day(self, day: date) -> pd.DataFrame:
        """The raw rows of a day, text as delivered, and the category of their items."""
        return sql(
            f"select raw.*, coalesce(category, 'unknown') as category from raw left join items using (item_id) "
            f"where day = date '{day}' order by source_row",
            raw=self.table("raw_events"),
            items=self.table("items"),
        ).df()


def load_year(connection: duckdb.DuckDBPyConnection, folder: Path, year: Year) -> RawYear:
    """A generated year as raw events; the manifest that says what an event must be goes into a folder."""
    last = FIRST_DAY + timedelta(days=int(year.events["offset"].to_numpy().max()))
    manifest = (
        f"name: generated\ntitle: A generated year\nfirst_day: {FIRST_DAY}\nlast_day: {last}\nrating_scale: [1, 5]\n"
    )
    events = 'events:\n  - source: {files: "events/*.csv", format: csv}\n'
    columns = "    columns: {occurred_at: '\"at\"', customer_id: who, item_id: what, event_type: kind}\n"
    dataset = write_tiny(folder, {"none.csv": []}, manifest=manifest + events + columns)
    rows = from_frame(connection, year.events)
    query = f"""
        create or replace table raw_events as
        select
            date '{FIRST_DAY}' + cast("offset" as integer) as day,
            strftime(date '{FIRST_DAY}' + to_seconds("offset" * 86400 + second), '%Y-%m-%d %H:%M:%S') as occurred_at,
            'c' || customer_id as customer_id, 'i' || item_id as item_id,
            ['purchase', 'view', 'cart', 'rating'][event_type + 1] as event_type,
            cast(row_number() over () as varchar) as event_id,
            {"'b' || basket_id" if year.baskets_told else "cast(null as varchar)"} as basket_id,
            cast(quantity as varchar) as quantity, cast(value as varchar) as value,
            case when rating > 0 then cast(rating as varchar) end as rating,
            case when store_id >= 0 then 'store ' || store_id end as store_id,
            'generated' as source_file, row_number() over () as source_row
        from ({rows.query})
    """
    connection.execute(query)
    items = pa.table(
        {
            "item_id": [f"i{number}" for number in range(len(year.categories))],
            "category": [f"category {number}" for number in year.categories],
        }
    )
    connection.register("item_rows", items)
    connection.execute("create or replace table items as select * from item_rows")
    return RawYear(connection, dataset)


def load_default(connection: duckdb.DuckDBPyConnection) -> RawYear:
    """The default dataset's raw events and items, as its manifest tells them."""
    dataset = load_dataset("complete_journey")
    names = [name for name in RAW_EVENTS.column_names if name not in ("day", "source_file", "source_row")]
    connection.execute(
        f"create or replace table raw_events as select * exclude day_, day_ as day from "
        f"(select *, {event_day(dataset)} as day_ from ({table_query(dataset, 'events', names)}))"
    )
    items = table_query(dataset, "items", ["item_id", "category"])
    connection.execute(
        f"create or replace table items as select item_id, coalesce(category, 'unknown') as category from ({items})"
    )
    return RawYear(connection, dataset)


def figures_of(year: RawYear, planted: Mapping[date, pd.DataFrame] | None = None) -> pd.DataFrame:
    """The judged figures of a year, some days of which were delivered otherwise: `drift.daily_figures`."""
    raw = year.table("raw_events")
    if planted:
        days = ", ".join(f"date '{day}'" for day in planted)
        columns = ", ".join(RAW_EVENTS.column_names)
        changed = pd.concat(planted.values())
        changed["source_row"] = np.arange(len(changed)) + 10_000_000
        raw = sql(
            f"select {columns} from raw where day not in ({days}) union all by name select {columns} from changed",
            raw=raw,
            changed=changed,
        )
    judged = judge(raw, year.dataset)
    connection = year.connection
    connection.execute(f"create or replace table events as {accepted(judged).query}")
    connection.execute(f"create or replace table rejected_events as {rejected(judged).query}")
    rows = delivered(year.table("events"), year.table("rejected_events"))
    items = year.table("items")
    return judge_figures(daily_figures(rows, items), daily_categories(rows, items))


def plant(
    year: RawYear, kinds: list[str], seed: int, *, start: int = YOUNG_DAYS
) -> dict[date, tuple[str, pd.DataFrame]]:
    """Faults on days of a year, one kind after the other, from when drift is judged; closed days are passed over."""
    rng = np.random.default_rng(seed)
    volume = dict(year.connection.execute("select day, count(*) from raw_events group by day").fetchall())
    first, last = min(volume), max(volume)
    day = first + timedelta(days=start + int(rng.integers(GAP)))
    planted = {}
    for kind in kinds:
        while day <= last and volume.get(day, 0) < 50:
            day += timedelta(days=1)
        if day > last:
            break
        before = pd.concat([year.day(day - timedelta(weeks=weeks)) for weeks in range(4, 8)])
        planted[day] = (kind, FAULTS[kind](year.day(day), before, rng))
        day += timedelta(days=GAP)
    return planted
