"""Dagster's event log in SQLite, written in batches, and told to the run's log as it is written.

Belongs here: how the events of a batch are stored at once, and handing each on to `operations.run_log`: every event
of every run comes by here, whoever launched it. Does not: any other behaviour; what is stored, and how it is read, is
Dagster's own. A range of days is one event per day, asset and kind of event; stored one at a time, as the parent class
does, a year of three daily assets takes longer to note down than to compute.
"""

import os
import sys
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from dagster import EventLogEntry
from dagster._config.config_schema import UserConfigSchema
from dagster._core.events import ASSET_EVENTS
from dagster._core.storage.event_log import SqlEventLogStorageTable, SqliteEventLogStorage
from dagster._serdes import ConfigurableClassData

from cx_assets.operations.run_log import RunLog
from cx_assets.settings import Settings

BATCH_SIZE = "2000"


class BatchedSqliteEventLogStorage(SqliteEventLogStorage):
    """Named in the shipped `dagster.yaml`; keeps its files where Dagster's default storage does.

    Attributes:
        run_log: what is told of every event; None tells nothing.
    """

    run_log: RunLog | None = None

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        """Nothing to configure: the place follows from DAGSTER_HOME."""
        return {}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Any
    ) -> "BatchedSqliteEventLogStorage":
        """Made by Dagster when it reads `dagster.yaml` in DAGSTER_HOME.

        Raises:
            KeyError: if DAGSTER_HOME is not set.
        """
        # Without it Dagster forms no batches.
        os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", BATCH_SIZE)
        home = Path(os.environ["DAGSTER_HOME"])
        made = cls(str(home / "history" / "runs"), inst_data=inst_data, **config_value)
        made.run_log = RunLog(home, Settings().log)
        return made

    def store_event(self, event: EventLogEntry) -> None:
        """Store one event, then tell of it."""
        super().store_event(event)
        self._tell([event])

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Store events in their order, unbroken stretches of events of assets at once.

        Events that need more than the index's asset tables go the parent's way, one at a time. If this raises, Dagster
        stores the batch one at a time, so a change of its internals costs time and loses nothing.
        """
        for (together, _), stretch in groupby(events, key=lambda event: (_is_plain_asset_event(event), event.run_id)):
            if together:
                self._store_together(list(stretch))
            else:
                super().store_event_batch(list(stretch))

    def _store_together(self, events: Sequence[EventLogEntry]) -> None:
        """Store events of one run in two transactions, one of their run and one of the index over all runs."""
        table = SqlEventLogStorageTable
        rows = [self._event_to_row(event) for event in events]
        with self.run_connection(events[0].run_id) as connection:
            connection.execute(table.insert(), rows)
        with self.index_transaction() as connection:
            stored = connection.execute(table.insert().returning(table.c.id, sort_by_parameter_order=True), rows)
            ids = list(stored.scalars())
            self._store_asset_event_tags(connection, events, ids)
            for event, event_id in _last_of_each_asset(events, ids):
                self._store_asset_event(connection, event, event_id)
        self._tell(events)

    def _tell(self, events: Sequence[EventLogEntry]) -> None:
        """Hand events on to the run's log. One that can't be written doesn't stop the run: it is said once a line."""
        for event in events:
            try:
                if self.run_log:
                    self.run_log.note(event)
            except OSError as error:
                sys.stderr.write(f"The run's log could not be written: {error}\n")


def _last_of_each_asset(events: Sequence[EventLogEntry], ids: Sequence[int]) -> list[tuple[EventLogEntry, int]]:
    """Of each asset the last event of a kind: what is kept of an asset is told by it, over all that came before."""
    last = {
        (event.get_dagster_event().asset_key, event.dagster_event_type): number for number, event in enumerate(events)
    }
    return [(events[number], ids[number]) for number in sorted(last.values())]


def _is_plain_asset_event(event: EventLogEntry) -> bool:
    return event.is_dagster_event and event.dagster_event_type in ASSET_EVENTS
