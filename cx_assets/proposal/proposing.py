"""From files to a proposal, from end to end.

Belongs here: the order of the steps, and what needs all rows: the range of days. Does not: any guess itself.
"""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import duckdb

from cx_assets.ingestion.formats import file_query, prepare
from cx_assets.ingestion.times import utc_timestamp
from cx_assets.proposal.columns import Column, described
from cx_assets.proposal.delivered import DeliveryError, looked_at, sheets_of
from cx_assets.proposal.events import events_proposal
from cx_assets.proposal.groups import Group, grouped
from cx_assets.proposal.guesses import Proposal, SourceProposal
from cx_assets.proposal.kinds import Kind, joins_of, kinds_of, masters_of
from cx_assets.proposal.manifest_text import source_of
from cx_assets.proposal.masters import campaigns_proposal, customers_proposal, items_proposal
from cx_assets.proposal.nested import unfolded
from cx_assets.proposal.refusal import refusal
from cx_assets.proposal.samples import sampled, typed
from cx_assets.proposal.seen import seen
from cx_assets.proposal.wide import unwound
from cx_assets.proposal.zeros import aligned
from cx_assets.table.connection import connect

# Text beyond this takes too long to read whole for its first and last day.
READ_WHOLE = 400 << 20


def proposed(name: str, paths: Sequence[Path]) -> tuple[Proposal, Path]:
    """The proposal of a manifest for some files, and the folder that it must be in.

    Args:
        name: of the dataset.
        paths: absolute paths of data files.

    Raises:
        DeliveryError: if none of them tells who did what when, or one can't be read.
    """
    folder = Path(os.path.commonpath([path.parent for path in paths]))
    delivered, doubts = [], []
    for path in paths:
        try:
            sheets = sheets_of(path)
        except DeliveryError as error:
            doubts.append(f"{error} It is left out.")
            continue
        for sheet in sheets:
            try:
                delivered.append(looked_at(path, sheet))
            except DeliveryError as error:
                doubts.append(f"{error} It is left out.")
    groups = grouped(delivered, folder)
    with connect(None, "1GB", 2) as connection:
        told, unread = _described(connection, groups)
        told, kinds = aligned(connection, told, kinds_of(connection, told))
        sources = _sources(connection, told, kinds)
        doubts += [doubt for group in groups for file in group.files for doubt in file.doubts]
        unused = [
            (group.name, kind.why or "nothing tells what it is")
            for (group, _), kind in zip(told, kinds, strict=True)
            if not kind.table
        ]
        naive = any(source.naive for source in sources)
        common = seen(connection, sources)
        proposal = Proposal(name, tuple(sources), (*unused, *unread), tuple(doubts), naive=naive, seen=common)
        if not proposal.of("events"):
            raise DeliveryError(refusal(name, folder, told, kinds, doubts))
        return _with_days(connection, proposal), folder


def _described(
    connection: duckdb.DuckDBPyConnection, groups: Sequence[Group]
) -> tuple[list[tuple[Group, list[Column]]], list[tuple[str, str]]]:
    told, unread = [], []
    for group in groups:
        try:
            sample = unwound(connection, unfolded(connection, sampled(connection, group)))
            told.append((sample, described(connection, sample)))
        except duckdb.Error as error:
            unread.append((group.name, f"it can't be read: {str(error).strip().splitlines()[0]}"))
    return told, unread


def _sources(
    connection: duckdb.DuckDBPyConnection, told: Sequence[tuple[Group, list[Column]]], kinds: Sequence[Kind]
) -> list[SourceProposal]:
    masters = masters_of(told, kinds)
    found: list[SourceProposal] = []
    for (group, columns), kind in zip(told, kinds, strict=True):
        match kind.table:
            case "events":
                joins = joins_of(connection, (group, columns), masters)
                found.append(events_proposal(connection, group, columns, kind, joins))
            case "customers":
                found.append(customers_proposal(connection, group, columns, kind))
            case "items":
                found.append(items_proposal(connection, group, columns, kind))
            case "campaigns" | "campaign_targets" | "campaign_responses":
                found.append(campaigns_proposal(group, columns, kind))
    tables = ("events", "customers", "items", "campaigns", "campaign_targets", "campaign_responses")
    found = [replace(source, notes=(*source.group.remarks, *source.notes)) for source in found]
    # What is most is most telling: purchases before ratings.
    return sorted(found, key=lambda source: (tables.index(source.table), -source.group.size))


def _with_days(connection: duckdb.DuckDBPyConnection, proposal: Proposal) -> Proposal:
    """The first and the last day of the events, of all rows where that doesn't take long."""
    exact = True
    connection.execute("create or replace temp table days (day date, events bigint)")
    for source in proposal.of("events"):
        time = source.guess("occurred_at")
        if time is None or not time.columns:
            continue
        group = source.group
        instant = time.expression
        if not typed(connection, group)[time.columns[0]].startswith("TIMESTAMP"):  # that needs no reading
            instant = utc_timestamp(f"cast(try({time.expression}) as varchar)")
        sample = [f"select * from {group.table}"]
        queries = sample
        whole = group.whole or group.first.format == "parquet" or group.size <= READ_WHOLE
        if whole and not group.whole:
            declared = source_of(group)
            prepare(connection, declared, group.first.path.parent)
            queries = [file_query(file.path, declared) for file in group.files]
        try:
            _add_days(connection, queries, instant)
        except duckdb.Error:
            # The doctor names the line that stops the reader; the sample has a range already.
            _add_days(connection, sample, instant)
            whole = group.whole
        exact &= whole
    first, last = _span(connection)
    return replace(proposal, first_day=first, last_day=last, exact_days=exact)


def _add_days(connection: duckdb.DuckDBPyConnection, queries: Sequence[str], instant: str) -> None:
    """Count the events of each day; a file at a time, as each that is read at once takes memory."""
    for query in queries:
        connection.execute(
            f"""
            insert into days
            with told as (select cast({instant} as timestamp) as at_ from ({query}))
            select cast(at_ as date) as day, count(*) from told
            where at_ is not null and isfinite(at_) and at_ <= cast(current_timestamp as timestamp) group by day
            """
        )


def _span(connection: duckdb.DuckDBPyConnection) -> tuple[str, str]:
    """The first and last day of the events that were counted; empty if there are none.

    A lone typing error, such as the year 1905, would stretch the range: the outermost ten-thousandth of the events only
    counts where it is within a month of the others.
    """
    low, high, least, most = connection.execute(
        """
        with per_day as (select day, sum(events) as events from days group by day),
        ordered as (
            select day, sum(events) over (order by day) as upto, sum(events) over () as total from per_day
        )
        select
            min(day) filter (upto >= total / 10000), min(day) filter (upto >= total - total / 10000),
            min(day), max(day)
        from ordered
        """
    ).fetchall()[0]
    if low is None:
        return "", ""
    first = least if (low - least).days <= 31 else low
    last = most if (most - high).days <= 31 else high
    return first.isoformat(), last.isoformat()
