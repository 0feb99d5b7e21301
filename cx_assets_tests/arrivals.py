"""Deliveries that come file by file, cleaned day by day as runs do it, without Dagster around it.

What is delivered is told as literal rows; a run is a window of days. So a test can say in which order files came and
which days were run after each, a hundred times in the time of one run.
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from cx_assets.dataset import Dataset
from cx_assets.table import Table, from_frame
from cx_assets.table.storage import read, write
from cx_assets.table.warehouse import Warehouse
from cx_assets.warehouse.cleaning import Cleaning
from cx_assets.warehouse.reconciliation import unaccounted
from cx_assets.warehouse.tables import CUSTOMER_MERGES, EVENTS, REJECTED_EVENTS, WITHDRAWN_EVENTS
from cx_assets_tests.shop import TINY, write_tiny

LINKS = """\
    corrections: {version: version}
    cancels: {when: "kind = 'cancel'", event_id: id}
    returns: {when: "quantity like '-%'"}
"""
LINKED = TINY.rstrip() + "\n" + LINKS
"""The tiny shop, where an id that comes again corrects, `cancel` cancels an id, and a negative quantity returns."""

GOOD = {
    "occurred_at": "2024-03-01T10:00:00", "customer_id": "ann", "item_id": "tea", "event_type": "purchase",
    "event_id": None, "basket_id": None, "quantity": "1", "value": "2", "rating": None, "store_id": None,
    "version": "", "cancels": "false", "cancelled_event_id": None, "returns": "false", "returned_event_id": None,
}  # fmt: skip
Row = Mapping[str, Any]
Files = Mapping[str, Sequence[Row]]


@dataclass
class Shop:
    """A warehouse, and the files that have come so far; each row is told by what differs from a good purchase."""

    warehouse: Warehouse
    cleaning: Cleaning
    merges: pd.DataFrame | None = None
    files: dict[str, Sequence[Row]] = field(default_factory=dict)

    def run(self, first: date, last: date | None = None) -> None:
        """Load and clean days of all files that have come, as the assets do."""
        connection = self.warehouse.connection
        window = (_midnight(first), _midnight(last or first) + timedelta(days=1))
        merges = self._merges()
        write(connection, self.cleaning.raw_events, self._delivered(window), window)
        found = self.cleaning.withdrawn(read(connection, self.cleaning.raw_events), merges)
        self.cleaning.renew_withdrawn(self.warehouse, found, merges)
        write(connection, WITHDRAWN_EVENTS, found)
        withdrawn = read(connection, WITHDRAWN_EVENTS)
        raw = read(connection, self.cleaning.raw_events, window)
        self.cleaning.renew_misnamed(self.warehouse, withdrawn, merges, window)
        write(connection, EVENTS, self.cleaning.events(raw, withdrawn, merges), window)
        write(connection, REJECTED_EVENTS, self.cleaning.rejected(raw, withdrawn), window)

    def come(self, files: Files) -> list[date]:
        """Let files come, new or changed; returns the days that they touch."""
        self.files.update(files)
        return sorted({day_of(row) for rows in files.values() for row in rows})

    def tables(self) -> list[list[tuple[Any, ...]]]:
        """All rows of events, rejected and withdrawn events."""
        return [
            self.warehouse.query(f"select * from {spec.qualified} order by all").fetchall()
            for spec in (EVENTS, REJECTED_EVENTS, WITHDRAWN_EVENTS)
        ]

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What a query finds."""
        return self.warehouse.query(query).fetchall()

    def lost(self) -> list[tuple[Any, ...]]:
        """The days whose counts don't add up."""
        specs = (self.cleaning.raw_events, EVENTS, REJECTED_EVENTS, WITHDRAWN_EVENTS)
        return unaccounted(*(read(self.warehouse.connection, spec) for spec in specs)).fetchall()

    def _delivered(self, window: tuple[datetime, datetime]) -> Table:
        rows = [
            {**GOOD, **row, "day": day_of(row), "source_file": name, "source_row": number}
            for name, told in self.files.items()
            for number, row in enumerate(told, 1)
            if window[0] <= _midnight(day_of(row)) < window[1]
        ]
        if not rows:
            return self.warehouse.query(self.cleaning.raw_events.no_rows())
        kinds = {column.name: column.type for column in self.cleaning.raw_events.columns}
        told = from_frame(self.warehouse.connection, pd.DataFrame(rows)[list(kinds)])
        casts = ", ".join(f"cast({name} as {kind}) as {name}" for name, kind in kinds.items())
        return Table(told.connection, f"select {casts} from ({told.query})", told.sources)

    def _merges(self) -> Table:
        if self.merges is None:
            return self.warehouse.query(CUSTOMER_MERGES.no_rows())
        return from_frame(self.warehouse.connection, self.merges)


@contextmanager
def opened_shop(dataset: Dataset, files: Files | None = None) -> Iterator[Shop]:
    """An empty warehouse for a dataset with links; with files, these have come and all days were run."""
    with tempfile.TemporaryDirectory() as folder, Warehouse(path=str(Path(folder) / "w.duckdb")).opened("a test") as w:
        shop = Shop(w, Cleaning(dataset))
        if files is not None:
            shop.come(files)
            shop.run(dataset.first_day, dataset.last_day)
        yield shop


def write_linked(folder: Path) -> Dataset:
    """The tiny shop with links, whose versions are in the column of ratings."""
    manifest = LINKED.replace("version: version", "version: rating").replace("rating: rating}", "rating: 'null'}")
    return write_tiny(folder, {"a.csv": [{}]}, manifest=manifest)


def write_withdrawing(folder: Path, more: str = "", **files: Sequence[Row]) -> Dataset:
    """The tiny shop with links that cancel and return, whose old raw events may go."""
    manifest = LINKED.replace("    corrections: {version: version}\n", "")
    told = {f"{name}.csv": rows for name, rows in (files or {"a": [{}]}).items()}
    return write_tiny(folder, told, manifest=manifest, more=more)


def day_of(row: Row) -> date:
    """The day that carries a row."""
    return datetime.fromisoformat(str(row.get("occurred_at", GOOD["occurred_at"]))).date()


def at(day: int, minute: int = 0) -> str:
    """A time on a day of the tiny shop's March."""
    return f"2024-03-{day:02}T10:{minute:02}:00"


def cancel(event: str, day: int = 1) -> dict[str, Any]:
    """A row that cancels an event by its id."""
    return {"event_type": "cancel", "cancels": "true", "cancelled_event_id": event, "occurred_at": at(day)}


def cancel_order(basket: str, day: int = 1, **other: Any) -> dict[str, Any]:
    """A row that cancels all that the good purchase's customer bought in a basket."""
    told = {"event_type": "purchase", "cancels": "true", "basket_id": basket, "item_id": "", "occurred_at": at(day)}
    return {**told, **other}


def give_back(quantity: float, day: int = 1, minute: int = 30, **other: Any) -> dict[str, Any]:
    """A row that returns pieces, at 2 each, of the good purchase's customer and item in basket `b`."""
    told = {"quantity": f"{-quantity}", "value": f"{-2 * quantity}", "returns": "true", "basket_id": "b"}
    return {**told, "occurred_at": at(day, minute), **other}


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)
