"""What has changed in the sources of events since it was last looked at, and which days that touches.

Belongs here: the state of a source, small enough for a sensor's cursor. Does not: requesting runs (`automation`). A
file or URL is told by its size and time. A database is told by its watermark: only rows from the last one seen on are
read, and the days of those that are new are rebuilt as a whole, so that a day never holds half of a change.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from cx_assets.dataset import Dataset
from cx_assets.ingestion.formats import reading
from cx_assets.ingestion.reader import MappedSource, existing, file_days, label, mapped_sources
from cx_assets.ingestion.remote import listed
from cx_assets.ingestion.watermark import days_since

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


def changes(dataset: Dataset, seen: State) -> Changes:
    """Look at the sources of events; a database without a watermark tells nothing and is left to the daily schedule.

    Args:
        dataset: whose events they are.
        seen: the state that the last look left; empty at first.

    Raises:
        SourceError: if a URL or database can't be reached, or a watermark isn't one.
    """
    state: State = {}
    days: set[date] = set()
    for name, mapped in mapped_sources(dataset):
        if name != "events":
            continue
        if mapped.source.database is None:
            state |= _file_states(dataset, mapped)
        elif mapped.source.database.watermark is not None:
            relation = label(dataset, mapped.source, *existing(dataset, mapped))
            touched, state[relation] = days_since(dataset, mapped, seen.get(relation))
            days |= touched
    changed = {name: told for name, told in state.items() if seen.get(name) != told}
    if changed:
        days |= set(file_days(dataset, set(changed)))
    return Changes(sorted(days), state, changed)


def _file_states(dataset: Dataset, mapped: MappedSource) -> State:
    if mapped.source.url is not None:
        with reading(mapped.source, dataset.folder) as connection:
            return {str(url): state for url, state in listed(connection, mapped.source.url).items()}
    paths = mapped.source.paths(dataset.folder)
    return {str(path): [path.stat().st_size, path.stat().st_mtime_ns] for path in paths}
