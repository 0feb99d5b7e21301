"""Files of the same kind as one: their glob, and a sample of their rows.

Belongs here: which files belong together, by header and name, and reading some rows of them. Does not: what the columns
mean (`columns`, `roles`).
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, pairwise
from pathlib import Path

import duckdb

from cx_assets.proposal.delivered import Delivered, load_excel, opened, reading, sample_file
from cx_assets.table.schema import quoted

# Of each group so many rows, and of its text so many bytes, in pieces from start to end.
ROWS = 100_000
BYTES = 8 << 20
PIECES = 8
FILES = 4


@dataclass(frozen=True)
class Group:
    """Files with the same header that one source of a manifest names.

    Attributes:
        files: sorted by path.
        glob: relative to the manifest's folder; matches these files and no other that was given.
        table: the temporary table that holds a sample of their rows, as delivered: CSV as text, Parquet as typed.
        whole: whether the sample is all there is.
        page: the encoding where the files don't tell, as all they hold is ASCII: that of the files beside them.
    """

    files: tuple[Delivered, ...]
    glob: str
    table: str
    whole: bool = True
    page: str = "utf-8"

    @property
    def first(self) -> Delivered:
        """The first file, which speaks for the others."""
        return self.files[0]

    @property
    def encoding(self) -> str:
        """The encoding that reads all files: text in ASCII is also text in any other."""
        told = {file.encoding for file in self.files} - {"ascii"}
        return min(told, key=lambda page: page == "utf-8") if told else self.page

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.path.stat().st_size for file in self.files)


def grouped(files: Sequence[Delivered], folder: Path) -> list[Group]:
    """Files by header and name without its digits, each group with the widest glob that matches nothing else.

    Args:
        files: all that were given.
        folder: what the globs are relative to; all files are below it.
    """
    alike: dict[tuple[object, ...], list[Delivered]] = defaultdict(list)
    for file in files:
        name = file.path.relative_to(folder).as_posix()
        alike[(file.format, file.columns, file.delimiter, re.sub(r"\d+", "*", name))].append(file)
    merged: dict[tuple[object, ...], list[Delivered]] = defaultdict(list)
    everything = [file.path for file in files]
    for (kind, columns, delimiter, pattern), members in alike.items():
        merged[(kind, columns, delimiter, Path(str(pattern)).parent)].extend(members)
    found = []
    for key, members in merged.items():
        glob = _glob([m.path for m in members], everything, folder)
        if glob is not None:
            found.append((members, glob))
            continue
        for other, some in alike.items():  # the same header under unlike names: a source each
            if (*other[:3], Path(str(other[3])).parent) == key:
                paths = [m.path for m in some]
                one = _glob(paths, everything, folder)
                found += [(some, one)] if one else [([m], m.path.relative_to(folder).as_posix()) for m in some]
    pages = {file.encoding for file in files if file.format == "csv"} - {"ascii"}
    page = pages.pop() if len(pages) == 1 else "utf-8"
    groups = [
        Group(tuple(sorted(members, key=lambda m: m.path)), glob, f"sample_{number}", page=page)
        for number, (members, glob) in enumerate(found)
    ]
    return sorted(groups, key=lambda group: group.glob)


def _glob(paths: Sequence[Path], everything: Sequence[Path], folder: Path) -> str | None:
    """The widest pattern that matches these paths and none of the others, or None."""
    names = [path.relative_to(folder).as_posix() for path in paths]
    if len(names) == 1:
        return names[0]
    depth = {name.count("/") for name in names}
    if len(depth) > 1:
        return None
    levels = list(zip(*(name.split("/") for name in names), strict=True))
    for star in ("[^/]*?", r"\d+(?:[-_.]?\d+)*", r"\d"):
        pattern = "/".join(_level(set(level), star) for level in levels)
        if "**" in pattern or pattern.startswith("*."):
            continue
        if {path for path in folder.glob(pattern) if path in set(everything)} == set(paths):
            return pattern
    return None


def _level(names: set[str], star: str) -> str:
    """A pattern for the names of one level: what they share at both ends, or their shape by digits."""
    if len(names) == 1:
        return names.pop()
    ordered = sorted(names)
    if star == "[^/]*?":
        start, end = _shared(ordered), _shared([name[::-1] for name in ordered])[::-1]
        # Next year's files are meant too: a number that the names share so far is no part of the name.
        start, end = re.sub(r"\d[\d._-]*$", "", start), re.sub(r"^[\d._-]*\d", "", end)
        return f"{start}*{end}"
    if star == r"\d":
        shapes = {re.sub(r"\d", "[0-9]", name) for name in ordered}
        return shapes.pop() if len(shapes) == 1 else "**"
    shapes = {re.sub(r"\d+(?:[-_.]?\d+)*", "[0-9]*", name) for name in ordered}
    return shapes.pop() if len(shapes) == 1 else "**"


def _shared(names: Sequence[str]) -> str:
    first, last = min(names), max(names)
    same = next((at for at, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    return first[:same]


def sampled(connection: duckdb.DuckDBPyConnection, group: Group) -> Group:
    """Load a sample of a group's rows into its table; columns are numbered `cx_order` by row.

    Raises:
        duckdb.Error: if the rows can't be read as their header says.
    """
    first = group.first
    chosen = _spread(group.files, FILES)
    if first.format in ("csv", "jsonl"):
        budget = BYTES // len(chosen)
        suffix = ".jsonl" if first.format == "jsonl" else ".csv"
        texts = [_pieces(file, group.encoding, budget, header=number == 0) for number, file in enumerate(chosen)]
        with sample_file(chain.from_iterable(texts), suffix) as path:
            rows = reading(path, first.format, first.delimiter)
            # A line that was cut inside quotes is no reason to look no further.
            rows = rows.replace("encoding", "ignore_errors = true, encoding")
            given = "columns(*) ->> '$'" if first.format == "jsonl" else "*"
            _load(connection, group.table, f"select {given} from {rows}")
        whole = len(chosen) == len(group.files) and all(_small(file.path, budget) for file in chosen)
    else:
        if first.format == "excel":
            load_excel(connection)
        each = ROWS // len(chosen)
        queries = [f"(select * from {reading(file.path, file.format)} limit {each})" for file in chosen]
        _load(connection, group.table, " union all by name ".join(queries))
        count = connection.execute(f"select count(*) from {group.table}").fetchall()[0][0]
        whole = len(chosen) == len(group.files) and count < each
    return replace(group, whole=whole)


def _load(connection: duckdb.DuckDBPyConnection, table: str, query: str) -> None:
    connection.execute(
        f"create or replace temp table {table} as select *, row_number() over () as cx_order from ({query})"
    )


def _spread(files: Sequence[Delivered], count: int) -> list[Delivered]:
    """Some of many, from the first to the last."""
    if len(files) <= count:
        return list(files)
    return [files[round(step * (len(files) - 1) / (count - 1))] for step in range(count)]


def _small(path: Path, budget: int) -> bool:
    return path.stat().st_size <= budget and not path.name.lower().endswith(".gz")


def _pieces(file: Delivered, encoding: str, budget: int, *, header: bool) -> Iterator[str]:
    """Lines of a text file: all of a small one, whole lines from evenly spread places of a large one."""
    size = file.path.stat().st_size
    page = "utf-8-sig" if encoding == "utf-8" else encoding
    with opened(file.path) as stream:
        # What is packed can't be jumped into, and the two bytes of UTF-16 could be cut in halves.
        if _small(file.path, budget) or file.path.name.lower().endswith(".gz") or encoding == "utf-16":
            text = stream.read(budget).decode(page, errors="replace")
            complete = text if len(text) < budget // 4 or text.endswith("\n") else text[: text.rfind("\n") + 1]
            yield from _body(complete, header=header, kind=file.format)
            return
        places = [round(step * (size - budget // PIECES) / (PIECES - 1)) for step in range(PIECES)]
        for number, (place, _) in enumerate(pairwise([*places, size])):
            stream.seek(place)
            text = stream.read(budget // PIECES).decode(page, errors="replace")
            if number:
                text = text[text.find("\n") + 1 :]
                yield text[: text.rfind("\n") + 1]
            else:
                yield from _body(text[: text.rfind("\n") + 1], header=header, kind=file.format)


def _body(text: str, *, header: bool, kind: str) -> Iterator[str]:
    if kind == "csv" and not header:
        text = text[text.find("\n") + 1 :]
    yield text
    if text and not text.endswith("\n"):
        yield "\n"


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
    """The types of a group's columns: varchar for CSV and JSON lines."""
    rows = connection.execute(f"describe {group.table}").fetchall()
    return {str(row[0]): str(row[1]) for row in rows if row[0] != "cx_order"}
