"""Queries over the rows of one file, one URL or one relation as delivered, by its format.

Belongs here: file functions of DuckDB, and what a connection needs before it can run them. Does not: the mapping by the
manifest's expressions (`reader`).
"""

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path

import duckdb

from cx_assets.encodings import BUILT_IN, NAMES, encoding_name
from cx_assets.ingestion.databases import attach, relation_query
from cx_assets.ingestion.extensions import load_extension
from cx_assets.ingestion.numbers import define_functions
from cx_assets.ingestion.remote import reach
from cx_assets.ingestion.sheets import sheet_query
from cx_assets.source import Place, Source, SourceError
from cx_assets.table.connection import connect
from cx_assets.table.schema import literal, quoted

# A name that no delivered column has: the manifest's expressions see it beside them.
ROW = "cx_source_row"


LOOK_MEMORY = "256MB"

CSV_BUFFER = 1 << 20
"""Bytes that are read of a file at once, and so of its longest line. DuckDB's own 32 MiB, which it holds for every file
of a query, are too many for a year of daily files."""


def prepare(connection: duckdb.DuckDBPyConnection, source: Source, folder: Path) -> None:
    """Make a source readable on a connection: extensions, credentials, the attached database, functions for numbers.

    Args:
        connection: where its rows will be read.
        source: its declaration.
        folder: the manifest's.

    Raises:
        SourceError: if an extension or an environment variable is missing, or a database can't be reached.
    """
    define_functions(connection)
    if source.url is not None:
        reach(connection, source.url)
    if source.database is not None:
        attach(connection, source.database, folder)
    if source.format == "excel":
        load_extension(connection, "excel")
    if _needs_encodings(source):
        load_extension(connection, "encodings")


@contextmanager
def reading(source: Source, folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection of its own that a source is readable on, for a look at it outside of the warehouse.

    Args:
        source: its declaration.
        folder: the manifest's.

    Raises:
        SourceError: as `prepare`.
    """
    if source.url is not None or source.database is not None:
        with connect(None, LOOK_MEMORY, 1) as connection:
            prepare(connection, source, folder)
            yield connection
        return
    with closing(for_a_look(encodings=_needs_encodings(source))) as connection:
        prepare(connection, source, folder)
        yield connection


def _needs_encodings(source: Source) -> bool:
    return source.format == "csv" and encoding_name(source.encoding) not in BUILT_IN


def for_a_look(*, encodings: bool = False) -> duckdb.DuckDBPyConnection:
    """A connection to the database of all looks at files: nothing of one is left for the next."""
    try:
        connection = _database_of_looks(encodings).cursor()
        connection.execute("set timezone = 'UTC'")
    except duckdb.FatalException:  # An error of DuckDB's own in an earlier look has made it unusable.
        _database_of_looks.cache_clear()
        connection = _database_of_looks(encodings).cursor()
        connection.execute("set timezone = 'UTC'")
    return connection


@cache
def _database_of_looks(encodings: bool) -> duckdb.DuckDBPyConnection:
    """One database in memory for all looks at files: it takes 20 ms to make, and seconds with that extension."""
    connection = duckdb.connect(":memory:", config={"memory_limit": LOOK_MEMORY, "threads": 1})
    if encodings:
        load_extension(connection, "encodings")
    return connection


def file_query(place: Place, source: Source, condition: str = "") -> str:
    """A query over the rows of one file, URL or relation, numbered in the column `ROW`.

    Args:
        place: what is read.
        source: its declaration; the connection that runs the query was prepared for it. Columns that a file may lack
            are there, without a value where it does, and so is `element` where lists are unnested.
        condition: of a relation, SQL for the rows that are wanted.
    """
    rows = delivered_query(place, source, condition)
    if source.may_lack:
        with reading(source, Path()) as connection:
            columns = [str(row[0]) for row in connection.execute(f"describe {rows}").fetchall()]
        rows = with_lacking(rows, source.lacking(columns))
    return unnested(rows, source.unnest)


def unnested(rows: str, elements: str | None) -> str:
    """A query for the elements of a list in each row of another, as JSON in the column `element`, numbered anew.

    A row whose list is empty, missing or none stays, with an element that has no value: nothing is lost unseen.

    Args:
        rows: the other query.
        elements: SQL over its columns: a list, or a text of JSON that tells one; None for the rows as they are.
    """
    if elements is None:
        return rows
    lists = f"select *, try_cast(try_cast(try({elements}) as json) as json[]) as cx_elements from ({rows})"
    each = "unnest(case when len(cx_elements) > 0 then cx_elements else [null] end)"
    parted = f"select * exclude (cx_elements), {each} as element from ({lists})"
    return f"select * replace (row_number() over () as {ROW}) from ({parted})"


def with_lacking(rows: str, lacking: Iterable[str]) -> str:
    """A query for the rows of another with columns that it lacks: null, of a type that fits any expression."""
    nulls = "".join(f", null as {quoted(name)}" for name in lacking)
    return f"select *{nulls} from ({rows})" if nulls else rows


def delivered_query(place: Place, source: Source, condition: str = "") -> str:
    """A query over the rows of one file, URL or relation as delivered, numbered in the column `ROW`.

    Fields of CSV, JSON and Excel come as text: a type found out from a file's other rows would make what one row tells
    depend on its neighbours. Of CSV only the delimiter is found out: left to itself, DuckDB takes a line that begins
    with `#`, such as an order `#1001`, for a comment, and skips it.

    Args:
        place: what is read.
        source: its declaration; the connection that runs the query was prepared for it.
        condition: of a relation, SQL for the rows that are wanted.
    """
    name = literal(str(place))
    match source.format:
        case "parquet":
            rows = f"read_parquet({name}, file_row_number = true{_partitioned(place)})"
            return f"select * exclude (file_row_number), file_row_number + 1 as {ROW} from {rows}"
        case "jsonl":
            lines = f"format = 'newline_delimited', sample_size = -1, maximum_depth = 1{_partitioned(place)}"
            folders = ", ".join(quoted(key) for key in folder_keys(place))
            values = f"columns(* exclude ({folders})) ->> '$', {folders}" if folders else "columns(*) ->> '$'"
            return f"select {values}, row_number() over () as {ROW} from read_json({name}, {lines})"
        case "csv":
            delimiter = f", delim = {literal(source.delimiter)}" if source.delimiter else ""
            rows = (
                f"read_csv({name}, header = true, all_varchar = true, "
                f"encoding = {literal(NAMES[encoding_name(source.encoding)])}, "
                f"quote = '\"', escape = '\"', comment = ''{delimiter}{_partitioned(place)}, "
                f"buffer_size = {CSV_BUFFER}, max_line_size = {CSV_BUFFER})"
            )
            return f"select *, row_number() over () as {ROW} from {rows}"
        case "excel":
            with reading(source, Path()) as connection:
                return sheet_query(connection, str(place), source.sheet, ROW)
        case None:
            return _relation_query(place, source, condition)


def folder_keys(place: Place) -> list[str]:
    """The columns that the names of folders give, such as `day=2025-01-31`."""
    parts = str(place).split("/")[:-1]
    return list(dict.fromkeys(part.partition("=")[0] for part in parts if "=" in part))


def _partitioned(place: Place) -> str:
    """What folders' names tell is text like all else."""
    told = "true, hive_types_autocast = false" if folder_keys(place) else "false"
    return f", hive_partitioning = {told}"


def _relation_query(place: Place, source: Source, condition: str) -> str:
    """Rows of a database have no number of their own: the declared key, or null for `reader` to number them."""
    if source.database is None:
        raise SourceError(f"{place}: neither a format nor a database is declared")
    key = source.database.key
    number = f"try_cast({quoted(key)} as bigint)" if key else "null::bigint"
    return f"select *, {number} as {ROW} from ({relation_query(source.database, condition)})"


def chosen_rows(rows: str, where: str | None, *, others: bool = False) -> str:
    """A query for the rows of another that count, as a manifest's `where` says; None for all.

    A condition that can't be computed of a row isn't true of it.

    Args:
        rows: the other query.
        where: SQL over its columns.
        others: whether those are wanted that don't count.
    """
    if where is None:
        return rows
    return f"select * from ({rows}) where {'not ' if others else ''}coalesce(try({where}), false)"
