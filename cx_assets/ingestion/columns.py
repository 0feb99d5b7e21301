"""Which columns each file of a source delivers, of what kind, and how that differs from the files before it.

Belongs here: looking at headers and a sample of what is new, and comparing. Does not: whether the manifest's
expressions fit (`reader`) or what a change leads to (`checks`). A file that was looked at and hasn't changed isn't
opened again.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import duckdb

from cx_assets.dataset import Dataset
from cx_assets.ingestion.changes import file_states
from cx_assets.ingestion.formats import ROW, chosen_rows, delivered_query, file_query, reading
from cx_assets.ingestion.mapping import MappedSource, mapped_sources
from cx_assets.ingestion.places import existing, is_packed_nothing
from cx_assets.ingestion.tables import DELIVERED_COLUMNS
from cx_assets.source import Place, Source
from cx_assets.table.schema import quoted

if TYPE_CHECKING:
    import pyarrow as pa

SAMPLE = 1000
# In a sample with fewer rows, a column without a value is nothing to speak of.
ENOUGH = 50
# The share of rows with a value from which on a column without any is another one.
FULL = 0.9
# The share of values that must look like a kind: a wrong one here and there is the contract's to reject, row by row.
MOSTLY = 0.9
EMPTY, MISSING, TEXT = "empty", "missing", "text"
# Asked in this order: days written with points look like numbers.
KINDS = {
    "time": "[0-9]{1,4}[-./][0-9]{1,2}[-./][0-9]{1,4}([ T].*)?",
    "number": "[-+]?[0-9]+([.,][0-9]+)*([eE][-+]?[0-9]+)?",
}

Row = dict[str, Any]
"""A row of `ingestion.delivered_columns`."""


def look(
    dataset: Dataset, before: list[Row], told_name: Callable[[Source, Place], str], *, counting: bool = True
) -> list[Row]:
    """The columns of every file that is there or was.

    Args:
        dataset: whose sources they are.
        before: what the last look returned; nothing at first.
        told_name: what tables call a file.
        counting: whether the rows of new files of events are counted, for which they are read to their end.

    Raises:
        SourceError: if a source has no file or can't be reached.
    """
    number = max((int(row["look"]) for row in before), default=0) + 1
    rows = []
    for _, mapped in mapped_sources(dataset):
        name = ".".join(map(str, mapped.location))
        own = [row for row in before if row["source"] == name]
        states = {told_name(mapped.source, place): (place, state) for place, state in _states(dataset, mapped).items()}
        common = {"delivered_as": mapped.table, "source": name, "look": number}
        rows += _looked_at(dataset, mapped, own, states, common, counting and mapped.table == "events")
    return rows


def _looked_at(
    dataset: Dataset,
    mapped: MappedSource,
    own: list[Row],
    states: dict[str, tuple[Place, str]],
    common: Row,
    counting: bool,
) -> list[Row]:
    """The rows of one source: of files that are as they were those of before, of others new ones."""
    known = {row["source_file"]: row["state"] for row in own}
    # By where they are: what tables call them may be a pseudonym, and an export's later file has the later name.
    order = {name: str(place) for name, (place, _) in states.items()}
    new = [name for name, (_, state) in states.items() if not state or known.get(name) != state]
    stops = stops_for_columns(dataset, mapped.table)
    rows = list(own)
    with reading(mapped.source, dataset.folder) as connection:
        for name in sorted(new, key=order.__getitem__):
            place, state = states[name]
            old = [row for row in rows if row["source_file"] == name]
            try:
                found = _sampled(connection, place, mapped.source)
                count = _counted(connection, place, mapped) if counting and state else None
            except duckdb.Error:
                continue  # Loading it says what is wrong with it, where and why.
            told = _compared(found, _expected(rows, stops, order), mapped.source)
            # A relation has no state: it is looked at every time, and mostly as it was.
            if state or _kinds(old) != _kinds(told):
                rows = [row for row in rows if row["source_file"] != name]
                rows += [{**common, "source_file": name, "state": state, "rows": count, **row} for row in told]
    return rows


def stops_for_columns(dataset: Dataset, table: str) -> bool:
    """Whether the contract stops a run when a column of a table's files is missing or of another kind."""
    contract = getattr(dataset.contract, table, None)
    return contract is not None and contract.on_changed_columns == "stop"


def _kinds(rows: list[Row]) -> dict[str, str]:
    return {row["column_name"]: row["kind"] for row in rows}


def _states(dataset: Dataset, mapped: MappedSource) -> dict[Place, str]:
    if mapped.source.database is not None:
        return dict.fromkeys(existing(dataset, mapped), "")
    states = file_states(dataset, mapped)
    return {
        place: json.dumps(state) for place, state in states.items() if state[0] != 0 and not is_packed_nothing(place)
    }


def _sampled(connection: duckdb.DuckDBPyConnection, place: Place, source: Source) -> list[Row]:
    """Name, kind and share of rows with a value of each column of a file, in order."""
    rows_of_file = f"select * exclude ({ROW}) from ({delivered_query(place, source)}) limit {SAMPLE}"
    connection.execute(f"create or replace temp table sample as {rows_of_file}")
    names = [str(row[0]) for row in connection.execute("describe sample").fetchall()]
    figures = []
    for name in names:
        text = f"nullif(trim(cast({quoted(name)} as varchar)), '')"
        figures.append(f"count({text})")
        figures += [f"count(*) filter (regexp_full_match({text}, '{pattern}'))" for pattern in KINDS.values()]
    rows, *counts = connection.execute(f"select count(*), {', '.join(figures)} from sample").fetchall()[0]
    found = []
    for name, filled, *alike in zip(names, *(counts[i :: 1 + len(KINDS)] for i in range(1 + len(KINDS))), strict=True):
        kind = next((kind for kind, count in zip(KINDS, alike, strict=True) if count >= MOSTLY * filled), TEXT)
        share = filled / rows if rows >= ENOUGH else None
        found.append({"column_name": name, "kind": kind if filled else EMPTY, "filled": share})
    return found


def _counted(connection: duckdb.DuckDBPyConnection, place: Place, mapped: MappedSource) -> int:
    counting = f"select count(*) from ({chosen_rows(file_query(place, mapped.source), mapped.where)})"
    return int(connection.execute(counting).fetchall()[0][0])


def _expected(rows: list[Row], stops: bool, order: Mapping[str, str]) -> dict[str, Row]:
    """What the next file of a source should be like: the columns of the last one, of the kinds of all.

    Where a change stops a run, it is never what is expected: it stops the next one too, until it is undone.

    Args:
        rows: of the source.
        stops: whether a change stops a run.
        order: what the files of one look come after one another by; a file that is gone comes before those.
    """
    expected: dict[str, Row] = {}
    by_file: dict[tuple[int, str, str], list[Row]] = {}
    for row in rows:
        place = order.get(row["source_file"], "")
        by_file.setdefault((row["look"], place, row["source_file"]), []).append(row)
    for _, columns in sorted(by_file.items()):
        now = {}
        for row in columns:
            kind = row["expected"] if stops and row["expected"] else row["kind"]
            if kind != MISSING:
                now[row["column_name"]] = {"kind": kind, "filled": row["filled"]}
        expected = {name: _both(expected.get(name, row), row) for name, row in now.items()}
    return expected


def _both(one: Row, other: Row) -> Row:
    kinds = {one["kind"], other["kind"]} - {EMPTY}
    shares = [row["filled"] for row in (one, other) if row["filled"] is not None]
    return {"kind": kinds.pop() if len(kinds) == 1 else TEXT if kinds else EMPTY, "filled": min(shares, default=None)}


def _compared(found: list[Row], expected: dict[str, Row], source: Source) -> list[Row]:
    """What was found, each with the kind that was expected: its own, another, or None of a new column.

    A column that the source's files may lack comes and goes, and is neither new nor missing.
    """
    own, may_lack = {row["column_name"] for row in found}, {name.lower() for name in source.may_lack}
    told = []
    for row in found:
        name = row["column_name"]
        as_it_is = row if not expected or name.lower() in may_lack else None
        was = expected.get(name, as_it_is)
        kind = None if was is None else was["kind"] if _is_other(row, was) else row["kind"]
        told.append({**row, "expected": kind})
    gone = [name for name in expected if name not in own and name.lower() not in may_lack]
    return told + [
        {"column_name": name, "kind": MISSING, "filled": None, "expected": expected[name]["kind"]} for name in gone
    ]


def _is_other(row: Row, was: Row) -> bool:
    """Whether a column's values are of another kind; text may be anything, and so may what had no value."""
    if row["kind"] == EMPTY:
        return row["filled"] is not None and (was["filled"] or 0) >= FULL
    return was["kind"] not in (row["kind"], TEXT, EMPTY)


def as_arrow(rows: list[Row]) -> "pa.Table":
    """Rows as an Arrow table of the declared columns."""
    import pyarrow as pa

    types = {"varchar": pa.string(), "double": pa.float64(), "bigint": pa.int64()}
    columns = DELIVERED_COLUMNS.columns
    return pa.Table.from_pylist(rows, schema=pa.schema([(c.name, types[c.type]) for c in columns]))


def changes_of(rows: Iterable[Row]) -> list[tuple[Row, str]]:
    """The columns of the last look that aren't as they were, with what is to be said of each."""
    rows = list(rows)
    last = max((row["look"] for row in rows), default=0)
    told = []
    for row in rows:
        if row["look"] == last and row["kind"] != row["expected"]:
            name = f"{row['source_file']}: the column '{row['column_name']}'"
            if row["expected"] is None:
                told.append((row, f"{name} is new"))
            elif row["kind"] == MISSING:
                told.append((row, f"{name} is missing"))
            elif row["kind"] == EMPTY:
                told.append((row, f"{name} has no value any more"))
            else:
                told.append((row, f"{name} is {row['kind']}, and was {row['expected']}"))
    return told
