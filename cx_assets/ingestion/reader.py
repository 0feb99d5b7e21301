"""From the sources that a manifest names to queries over their rows.

Belongs here: the mapping by the manifest's expressions. Does not: whether they fit the sources (`fitting`), how a
format is read (`formats`), what has changed (`changes`), judging rows (`warehouse`). Everything is read as text, so
that a wrong value is a row to be rejected later, with its file and line, and not a failed run.
"""

from collections.abc import Callable
from datetime import date, timedelta

import duckdb

from cx_assets.dataset import Dataset
from cx_assets.days import days_over
from cx_assets.ingestion.databases import Days, days_condition
from cx_assets.ingestion.encoding import require_encoding
from cx_assets.ingestion.fitting import problems
from cx_assets.ingestion.formats import ROW, chosen_rows, file_query, prepare, reading
from cx_assets.ingestion.mapping import MappedSource, as_text, mapped_sources
from cx_assets.ingestion.numbers import as_plain_number
from cx_assets.ingestion.places import existing, label
from cx_assets.ingestion.times import local_day, utc_timestamp
from cx_assets.privacy.discretion import discreet
from cx_assets.privacy.mapping import file_name_sql, protected_query
from cx_assets.source import Place, Source, SourceError
from cx_assets.table.schema import literal, quoted


def prepared(connection: duckdb.DuckDBPyConnection, dataset: Dataset, table: str) -> None:
    """Make the sources of a table readable on a connection, before its `table_query` runs there.

    Raises:
        SourceError: if an extension or an environment variable is missing, or a database can't be reached.
    """
    for name, mapped in mapped_sources(dataset):
        if name == table:
            prepare(connection, mapped.source, dataset.folder)


RowsOf = Callable[[Place, Source, str], str]
"""A query over the rows of a file, URL or relation as delivered, as `file_query` makes it."""


def table_query(
    dataset: Dataset, table: str, columns: list[str], days: Days | None = None, rows_of: RowsOf = file_query
) -> str:
    """A query over all rows that feed a table: its columns as text, `source_file`, and `source_row` from 1.

    A table that the manifest doesn't declare has no rows.

    Args:
        dataset: the dataset.
        table: `events`, `customers`, ...
        columns: which of its columns.
        days: the first and the last day whose rows are wanted; a database that can tell may leave others out.
        rows_of: where the rows are read from, if they are held somewhere already.

    Raises:
        SourceError: if a declared source has no file, a file isn't in its declared encoding, or an expression doesn't
            fit it: files may have changed since the manifest was last held against them.
    """
    sources = [mapped for name, mapped in mapped_sources(dataset) if name == table]
    places = [(place, mapped) for mapped in sources for place in existing(dataset, mapped)]
    for place, mapped in places:
        require_encoding(place, mapped.source, label(dataset, mapped.source, place))
    if wrong := problems(dataset, table):
        raise SourceError("\n".join(wrong))
    queries = [
        mapped_query(dataset, place, mapped, _days_condition(dataset, place, mapped, days), rows_of)
        for place, mapped in places
    ]
    names = ", ".join(map(quoted, [*columns, "source_file", "source_row"]))
    nothing = ", ".join(f"null::varchar as {quoted(name)}" for name in [*columns, "source_file"])
    queries.append(f"select {nothing}, null::bigint as source_row limit 0")
    return " union all ".join(f"select {names} from ({query})" for query in queries)


def _days_condition(dataset: Dataset, place: Place, mapped: MappedSource, days: Days | None) -> str:
    # The first day carries what tells no day of the dataset, which may be any row.
    if days is None or days[0] <= dataset.first_day or mapped.source.database is None:
        return ""
    with reading(mapped.source, dataset.folder) as connection:
        rows = connection.execute(f"describe {file_query(place, mapped.source)}").fetchall()
    types = {str(row[0]): str(row[1]) for row in rows}
    return days_condition(mapped.source.database, types, mapped.expressions["occurred_at"], days)


def mapped_query(
    dataset: Dataset, place: Place, mapped: MappedSource, condition: str = "", rows_of: RowsOf = file_query
) -> str:
    """The rows of one file as the manifest maps them; `condition` is for a relation, as in `file_query`.

    `try` makes a value that an expression can't take a null: the row is then rejected with its file and row number.
    """
    told = {name: _value(mapped, name) for name in mapped.expressions}
    read = chosen_rows(rows_of(place, mapped.source, condition), mapped.where)
    name = label(dataset, mapped.source, place)
    if dataset.privacy is None:
        columns = ", ".join(f"{text} as {quoted(column)}" for column, text in told.items())
        rows = f"select {columns}, {literal(name)} as source_file, {ROW} as source_row from ({read})"
    else:
        file = file_name_sql(dataset, mapped.source, name)
        rows = protected_query(dataset, mapped.table, read, told, row=ROW, source_file=file)
    if mapped.source.database is None or mapped.source.database.key is not None:
        return rows
    # A relation has no order of its own: its rows are numbered by what they tell, the events day by day, so that the
    # number of a row is the same whichever days are read with it.
    day = f"partition by {event_day(dataset)} " if mapped.location[0] == "events" else ""
    order = f"order by {', '.join(map(quoted, mapped.expressions))}"
    return f"select * replace (row_number() over ({day}{order}) as source_row) from ({rows})"


def times_query(place: Place, mapped: MappedSource, condition: str = "", **more: str) -> str:
    """When the events of one file or relation happened, as text, and nothing of whom: it needs no key.

    Args:
        place: the file or relation.
        mapped: its source.
        condition: that the database itself is to look for.
        more: SQL of other columns, by name.
    """
    columns = {"occurred_at": mapped.expressions["occurred_at"], **more}
    told = ", ".join(f"{as_text(expression)} as {quoted(name)}" for name, expression in columns.items())
    return f"select {told} from ({file_query(place, mapped.source, condition)})"


def counted_times(place: Place, mapped: MappedSource) -> str:
    """As `times_query`, of the rows alone that count as events."""
    rows = chosen_rows(file_query(place, mapped.source), mapped.where)
    return f"select {as_text(mapped.expressions['occurred_at'])} as occurred_at from ({rows})"


def _value(mapped: MappedSource, name: str) -> str:
    expression = mapped.expressions[name]
    text = as_text(expression)
    if mapped.source.decimal is None or name not in mapped.numbers:
        return text
    return as_plain_number(expression, text, mapped.source.decimal)


def file_days(dataset: Dataset, changed: set[str]) -> list[date]:
    """The days of the dataset that the events of some files touch, sorted; reads the files' times only.

    Args:
        dataset: whose event files they are.
        changed: absolute paths, or URLs.

    Raises:
        SourceError: if one of them isn't as the manifest says.
    """
    days: set[date] = set()
    for name, mapped in mapped_sources(dataset):
        if name != "events" or mapped.source.database is not None:
            continue
        touched = [place for place in existing(dataset, mapped) if str(place) in changed]
        if not touched:
            continue
        with discreet(dataset, "events"), reading(mapped.source, dataset.folder) as connection:
            queries = [times_query(place, mapped) for place in touched]
            rows = f"select distinct {event_day(dataset)} as day from ({' union all '.join(queries)})"
            try:
                days |= {row[0] for row in connection.execute(rows).fetchall()}
            except duckdb.Error as error:
                # DuckDB says neither which file it is, nor what to do.
                raise SourceError("\n".join(problems(dataset, "events")) or str(error)) from error
    return sorted(days)


def has_rows_to_load(dataset: Dataset, mapped: MappedSource, place: Place) -> bool:
    """Whether a file or relation holds any row that counts of a day that is over; one of today waits for tomorrow."""
    over = days_over(dataset)[-1:] or [dataset.first_day - timedelta(days=1)]
    times = counted_times(place, mapped)
    with reading(mapped.source, dataset.folder) as connection:
        found = connection.execute(f"select 1 from ({times}) where {event_day(dataset)} <= date '{over[0]}' limit 1")
        return found.fetchone() is not None


def event_day(dataset: Dataset) -> str:
    """SQL for the day that carries a raw event: the local day that it tells, else the dataset's first day."""
    return day_of(utc_timestamp("occurred_at", dataset.timezone), dataset)


def day_of(timestamp: str, dataset: Dataset) -> str:
    """SQL for the day that carries a raw event which tells an instant, of UTC; null is none."""
    told = local_day(timestamp, dataset.timezone)
    inside = f"{told} between date '{dataset.first_day}' and date '{dataset.last_known_day}'"
    return f"case when {inside} then {told} else date '{dataset.first_day}' end"
