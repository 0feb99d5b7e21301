"""Which delivered files of events are new, or have changed since they were loaded.

Belongs here: holding the files that are there against what is known of their last loading; none is opened. Does not:
URLs and databases, which would have to be reached, the days that a changed file holds, which only reading tells
(`ingestion.changes`), or the verdict (`status`).

What is published tells which days a file was loaded for, and Dagster's history when these days were last loaded: also
by a run that published nothing.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg
import duckdb

from cx_assets.dataset import Dataset
from cx_assets.ingestion.mapping import mapped_sources
from cx_assets.ingestion.places import is_packed_nothing
from cx_assets.operations.history import latest_of_partitions
from cx_assets.operations.status import Files
from cx_assets.privacy.keys import KeyRefusedError
from cx_assets.privacy.protection import Protection
from cx_assets.settings import DATABASE, Settings


@dataclass(frozen=True)
class Loaded:
    """What is published of a file.

    Attributes:
        days: those that it was loaded for.
        state: size and time as it was last looked at; None for a file that never was.
    """

    days: list[str] = field(default_factory=list)
    state: str | None = None


def delivered_files(instance: dg.DagsterInstance, settings: Settings, dataset: Dataset) -> Files | None:
    """The state of the files of events by their names in the tables; None before any was loaded.

    None too where these names are pseudonyms and there is no key: who only watches needs none.
    """
    loaded_at = {
        str(record.partition_key): record.timestamp
        for record in latest_of_partitions(instance, dg.AssetKey("raw_events"))
    }
    if not loaded_at:
        return None
    try:
        files = dict(_files(dataset, settings))
    except KeyRefusedError:
        return None
    published = _published(settings.published_dir / DATABASE)
    new: list[str] = []
    changed: list[str] = []
    for name, path in files.items():
        known = published.get(name, Loaded())
        # A file that lies in several days is loaded with each of them, so the last of them counts.
        times = [loaded_at[day] for day in known.days if day in loaded_at] or loaded_at.values()
        if _arrived(path, known.state) > max(times):
            (changed if name in published else new).append(name)
    return Files(known=len(files), new=sorted(new), changed=sorted(changed))


def _files(dataset: Dataset, settings: Settings) -> Iterator[tuple[str, Path]]:
    """The files of events that hold anything, with their names in the tables."""
    protection = Protection(dataset, settings)
    for table, mapped in mapped_sources(dataset):
        if table == "events":
            for path in mapped.source.paths(dataset.folder):
                if path.stat().st_size and not is_packed_nothing(path):
                    yield protection.told_name(mapped.source, path), path


def _arrived(path: Path, state: str | None) -> float:
    """When a file came to be what it is.

    A copy may keep the time of what it is a copy of: unless the file was looked at as it is, the time at which it was
    put here counts too. Of one that was, this time tells nothing: moving its folder changes it.
    """
    told = path.stat()
    if state == json.dumps([told.st_size, told.st_mtime_ns]):
        return told.st_mtime
    return max(told.st_mtime, told.st_ctime)


def _published(database: Path) -> dict[str, Loaded]:
    """What is published of each file; nothing where nothing is, or where it can't be read (`looking` tells of it)."""
    if not database.is_file():
        return {}
    try:
        with duckdb.connect(str(database), read_only=True) as connection:
            rows = connection.execute(
                """
                with looked as (
                    select distinct source_file, state from ingestion.delivered_columns where delivered_as = 'events'
                ), loaded as (
                    select source_file, list(distinct cast(day as varchar)) as days
                    from ingestion.raw_events group by source_file
                )
                select source_file, coalesce(days, []), state from looked full join loaded using (source_file)
                """
            ).fetchall()
    except duckdb.Error:
        return {}
    return {str(name): Loaded(days, state) for name, days, state in rows}
