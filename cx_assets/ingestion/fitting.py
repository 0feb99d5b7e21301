"""Whether the expressions of a manifest fit the sources that they are over.

Belongs here: the proof, before a run. Does not: what is said (`complaints`), or reading rows (`reader`).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import duckdb

from cx_assets.dataset import Dataset
from cx_assets.ingestion.broken_lines import broken_text, first_surplus
from cx_assets.ingestion.complaints import (
    another_delimiter,
    first_line,
    hidden_column,
    kind,
    misfit,
    no_column,
)
from cx_assets.ingestion.formats import ROW, delivered_query, folder_keys, reading, unnested, with_lacking
from cx_assets.ingestion.labelled_pairs import linkage_problems
from cx_assets.ingestion.mapping import MappedSource, as_text, compared_source, mapped_sources, personal_source
from cx_assets.ingestion.places import existing, label
from cx_assets.manifest import Location, ManifestError, key_lines, where
from cx_assets.privacy.mapping import PERSONAL, hidden_columns, is_pseudonym, visible
from cx_assets.source import Place, SourceError


@dataclass(frozen=True)
class Misfit:
    """One thing that is wrong with a source.

    Attributes:
        place: where in the manifest.
        what: what it is; of a column that a file lacks, the column.
        file: the file that lacks it, and nothing of anything else.
        columns: those that this file has.
    """

    place: str
    what: str
    file: str = ""
    columns: tuple[str, ...] = ()


def problems(dataset: Dataset, table: str | None = None) -> list[str]:
    """What would stop a run on this dataset, or of one table: missing files, and expressions that don't fit the files.

    Nothing is read but headers and labelled pairs, unless a table is named, as in a run: then the delimiters of its CSV
    files are counted.
    An empty list means that every expression binds to every file, URL and relation.
    """
    return [told for told, _ in _found(dataset, table)]


def problems_of_manifest(dataset: Dataset) -> list[str]:
    """Those of `problems` that no delivery is to blame for: every file of the source has them.

    A file that isn't like the others, and a server that doesn't answer, stop the runs that load them and no other.
    """
    return [told for told, delivered in _found(dataset, None) if not delivered]


def _found(dataset: Dataset, table: str | None) -> Iterator[tuple[str, bool]]:
    """What is wrong, and whether that can be a delivery's fault and no one else's."""
    lines = key_lines(dataset.path.read_text("utf-8"))
    if table is None:
        yield from ((told, False) for told in linkage_problems(dataset))
    in_memory = [(PERSONAL, source) for source in (personal_source(dataset), compared_source(dataset)) if source]
    for name, mapped in [*mapped_sources(dataset), *in_memory]:
        if table not in (None, name):
            continue
        try:
            with reading(mapped.source, dataset.folder) as connection:
                yield from _misfits_of_all(connection, dataset, mapped, lines, thorough=table is not None)
        except (SourceError, ManifestError) as error:
            yield f"{where(dataset.path, lines, (*mapped.location, 'source'))}: {error}", mapped.source.files is None


def _misfits_of_all(
    connection: duckdb.DuckDBPyConnection,
    dataset: Dataset,
    mapped: MappedSource,
    lines: Mapping[Location, int],
    thorough: bool,
) -> list[tuple[str, bool]]:
    """What is wrong with the files or relation of a source, and whether others of its files are right.

    Of a column that other files have, it is told what can be said.
    """
    known: set[str] = set()
    found: dict[tuple[str, str], list[Misfit]] = {}
    some_fit = False
    for place in existing(dataset, mapped):
        columns, misfits = _misfits(connection, dataset, mapped, place, lines, thorough)
        known.update(column.lower() for column in columns)
        some_fit |= not misfits
        for one in misfits:
            found.setdefault((one.place, one.what), []).append(one)
    return [(_told(alike, known), some_fit) for alike in found.values()]


def _told(alike: list[Misfit], known: set[str]) -> str:
    """What is wrong in the same way with several files, as one sentence."""
    first, files = alike[0], [one.file for one in alike]
    if not first.file:
        return f"{first.place}: {first.what}"
    elsewhere = first.what.lower() in known
    return f"{first.place}: {no_column(first.what, files, list(first.columns), elsewhere=elsewhere)}"


def _misfits(
    connection: duckdb.DuckDBPyConnection,
    dataset: Dataset,
    mapped: MappedSource,
    read: Place,
    lines: Mapping[Location, int],
    thorough: bool,
) -> tuple[list[str], list[Misfit]]:
    """The columns of a file or relation, and what is wrong with it."""
    name = label(dataset, mapped.source, read)
    place = where(dataset.path, lines, (*mapped.location, "source"))
    try:
        # Its columns without its rows: the file is opened once, not once for every expression.
        connection.execute(f"create or replace temp table delivered as {delivered_query(read, mapped.source)} limit 0")
        columns = [row[0] for row in connection.execute("describe delivered").fetchall() if row[0] != ROW]
    except duckdb.Error as error:
        told = f"{name} can't be read as {kind(mapped.source)}: {first_line(error)}"
        return [], [Misfit(place, broken_text(read, mapped.source, name) or told)]
    if told := another_delimiter(columns, mapped.source) or "":
        return columns, [Misfit(place, f"{name}: {told}")]
    # Of lines that aren't all objects DuckDB makes one column.
    if columns == ["json"] and (told := broken_text(read, mapped.source, name) or ""):
        return columns, [Misfit(place, told)]
    of_others = hidden_columns(dataset, mapped.table, mapped.expressions)
    rows = unnested(with_lacking("select * from delivered", mapped.source.lacking(columns)), mapped.source.unnest)
    found = _lists_refused(connection, dataset, mapped, name, columns, rows, lines)
    if found:
        return columns, found
    for column, expression in mapped.asked.items():
        own_place = where(dataset.path, lines, mapped.places.get(column, mapped.location))
        hidden = frozenset[str]() if is_pseudonym(dataset, mapped.table, column) else of_others
        try:
            connection.execute(f"describe select {as_text(expression)} from (select {visible(hidden)} from ({rows}))")
            if len(connection.fetchall()) == 1:
                continue
            found.append(Misfit(own_place, "an expression makes one column, not several"))
        except duckdb.Error as error:
            refused = _refused(error, dataset, mapped, name, columns, hidden)
            # When DuckDB can't split a file's rows as its header, it may take another line for the header.
            broken = broken_text(read, mapped.source, name, in_header=refused.what) if refused.file else None
            if broken is not None:
                return columns, [Misfit(place, broken)]
            found.append(replace(refused, place=own_place))
    own = len(columns) - len(folder_keys(read))
    if thorough and not found and (told := first_surplus(read, mapped.source, own) or ""):
        found.append(Misfit(place, f"{name}: {told}"))
    return columns, found


def _lists_refused(
    connection: duckdb.DuckDBPyConnection,
    dataset: Dataset,
    mapped: MappedSource,
    name: str,
    columns: list[str],
    rows: str,
    lines: Mapping[Location, int],
) -> list[Misfit]:
    """What is wrong with the lists whose elements are to be rows, if anything."""
    try:
        connection.execute(f"describe {rows}")
    except duckdb.Error as error:
        refused = _refused(error, dataset, mapped, name, columns, frozenset())
        return [replace(refused, place=where(dataset.path, lines, (*mapped.location, "source", "unnest")))]
    return []


def _refused(
    error: duckdb.Error, dataset: Dataset, mapped: MappedSource, name: str, columns: list[str], hidden: frozenset[str]
) -> Misfit:
    """What is wrong with an expression that DuckDB has refused over the columns of a file."""
    unknown = re.search(r'Referenced column "(.+?)" not found', str(error))
    if unknown is None:
        return Misfit("", misfit(error))
    if unknown[1].lower() in hidden.intersection(map(str.lower, columns)):
        return Misfit("", hidden_column(dataset, mapped, unknown[1], name))
    return Misfit("", unknown[1], name, tuple(name for name in columns if name.lower() not in hidden))
