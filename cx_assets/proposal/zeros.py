"""Ids that one file writes with zeros before them and another without, as 00123 and 123.

Belongs here: finding out, and the SQL that makes them equal. Does not: how else ids find one another (`kinds`).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import duckdb

from cx_assets.proposal.choosing import chosen
from cx_assets.proposal.columns import Column
from cx_assets.proposal.groups import Group
from cx_assets.proposal.kinds import Kind, found_share, joins_of, masters_of
from cx_assets.proposal.roles import JOINED

Described = tuple[Group, list[Column]]
"""A group of files and its columns."""

PADDED = re.compile(r"0+\d+")
PARTS = {"customers": "customer_id", "items": "item_id"}
NOTE = "Zeros before its numbers are left out: not every file writes them. "


def aligned(
    connection: duckdb.DuckDBPyConnection, told: Sequence[Described], kinds: Sequence[Kind]
) -> tuple[list[Described], list[Kind]]:
    """Files and what they hold; ids without zeros before them where only so those of events are in master data."""
    # Looking for ids takes as long as all other guesses; most files have no zeros before them.
    if not any(bare(column) is not column for _, columns in told for column in columns):
        return list(told), list(kinds)
    masters = masters_of(told, kinds)
    picks = {
        number: _ids(connection, told[number], masters) for number, kind in enumerate(kinds) if kind.table == "events"
    }
    parts = {
        part
        for number, own in picks.items()
        for part, column in own.items()
        if _only_so(connection, told[number][0], column, *masters[part])
    }
    found, held = list(told), list(kinds)
    for number, (group, columns) in enumerate(told):
        names = {column.name for part, column in picks.get(number, {}).items() if part in parts}
        found[number] = (group, [bare(column) if column.name in names else column for column in columns])
        kind = kinds[number]
        if kind.key is not None and PARTS.get(kind.table) in parts:
            held[number] = replace(kind, key=bare(kind.key))
    return found, held


def bare(column: Column) -> Column:
    """A column without the zeros before its numbers, if it has any."""
    if column.type != "VARCHAR" or not any(PADDED.fullmatch(value) for value in column.values):
        return column
    return replace(column, sql=f"regexp_replace(trim({column.sql}), '^0+([0-9]+)$', '\\1')", note=NOTE)


def _ids(
    connection: duckdb.DuckDBPyConnection, events: Described, masters: Mapping[str, tuple[Group, Column]]
) -> dict[str, Column]:
    """The columns of events that seem to hold the ids of master data."""
    picks = chosen(events[1], joins_of(connection, events, masters))
    return {part: picks[part].column for part in masters if part in picks}


def _only_so(
    connection: duckdb.DuckDBPyConnection, group: Group, column: Column, master: Group, key: Column
) -> bool:  # fmt: skip
    as_is, without = (
        found_share(connection, group, one, master, other)[0]
        for one, other in ((column, key), (bare(column), bare(key)))
    )
    return as_is < JOINED <= without
