"""Some rows of a group of files, as delivered.

Belongs here: reading a sample that is small enough to look at, and what it holds. Does not: what the columns mean
(`columns`, `roles`).
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Literal

import duckdb

from cx_assets.ingestion.formats import ROW, file_query, prepare
from cx_assets.proposal.delivered import Delivered, opened, reading, sample_file
from cx_assets.proposal.groups import Group
from cx_assets.source import Source
from cx_assets.table.schema import quoted

# Of each group so many rows, and of its text so many bytes, in pieces from start to end.
ROWS = 100_000
BYTES = 8 << 20
PIECES = 8
FILES = 4


def sampled(connection: duckdb.DuckDBPyConnection, group: Group) -> Group:
    """Load a sample of a group's rows into its table; rows are numbered in its column `cx_order`.

    Raises:
        duckdb.Error: if the rows can't be read as their header says.
    """
    chosen = _spread(group.files, FILES)
    with ExitStack() as stack:
        if group.first.format in ("csv", "jsonl"):
            budget = BYTES // len(chosen)
            queries = [_text_query(stack, file, group.encoding, budget) for file in chosen]
            whole = all(_small(file.path, budget) for file in chosen)
            _load(connection, group.table, queries)
        else:
            each = ROWS // len(chosen)
            queries = [f"select * from ({_typed_query(connection, file)}) limit {each}" for file in chosen]
            whole = _load(connection, group.table, queries) < each
    return replace(group, whole=whole and len(chosen) == len(group.files))


def _text_query(stack: ExitStack, file: Delivered, encoding: str, budget: int) -> str:
    """A query over pieces of a text file, which are there until the stack is left."""
    texts = _pieces(file, encoding, budget)
    kind: Literal["csv", "jsonl"] = "jsonl" if file.format == "jsonl" else "csv"
    path = stack.enter_context(sample_file(texts, f".{kind}"))
    # A line that was cut inside quotes is no reason to look no further.
    rows = reading(path, kind, file.delimiter).replace("encoding", "ignore_errors = true, encoding")
    given = "columns(*) ->> '$'" if kind == "jsonl" else "*"
    return f"select {given} from {rows}"


def _typed_query(connection: duckdb.DuckDBPyConnection, file: Delivered) -> str:
    """A query over a file that is no text, as a run reads it: of a sheet that is text, times written year first."""
    source = Source.model_validate({"files": file.path.name, "format": file.format, "sheet": file.sheet or None})
    prepare(connection, source, file.path.parent)
    return f"select * exclude ({ROW}) from ({file_query(file.path, source)})"


def _load(connection: duckdb.DuckDBPyConnection, table: str, queries: Sequence[str]) -> int:
    """Load rows by the names of their columns, which files may have in another order, and count them."""
    rows = " union all by name ".join(f"({query})" for query in queries)
    connection.execute(
        f"create or replace temp table {table} as select *, row_number() over () as cx_order from ({rows})"
    )
    return int(connection.execute(f"select count(*) from {table}").fetchall()[0][0])


def _spread(files: Sequence[Delivered], count: int) -> list[Delivered]:
    """Some of many, from the first to the last."""
    if len(files) <= count:
        return list(files)
    return [files[round(step * (len(files) - 1) / (count - 1))] for step in range(count)]


def _small(path: Path, budget: int) -> bool:
    return path.stat().st_size <= budget and not path.name.lower().endswith(".gz")


def _pieces(file: Delivered, encoding: str, budget: int) -> Iterator[str]:
    """Lines of a text file: all of a small one, whole lines from evenly spread places of a large one."""
    size = file.path.stat().st_size
    page = "utf-8-sig" if encoding == "utf-8" else encoding
    with opened(file.path) as stream:
        # What is packed can't be jumped into, and the two bytes of UTF-16 could be cut in halves.
        if _small(file.path, budget) or file.path.name.lower().endswith(".gz") or encoding == "utf-16":
            text = stream.read(budget).decode(page, errors="replace")
            complete = text if len(text) < budget // 4 or text.endswith("\n") else text[: text.rfind("\n") + 1]
            yield complete
            return
        places = [round(step * (size - budget // PIECES) / (PIECES - 1)) for step in range(PIECES)]
        for number, (place, _) in enumerate(pairwise([*places, size])):
            stream.seek(place)
            text = stream.read(budget // PIECES).decode(page, errors="replace")
            if number:
                text = text[text.find("\n") + 1 :]
            yield text[: text.rfind("\n") + 1]


def some_values(
    connection: duckdb.DuckDBPyConnection, group: Group, columns: Sequence[str], rows: int
) -> dict[str, list[str]]:
    """Some values of each column as text, in the order of the rows, without empty ones.

    They are from start to end of the sample: what is rare, or comes late, should show.
    """
    count = connection.execute(f"select count(*) from {group.table}").fetchall()[0][0]
    texts = ", ".join(f"trim({quoted(name)}::varchar)" for name in columns)
    step = max(count // rows, 1)
    taken = connection.execute(f"select {texts} from {group.table} where cx_order % {step} = 0 order by cx_order")
    lines = taken.fetchall()
    found = {name: [str(line[n]) for line in lines if line[n]] for n, name in enumerate(columns)}
    for name in columns:
        if step > 1 and len(found[name]) < rows // 10:  # a column that is mostly empty
            text = f"trim({quoted(name)}::varchar)"
            given = connection.execute(f"select {text} from {group.table} where {text} <> '' limit {rows}").fetchall()
            found[name] = [str(row[0]) for row in given]
    return found


def typed(connection: duckdb.DuckDBPyConnection, group: Group) -> dict[str, str]:
    """The types of the columns that all files of a group have: varchar for CSV and JSON lines."""
    rows = connection.execute(f"describe {group.table}").fetchall()
    return {str(row[0]): str(row[1]) for row in rows if row[0] not in {"cx_order", *group.partial, *group.nested}}
