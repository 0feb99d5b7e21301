"""How long rows are kept: which tables may lose old rows, which may not and why, and removing them.

Belongs here: the rules and their application, all in one transaction. Does not: Dagster's own history (`history`) or
when it happens (`automation`). Bytes of removed rows stay in the file until `compaction` writes it anew.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from difflib import get_close_matches

import duckdb

from cx_assets.dataset import Dataset
from cx_assets.evaluation.tables import BACKTEST_LISTS
from cx_assets.ingestion.tables import RAW_EVENTS, raw_events_table
from cx_assets.table import Table, TableSpec, from_frame
from cx_assets.table.removed import is_among, remove_before
from cx_assets.table.storage import read, require_readable, stored_columns
from cx_assets.warehouse.clauses import event_clauses
from cx_assets.warehouse.staying import staying
from cx_assets.warehouse.tables import CUSTOMER_MERGES, EVENTS, REJECTED_EVENTS

HALF_LIVES = 4
"""An event counts a sixteenth after so many half-lives: what is older hardly bears on any list."""

KEEPABLE = {
    RAW_EVENTS.qualified: (RAW_EVENTS, REJECTED_EVENTS),
    EVENTS.qualified: (EVENTS,),
    BACKTEST_LISTS.qualified: (BACKTEST_LISTS,),
}
"""The tables that may lose old rows, by the name of the setting. A rejected event is a raw event, and goes with it."""


class RetentionError(Exception):
    """A rule would remove what later stages rest on; nothing was removed."""


@dataclass(frozen=True)
class Kept:
    """What a rule did to one table.

    Attributes:
        table: its name, stage.table.
        days: how long its rows are kept.
        kept_from: the first day that is kept.
        removed: rows that were removed now.
        staying: rows of days before that stay, because others are about them.
        oldest: the oldest day that is left, but for such rows; None without others.
    """

    table: str
    days: int
    kept_from: date
    removed: int
    staying: int
    oldest: date | None


def learning_days(horizon_days: int, ranker_horizon_days: int, cuts: int, half_life_days: float) -> int:
    """The days of events that later stages rest on, counted back from the last event.

    The last horizon is held back for judging; the ranker learns from `cuts` earlier dates, a horizon apart; and each of
    them looks back on a history in which an event counts half after `half_life_days`.
    """
    return horizon_days + cuts * ranker_horizon_days + round(HALF_LIVES * half_life_days)


def why_all_raw_events_stay(dataset: Dataset) -> str | None:
    """Why nothing can be right without the old raw events of a dataset; None where it can.

    Where rows are about others, a few rows of a day are judged long after the rest of it has gone.
    """
    if not dataset.has_links:
        return None
    if any(source.corrections for source in dataset.events):
        return (
            "this dataset declares corrections: a newer version may move an event to another day, and whether an older "
            "one is among the events could no longer be told"
        )
    if dataset.session_gap_minutes is not None:
        return (
            "this dataset declares cancels or returns, and session_gap_minutes: the sessions of the few rows that stay "
            "of a day would be others"
        )
    unique = [clause.column for clause in event_clauses(dataset) if clause.asks == "others"]
    if unique:
        return (
            f"this dataset declares cancels or returns, and that {' and '.join(unique)} is unique: whether one of the "
            "few rows that stay of a day was the first could no longer be told"
        )
    return None


def refusals(
    rules: Mapping[str, int], learning: int, known: Iterable[str], all_raw_events: str | None = None
) -> list[str]:
    """Why rules can't be applied, a sentence for each; empty if they can.

    Args:
        rules: days by table.
        learning: the days of events that later stages rest on.
        known: the names of all tables.
        all_raw_events: why raw events have to stay, if they do.
    """
    names = list(known)
    found = []
    for table, days in rules.items():
        if table == REJECTED_EVENTS.qualified:
            found.append(f"{table}: a rejected event is a raw event, and goes with it: set {RAW_EVENTS.qualified}.")
        elif table not in names:
            near = get_close_matches(table, names, 1)
            found.append(f"{table}: no such table." + (f" Did you mean {near[0]}?" if near else ""))
        elif table not in KEEPABLE:
            found.append(
                f"{table}: it is made anew as a whole, of what is kept of other tables, so none of its rows has an age "
                f"of its own. Rules can be for {', '.join(KEEPABLE)}."
            )
        elif all_raw_events and table == RAW_EVENTS.qualified:
            found.append(f"{table}: {all_raw_events}. Keep them all.")
        elif table == EVENTS.qualified:
            found += _refused_events(days, rules.get(RAW_EVENTS.qualified), learning)
    return found


def _refused_events(days: int, raw_days: int | None, learning: int) -> list[str]:
    name, raw = EVENTS.qualified, RAW_EVENTS.qualified
    if days < learning:
        return [
            f"{name}: {days} days are fewer than the {learning} that models learn from and are judged on: the held-out "
            f"horizon, the ranker's earlier dates, and {HALF_LIVES} half-lives of an event. Keep {learning} days or "
            "more."
        ]
    if raw_days is None or raw_days > days:
        return [
            f"{name}: raw events would be kept longer than the events made of them, and it could no longer be told "
            f"that nothing is lost. Keep {raw} for {days} days or fewer."
        ]
    return []


def first_kept_day(dataset: Dataset, days: int) -> date:
    """The first of so many days up to the dataset's last: its declared one, or today."""
    return dataset.last_known_day - timedelta(days=days - 1)


def first_day_to_load(dataset: Dataset, rules: Mapping[str, int]) -> date:
    """The first day that a run without a first day loads: not one that the next retention would remove again."""
    raw = rules.get(RAW_EVENTS.qualified)
    return dataset.first_day if raw is None else max(dataset.first_day, first_kept_day(dataset, raw))


def apply(
    connection: duckdb.DuckDBPyConnection, dataset: Dataset, rules: Mapping[str, int], learning: int
) -> list[Kept]:
    """Remove what is older than its table's rule lets it be, of all tables in one transaction.

    Args:
        connection: the writer's.
        dataset: for its last day, from which ages are counted.
        rules: days by table, none of which is refused.
        learning: the days of events before the last that are kept in any case, should no new ones have come for long.

    Returns:
        One for each stored table that a rule is about.

    Raises:
        TableReadError: if raw events are stored as of before the manifest declared what they may be about.
    """
    at = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    stay = _staying(connection, dataset, rules)
    found = []
    connection.execute("begin")
    try:
        for name, days in rules.items():
            kept_from = first_kept_day(dataset, days)
            if name == EVENTS.qualified and (last := _last_day(connection)):
                kept_from = min(kept_from, last - timedelta(days=learning - 1))
            for spec in KEEPABLE[name]:
                if stored_columns(connection, spec):
                    places = stay if name == RAW_EVENTS.qualified else None
                    removed = remove_before(connection, spec, kept_from, at, places)
                    found.append(Kept(spec.qualified, days, kept_from, removed, *_left(connection, spec, places)))
        connection.execute("commit")
    except BaseException:
        connection.execute("rollback")
        raise
    return found


def _staying(connection: duckdb.DuckDBPyConnection, dataset: Dataset, rules: Mapping[str, int]) -> Table | None:
    """The places of old raw events that stay because others are about them; None where no row is about another."""
    days = rules.get(RAW_EVENTS.qualified)
    if days is None or not dataset.has_links or not stored_columns(connection, RAW_EVENTS):
        return None
    spec = raw_events_table(links=True)
    require_readable(connection, spec)
    merged = bool(stored_columns(connection, CUSTOMER_MERGES))
    merges = read(connection, CUSTOMER_MERGES) if merged else Table(connection, CUSTOMER_MERGES.no_rows())
    places = staying(read(connection, spec), merges, first_kept_day(dataset, days))
    return from_frame(connection, places.arrow())  # found before any row has gone


def _left(connection: duckdb.DuckDBPyConnection, spec: TableSpec, stay: Table | None) -> tuple[int, date | None]:
    """How many rows are left that stay for others, and the oldest day of the others."""
    row = connection.execute(
        f"""
        with told as (select {spec.window_column} as day, {is_among(stay)} as stays from {spec.qualified})
        select count(*) filter (stays), cast(min(day) filter (not stays) as date) from told
        """
    ).fetchone()
    return row or (0, None)


def _last_day(connection: duckdb.DuckDBPyConnection) -> date | None:
    """The last day that has events; None where none is stored."""
    if not stored_columns(connection, EVENTS):
        return None
    row = connection.execute(f"select max(day) from {EVENTS.qualified}").fetchone()
    return row[0] if row else None
