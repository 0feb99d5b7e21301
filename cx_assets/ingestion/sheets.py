"""Sheets of Excel workbooks: which there are, where in one its columns' names stand, and its rows as text.

Belongs here: what only workbooks have. Does not: other formats (`formats`).
"""

import re
import zipfile
from html import unescape
from pathlib import Path

import duckdb

from cx_assets.table.schema import literal, quoted

# A sheet that seems to have no more columns may begin with a title; so many rows are looked at for what is below it.
TITLE = 3
LOOKED_AT = 20
# The share of the widest row's cells from which on a row holds the names of the columns.
MOSTLY = 0.8
LAST = "ZZ"
SHEET = re.compile(r"<(?:\w+:)?sheet\s[^>]*>")
ATTRIBUTE = re.compile(r'(\w+)="([^"]*)"')


def sheet_query(connection: duckdb.DuckDBPyConnection, place: str, sheet: str | None, row: str) -> str:
    """A query over the rows of a sheet: every cell as text, times written year first, numbered from 1.

    Excel keeps a time as the days since the end of 1899. Which columns are times is what DuckDB finds in their first
    row; a cell in such a column that isn't a number of days stays as it is.

    Args:
        connection: that can read Excel.
        place: the workbook.
        sheet: its name; None for the first.
        row: what the number of a row is called.
    """
    named = f"{literal(place)}{f', sheet = {literal(sheet)}' if sheet else ''}"
    types = _types(connection, named)
    below = _below_a_title(connection, named) if len(types) <= TITLE else None
    if below is not None:
        named = f"{named}, range = {literal(below)}"
        types = _types(connection, named)
    times = {name: kind for name, kind in types.items() if kind in ("DATE", "TIMESTAMP", "TIME")}
    told = ", ".join(f"{_time(quoted(name), kind)} as {quoted(name)}" for name, kind in times.items())
    replaced = f" replace ({told})" if told else ""
    rows = f"read_xlsx({named}, header = true, all_varchar = true, stop_at_empty = false)"
    return (
        f"select *{replaced} from (select *, row_number() over () as {row} from {rows}) "
        f"where coalesce({', '.join(map(quoted, types))}) is not null"
    )


def sheet_names(path: Path) -> list[str]:
    """The sheets of a workbook that a person sees, in order.

    Raises:
        OSError: if it is no workbook.
    """
    try:
        with zipfile.ZipFile(path) as book:
            tags = SHEET.findall(book.read("xl/workbook.xml").decode("utf-8"))
    except (zipfile.BadZipFile, KeyError, UnicodeDecodeError) as error:
        raise OSError("it is no workbook") from error
    told = [dict(ATTRIBUTE.findall(tag)) for tag in tags]
    return [unescape(tag["name"]) for tag in told if tag.get("state", "visible") == "visible"]


def _types(connection: duckdb.DuckDBPyConnection, named: str) -> dict[str, str]:
    rows = connection.execute(f"describe select * from read_xlsx({named}, header = true, ignore_errors = true)")
    return {str(row[0]): str(row[1]) for row in rows.fetchall()}


def _below_a_title(connection: duckdb.DuckDBPyConnection, named: str) -> str | None:
    """The cells from the names of the columns on, as `A3:F`, where rows with fewer cells are above them; else None."""
    top = f"range = 'A1:{LAST}{LOOKED_AT}', header = false, all_varchar = true, stop_at_empty = false"
    table = connection.execute(f"select * from read_xlsx({named}, {top})")
    filled = [[n for n, cell in enumerate(cells) if cell is not None] for cells in table.fetchall()]
    widest = max(map(len, filled), default=0)
    header = next((n for n, cells in enumerate(filled) if cells and len(cells) >= MOSTLY * widest), 0)
    above = filled[:header]
    # A note beside one of the rows makes it the widest: the names above it are no title.
    if not any(above) or max(map(len, above)) > widest / 2:
        return None
    return f"{_letters(filled[header][0])}{header + 1}:{_letters(filled[header][-1])}"


def _letters(column: int) -> str:
    """What Excel calls a column, which is counted from 0."""
    return (chr(64 + column // 26) if column >= 26 else "") + chr(65 + column % 26)


def _time(cell: str, kind: str) -> str:
    """SQL for a cell's number of days as the time that Excel shows, to the millisecond."""
    days = f"try_cast({cell} as double)"
    moment = f"timestamp '1899-12-30' + to_milliseconds(cast(round({days} * 86400000) as bigint))"
    return f"case when {days} is null then {cell} else cast(cast({moment} as {kind}) as varchar) end"
