"""What has changed in the sources of events since it was last looked at, and which days that touches.

Belongs here: the state of a source, small enough for a sensor's cursor. Does not: requesting runs (`automation`). A
file or URL is told by its size and time. A database is told by its watermark: only rows from the last one seen on are
read, and the days of those that are new are rebuilt as a whole, so that a day never holds half of a change.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from cx_assets.dataset import Dataset
from cx_assets.ingestion.formats import reading
from cx_assets.ingestion.mapping import MappedSource, mapped_sources
from cx_assets.ingestion.places import existing, label
from cx_assets.ingestion.reader import file_days
from cx_assets.ingestion.remote import listed
from cx_assets.ingestion.watermark import days_since
from cx_assets.source import Place, Source

State = dict[str, Any]


@dataclass(frozen=True)
class Changes:
    """What a look at the sources of events found.

    Attributes:
        days: the days of the dataset that changes touch, sorted.
        state: of all sources, by the name of the file, URL or relation; to be given to the next look.
        changed: the part of it that differs from the last look.
    """

    days: list[date]
    state: State
    changed: State


def changes(dataset: Dataset, seen: State, told_name: Callable[[Source, Place], str] | None = None) -> Changes:
    """Look at the sources of events; a database without a watermark tells nothing and is left to the daily schedule.

    Args:
        dataset: whose events they are.
        seen: the state that the last look left; empty at first.
        told_name: what a file or URL is called in the state; its whole path without it.

    Raises:
        SourceError: if a URL or database can't be reached, or a watermark isn't one.
    """
    state: State = {}
    days: set[date] = set()
    places: dict[str, str] = {}
    for name, mapped in mapped_sources(dataset):
        if name != "events":
            continue
        if mapped.source.database is None:
            for place, told in file_states(dataset, mapped).items():
                name = told_name(mapped.source, place) if told_name else str(place)
                places[name], state[name] = str(place), told
        elif mapped.source.database.watermark is not None:
            relation = label(dataset, mapped.source, *existing(dataset, mapped))
            touched, state[relation] = days_since(dataset, mapped, seen.get(relation))
            days |= touched
    changed = {name: told for name, told in state.items() if seen.get(name) != told}
    if changed:
        days |= set(file_days(dataset, {places[name] for name in changed if name in places}))
    return Changes(sorted(days), state, changed)


def file_states(dataset: Dataset, mapped: MappedSource) -> dict[Place, list[Any]]:
    """Size and time of every file or URL of a source."""
    if mapped.source.url is not None:
        with reading(mapped.source, dataset.folder) as connection:
            states = listed(connection, mapped.source.url)
        return {url: states[url] for url in states}
    paths = mapped.source.paths(dataset.folder)
    return {path: [path.stat().st_size, path.stat().st_mtime_ns] for path in paths}
