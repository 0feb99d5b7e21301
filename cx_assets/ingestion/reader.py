"""From the files that a manifest names to queries over their rows.

Belongs here: file functions of DuckDB, the mapping by the manifest's expressions, and the proof that the expressions
fit the files, before a run. Does not: judging rows (`warehouse`). Everything is read as text, so that a wrong value is
a row to be rejected later, with its file and line, and not a failed run.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from cx_assets.dataset import Dataset, Section
from cx_assets.ingestion.encoding import require_encoding
from cx_assets.ingestion.merge_keys import column_of
from cx_assets.ingestion.times import local_day, utc_timestamp
from cx_assets.manifest import Location, ManifestError, did_you_mean, key_lines, where
from cx_assets.privacy.discretion import discreet
from cx_assets.privacy.mapping import PERSONAL, file_name_sql, hidden_columns, protected_query, visible
from cx_assets.source import Source, SourceError
from cx_assets.table.schema import literal, quoted
from cx_assets.table.warehouse import connect

# A name that no delivered column has: the manifest's expressions see it beside them.
ROW = "cx_source_row"


@dataclass(frozen=True)
class MappedSource:
    """One source of a manifest, and the expression of every column that it feeds.

    Attributes:
        location: where in the manifest it stands.
        source: its files.
        expressions: SQL by canonical column.
        places: where in the manifest each expression stands; empty for a default.
    """

    location: Location
    source: Source
    expressions: Mapping[str, str]
    places: Mapping[str, Location]

    @property
    def table(self) -> str:
        """The table that it feeds."""
        return PERSONAL if self.location[0] == "privacy" else str(self.location[0])


def mapped_sources(dataset: Dataset) -> Iterator[tuple[str, MappedSource]]:
    """Every source of a manifest with the table that it feeds: `events`, `customers`, `items`, `campaigns`, ..."""
    for index, events in enumerate(dataset.events):
        yield "events", _columns_of(("events", index), events)
    for table, master in (("customers", dataset.customers), ("items", dataset.items)):
        if master is None:
            continue
        fixed = {"id": f"{table[:-1]}_id", "name": "name", "category": "category", "recommendable": "recommendable"}
        expressions = {column: getattr(master, key) for key, column in fixed.items() if hasattr(master, key)}
        places: dict[str, Location] = {column: (table, key) for key, column in fixed.items()}
        for name, attribute in master.attributes.items():
            expressions[name] = attribute.expression
            places[name] = (table, "attributes", name, "expression")
        for name, key in dataset.merge_keys().items() if table == "customers" else ():
            expressions[column_of(name)] = key.expression
            places[column_of(name)] = (table, "merge_keys", name)
        yield table, MappedSource((table,), master.source, expressions, places)
    for table in ("campaigns", "campaign_targets", "campaign_responses"):
        section = getattr(dataset, table)
        if section is not None:
            yield table, _columns_of((table,), section)


def personal_source(dataset: Dataset) -> MappedSource | None:
    """The customers' source with the expressions of the personal columns; only the vault may read it."""
    if dataset.privacy is None or dataset.customers is None:
        return None
    expressions = {name: column.expression for name, column in dataset.privacy.personal.items()}
    places: dict[str, Location] = {name: ("privacy", "personal", name, "expression") for name in expressions}
    expressions["customer_id"], places["customer_id"] = dataset.customers.id, ("customers", "id")
    return MappedSource(("privacy", "personal"), dataset.customers.source, expressions, places)


def _columns_of(location: Location, section: Section) -> MappedSource:
    expressions: dict[str, str] = section.columns.model_dump()
    return MappedSource(
        location, section.source, expressions, {name: (*location, "columns", name) for name in expressions}
    )


def table_query(dataset: Dataset, table: str, columns: list[str]) -> str:
    """A query over all rows that feed a table: its columns as text, `source_file`, and `source_row` from 1.

    A table that the manifest doesn't declare has no rows.

    Raises:
        SourceError: if a declared source has no file, a file isn't in its declared encoding, or an expression doesn't
            fit it: files may have changed since the manifest was last held against them.
    """
    sources = [mapped for name, mapped in mapped_sources(dataset) if name == table]
    files = [(path, mapped) for mapped in sources for path in existing(dataset, mapped)]
    for path, mapped in files:
        require_encoding(path, mapped.source, label(dataset, mapped.source, path))
    if wrong := problems(dataset, table):
        raise SourceError("\n".join(wrong))
    queries = [mapped_query(dataset, path, mapped) for path, mapped in files]
    names = ", ".join(map(quoted, [*columns, "source_file", "source_row"]))
    nothing = ", ".join(f"null::varchar as {quoted(name)}" for name in [*columns, "source_file"])
    queries.append(f"select {nothing}, null::bigint as source_row limit 0")
    return " union all ".join(f"select {names} from ({query})" for query in queries)


def existing(dataset: Dataset, mapped: MappedSource) -> list[Path]:
    """The source's files that hold anything.

    Raises:
        SourceError: if no file matches.
    """
    paths = mapped.source.paths(dataset.folder)
    if not paths:
        raise SourceError(_missing(dataset, mapped))
    return [path for path in paths if path.stat().st_size > 0]


def mapped_query(dataset: Dataset, path: Path, mapped: MappedSource) -> str:
    """The rows of one file as the manifest maps them.

    `try` makes a value that an expression can't take a null: the row is then rejected with its file and row number.
    """
    told = {name: as_text(expression) for name, expression in mapped.expressions.items()}
    rows, name = file_query(path, mapped.source), label(dataset, mapped.source, path)
    if dataset.privacy is not None:
        file = file_name_sql(dataset, mapped.source, name)
        return protected_query(dataset, mapped.table, rows, told, row=ROW, source_file=file)
    columns = ", ".join(f"{text} as {quoted(column)}" for column, text in told.items())
    return f"select {columns}, {literal(name)} as source_file, {ROW} as source_row from ({rows})"


def as_text(expression: str) -> str:
    """An expression of a manifest as it is run: its value as text, null where it can't be computed."""
    return f"cast(try({expression}) as varchar)"


def file_query(path: Path, source: Source) -> str:
    """A query over the rows of one file as delivered, numbered in the column `ROW`.

    Fields of CSV and JSON come as text: a type found out from a file's other rows would make what one row tells depend
    on its neighbours. Of CSV only the delimiter is found out: left to itself, DuckDB takes a line that begins with `#`,
    such as an order `#1001`, for a comment, and skips it.
    """
    name = literal(str(path))
    match source.format:
        case "parquet":
            rows = f"read_parquet({name}, file_row_number = true)"
            return f"select * exclude (file_row_number), file_row_number + 1 as {ROW} from {rows}"
        case "jsonl":
            rows = f"read_json({name}, format = 'newline_delimited', sample_size = -1, maximum_depth = 1)"
            return f"select columns(*) ->> '$', row_number() over () as {ROW} from {rows}"
        case "csv":
            delimiter = f", delim = {literal(source.delimiter)}" if source.delimiter else ""
            rows = (
                f"read_csv({name}, header = true, all_varchar = true, encoding = {literal(source.encoding)}, "
                f"quote = '\"', escape = '\"', comment = ''{delimiter})"
            )
            return f"select *, row_number() over () as {ROW} from {rows}"


def has_rows(path: Path, source: Source) -> bool:
    """Whether a file holds more than its header."""
    with connect(None, "256MB", 1) as connection:
        return connection.execute(f"{file_query(path, source)} limit 1").fetchone() is not None


def label(dataset: Dataset, source: Source, path: Path) -> str:
    """The file's name as the tables tell it: the same on every machine."""
    name = path.relative_to(source.folder(dataset.folder)).as_posix()
    return f"{source.package}/{name}" if source.package else name


def problems(dataset: Dataset, table: str | None = None) -> list[str]:
    """What would stop a run on this dataset, or of one table: missing files, and expressions that don't fit the files.

    Nothing is read but headers; an empty list means that every expression binds to every file.
    """
    lines = key_lines(dataset.path.read_text("utf-8"))
    found: list[str] = []
    with connect(None, "256MB", 1) as connection:
        personal = personal_source(dataset)
        for name, mapped in [*mapped_sources(dataset), *([(PERSONAL, personal)] if personal else [])]:
            if table not in (None, name):
                continue
            try:
                paths = existing(dataset, mapped)
            except (SourceError, ManifestError) as error:
                found.append(f"{where(dataset.path, lines, (*mapped.location, 'source'))}: {error}")
                continue
            for path in paths:
                found += _misfits(connection, dataset, mapped, path, lines)
    return found


def _missing(dataset: Dataset, mapped: MappedSource) -> str:
    folder = mapped.source.package or dataset.folder.name
    return f"no file matches '{mapped.source.files}' in {folder}. Put the file there or correct 'files'."


def _misfits(
    connection: duckdb.DuckDBPyConnection,
    dataset: Dataset,
    mapped: MappedSource,
    path: Path,
    lines: dict[Location, int],
) -> list[str]:
    name = label(dataset, mapped.source, path)
    place = where(dataset.path, lines, (*mapped.location, "source"))
    try:
        # Its columns without its rows: the file is opened once, not once for every expression.
        connection.execute(f"create or replace temp table delivered as {file_query(path, mapped.source)} limit 0")
        columns = [row[0] for row in connection.execute("describe delivered").fetchall() if row[0] != ROW]
    except duckdb.Error as error:
        try:
            require_encoding(path, mapped.source, name)
        except SourceError as encoding:
            return [f"{place}: {encoding}"]
        return [f"{place}: {name} can't be read as {mapped.source.format}: {_first_line(error)}"]
    hidden = hidden_columns(dataset, mapped.table, mapped.expressions)
    seen = f"(select {visible(hidden)} from delivered)"
    found = []
    for column, expression in mapped.expressions.items():
        pseudonym = dataset.privacy is not None and column in dataset.privacy.identifiers
        try:
            connection.execute(f"describe select {as_text(expression)} from {'delivered' if pseudonym else seen}")
        except duckdb.Error as error:
            unknown = re.search(r'Referenced column "(.+?)" not found', str(error))
            if unknown and unknown[1].lower() not in hidden and unknown[1] in _header(path, mapped.source):
                return [f"{place}: {name} can't be read as csv: a row has other fields than its header or open quotes"]
            what = _no_column(unknown[1], name, columns, hidden) if unknown else _first_line(error)
            hint = ". A column that is called as a word of SQL needs double quotes" if "syntax error" in what else ""
            found.append(f"{where(dataset.path, lines, mapped.places.get(column, mapped.location))}: {what}{hint}")
    return found


def _no_column(column: str, name: str, columns: list[str], hidden: frozenset[str]) -> str:
    if column.lower() in hidden:
        return (
            f"the column '{column}' is personal, or what an identifier is made from (privacy); no table may tell it: "
            f"leave this out, or give the column another name in {name} if it is neither there"
        )
    columns = [name for name in columns if name.lower() not in hidden]
    near = did_you_mean(column, columns)
    has = f" It has: {', '.join(columns)}."
    return f"no column '{column}' in {name}.{has}{near if 'Did you' in near else ''}"


def _header(path: Path, source: Source) -> str:
    """The first line of a CSV file: when DuckDB can't split a file's rows as it, it may take another for the header."""
    if source.format != "csv":
        return ""
    with path.open(encoding=source.encoding, errors="replace") as file:
        return file.readline()


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]


def file_days(dataset: Dataset, changed: set[str]) -> list[date]:
    """The days of the dataset that the events of some files touch, sorted; reads the files' times only.

    Args:
        dataset: whose event files they are.
        changed: absolute paths.
    """
    queries = [
        f"select {as_text(mapped.expressions['occurred_at'])} as occurred_at from ({file_query(path, mapped.source)})"
        for name, mapped in mapped_sources(dataset)
        if name == "events"
        for path in existing(dataset, mapped)
        if str(path) in changed
    ]
    if not queries:
        return []
    with discreet(dataset, "events"), connect(None, "256MB", 1) as connection:
        rows = connection.execute(
            f"select distinct {event_day(dataset)} as day from ({' union all '.join(queries)}) order by day"
        ).fetchall()
    return [row[0] for row in rows]


def event_day(dataset: Dataset) -> str:
    """SQL for the day that carries a raw event: the local day that it tells, else the dataset's first day."""
    told = local_day(utc_timestamp("occurred_at", dataset.timezone), dataset.timezone)
    inside = f"{told} between date '{dataset.first_day}' and date '{dataset.last_known_day}'"
    return f"case when {inside} then {told} else date '{dataset.first_day}' end"
