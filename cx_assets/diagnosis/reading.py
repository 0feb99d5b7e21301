"""The events' files read once, to be asked about several times.

Belongs here: what of them is held in memory, and queries over that. Does not: reading a file or mapping its columns
(`ingestion`), or what is asked (`trial`).

Texts are five times as slow to hold as what a Parquet file has, and one of a single piece is read by one thread. So of
a lone Parquet file its own columns are held, and all threads map them whenever they are asked for.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import duckdb

from cx_assets.dataset import Dataset
from cx_assets.ingestion.formats import ROW, chosen_rows, file_query
from cx_assets.ingestion.mapping import MappedSource, mapped_sources
from cx_assets.ingestion.places import existing, label
from cx_assets.ingestion.reader import table_query
from cx_assets.source import Place
from cx_assets.table.schema import literal, quoted


@dataclass(frozen=True)
class HeldEvents:
    """Raw events, held as the temporary table `held`.

    Attributes:
        dataset: whose they are.
        columns: those of a raw event that are asked for.
        file: the name that the tables tell of the one file whose own columns are held, so that no row need have it;
            None where `held` has the mapped columns, of whatever files.
    """

    dataset: Dataset
    columns: list[str]
    file: str | None

    def query(self, chosen: str | None = None) -> str:
        """A query over the raw events.

        Args:
            chosen: a query of the `source_file` and `source_row` of those that are wanted; None for all.
        """
        if self.file is None:
            only = f" semi join ({chosen}) using (source_file, source_row)" if chosen else ""
            return f"select * from held{only}"
        # Chosen before they are mapped.
        only = f" where {ROW} in (select source_row from ({chosen}))" if chosen else ""
        return table_query(self.dataset, "events", self.columns, rows_of=lambda *_: f"select * from held{only}")


def hold_events(connection: duckdb.DuckDBPyConnection, dataset: Dataset, columns: list[str]) -> HeldEvents:
    """Read the events of a dataset into the temporary table `held`.

    Args:
        connection: prepared for their sources.
        dataset: whose they are.
        columns: those of a raw event that will be asked for.

    Raises:
        SourceError: if the files don't fit the manifest.
    """
    alone = _lone_parquet_file(dataset)
    if alone is None:
        connection.execute(f"create temp table held as {table_query(dataset, 'events', columns)}")
        return HeldEvents(dataset, columns, None)
    place, mapped = alone
    rows = file_query(place, mapped.source)
    there = [str(row[0]) for row in connection.execute(f"describe {rows}").fetchall()]
    names = ", ".join(map(quoted, _named(connection, mapped.asked.values(), there)))
    connection.execute(f"create temp table held as select {names} from ({rows})")
    return HeldEvents(dataset, columns, label(dataset, mapped.source, place))


def left_out_rows(dataset: Dataset) -> str:
    """A query for one number: how many rows of the events' sources are no events, as the manifest's `where` says."""
    counts = [
        f"select count(*) as rows from ({chosen_rows(file_query(place, mapped.source), mapped.where, others=True)})"
        for name, mapped in mapped_sources(dataset)
        if name == "events" and mapped.where
        for place in existing(dataset, mapped)
    ]
    return f"select coalesce(sum(rows), 0) from ({' union all '.join([*counts, 'select 0 as rows'])})"


def _lone_parquet_file(dataset: Dataset) -> tuple[Place, MappedSource] | None:
    """The one file that has all events, if it is Parquet and tells its rows and its name as they are."""
    if dataset.privacy is not None:
        return None
    sources = [mapped for name, mapped in mapped_sources(dataset) if name == "events"]
    source = sources[0].source
    # A column that the file lacks has no type, which a table can't keep.
    if len(sources) > 1 or source.format != "parquet" or source.may_lack or source.unnest:
        return None
    places = existing(dataset, sources[0])
    return (places[0], sources[0]) if len(places) == 1 else None


def _named(connection: duckdb.DuckDBPyConnection, expressions: Iterable[str], there: list[str]) -> list[str]:
    """Of a file's columns those that expressions name, and the number of the row; all if one may mean others too."""
    # Not as a parameter: to convert one, DuckDB's client loads pandas.
    query = literal(f"select {', '.join(expressions)}")
    (text,) = connection.execute(f"select json_serialize_sql({query})").fetchall()[0]
    by_name = {name.lower(): name for name in there}
    wanted = {ROW}
    for node in _nodes(json.loads(text)):
        names = [name.lower() for name in node.get("column_names") or ()]
        if len(names) == 1 and names[0] in by_name:
            wanted.add(by_name[names[0]])
        elif names or node.get("class") in ("STAR", "POSITIONAL_REFERENCE") or node.get("error") is True:
            return there
    return [name for name in there if name in wanted]


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Every object of a tree of JSON."""
    if isinstance(tree, dict):
        yield tree
        tree = list(tree.values())
    if isinstance(tree, list):
        for part in tree:
            yield from _nodes(part)
