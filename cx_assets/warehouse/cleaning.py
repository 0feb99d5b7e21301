"""How delivered events become events, rejected and withdrawn ones, for one dataset.

Belongs here: putting the contract, links and merges together, in the one order that all of them need, and doing it
again for days that are stored. Does not: any of the three, or what Dagster calls when (`assets`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from cx_assets.dataset import Dataset
from cx_assets.ingestion.tables import raw_events_table
from cx_assets.table import Table, TableSpec, from_frame
from cx_assets.table.storage import Window
from cx_assets.warehouse.anew import changed_days, made_anew
from cx_assets.warehouse.contract import judge
from cx_assets.warehouse.events import accepted, rejected
from cx_assets.warehouse.links import linked_events, settled, withdrawals
from cx_assets.warehouse.merges import renamed_events
from cx_assets.warehouse.pieces import pieces
from cx_assets.warehouse.renaming import misnamed_days
from cx_assets.warehouse.tables import EVENTS, REJECTED_EVENTS, WITHDRAWN_EVENTS

if TYPE_CHECKING:
    from cx_assets.table.warehouse import Warehouse

SORTED_AT_ONCE = 1_000_000
"""Events; some 300 bytes each, so that the default memory of a gigabyte holds them."""


@dataclass(frozen=True)
class Cleaning:
    """The cleaning of a dataset's events; where nothing is declared to be about another, nothing is looked for.

    Attributes:
        dataset: for its contract, and what it declares of corrections, cancels and returns.
        masters: the tables that the contract refers to, as delivered: `customers`, `items`.
    """

    dataset: Dataset
    masters: Mapping[str, Table] = field(default_factory=dict)

    @property
    def raw_events(self) -> TableSpec:
        """The declaration of what was delivered."""
        return raw_events_table(links=self.dataset.has_links)

    def withdrawn(self, raw_events: Table, merges: Table) -> Table:
        """The rows of `warehouse.withdrawn_events`, of all raw events that are stored."""
        if not self.dataset.has_links:
            return Table(raw_events.connection, WITHDRAWN_EVENTS.no_rows())
        linked = renamed_events(judge(linked_events(raw_events), self.dataset, self.masters), merges)
        return from_frame(raw_events.connection, withdrawals(linked, self.dataset.timezone).arrow())

    def events(self, raw_events: Table, withdrawn_events: Table, merges: Table) -> list[Table]:
        """The rows of `warehouse.events` that days of raw events become, in pieces that can be sorted in memory."""
        return [
            accepted(renamed_events(self.judged(days, withdrawn_events), merges), self.dataset.session_gap_minutes)
            for days in pieces(raw_events, SORTED_AT_ONCE)
        ]

    def rejected(self, raw_events: Table, withdrawn_events: Table) -> Table:
        """The rows of `warehouse.rejected_events` that days of raw events become."""
        return rejected(self.judged(raw_events, withdrawn_events))

    def judged(self, raw_events: Table, withdrawn_events: Table) -> Table:
        """Raw events by the contract, as `contract.judge` returns them, without those that were withdrawn."""
        judged = judge(raw_events, self.dataset, self.masters)
        return settled(judged, withdrawn_events) if self.dataset.has_links else judged

    def renew_withdrawn(self, warehouse: "Warehouse", withdrawn_events: Table, merges: Table) -> list[date]:
        """Make stored days anew of which other rows are withdrawn than when they were made; returns them, sorted."""
        if not self.dataset.has_links:
            return []
        return made_anew(
            warehouse,
            changed_days(warehouse, withdrawn_events),
            self.raw_events,
            (EVENTS, lambda raw_events: self.events(raw_events, withdrawn_events, merges)),
            (REJECTED_EVENTS, lambda raw_events: self.rejected(raw_events, withdrawn_events)),
        )

    def renew_misnamed(
        self, warehouse: "Warehouse", withdrawn_events: Table, merges: Table, window: Window
    ) -> list[date]:
        """Make stored days anew whose events are under ids that no longer count, those of a window left out.

        Raises:
            RawEventsGoneError: if what such events were made of is no longer stored.
        """
        return made_anew(
            warehouse,
            misnamed_days(warehouse, merges, self.raw_events, window),
            self.raw_events,
            (EVENTS, lambda raw_events: self.events(raw_events, withdrawn_events, merges)),
        )
