"""Which line of a text file can't be read, and why, once DuckDB has refused the file.

Belongs here: looking for that line, in words that quote none of its values. Does not: reading rows (`formats`), or
bytes that aren't text (`encoding`). DuckDB speaks of its own options, and of no line at all where it is still finding
out how a file is written. A file that it can read is never looked through here.
"""

import csv
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from cx_assets.encodings import encoding_name
from cx_assets.ingestion.encoding import CHUNK, open_bytes, require_encoding
from cx_assets.ingestion.formats import CSV_BUFFER
from cx_assets.source import Place, Source, SourceError

DELIMITERS = ",;\t|"


def broken_text(place: Place, source: Source, name: str, in_header: str = "") -> str | None:
    """What is wrong with the text of a file, and where; None where that isn't what is wrong.

    Args:
        place: the file; what isn't a file of this machine is not looked at.
        source: its declaration.
        name: what to call it.
        in_header: look at lines only if the first has this text.
    """
    try:
        require_encoding(place, source, name)
    except SourceError as encoding:
        return str(encoding)
    if in_header and in_header not in _header(place, source):
        return None
    line = first_broken_line(place, source)
    return f"{name}: {line}" if line else None


def first_surplus(place: Place, source: Source, columns: int) -> str | None:
    """The first line of a CSV file with more fields than columns, and what to do; None where there is none.

    DuckDB drops fields beyond the last column without a word if they are empty: of `2,50,` for a value and an empty
    rating it takes 2 for the value and 50 for the rating. Without quotes the delimiters can be counted, which costs
    little; a file with quotes is taken as DuckDB reads it. Lines that all end with a delimiter are a habit.

    Args:
        place: a file that DuckDB can read; what isn't a file of this machine is not looked at.
        source: its declaration.
        columns: how many it has.
    """
    if not isinstance(place, Path) or source.format != "csv" or encoding_name(source.encoding).startswith("utf-16"):
        return None
    delimiters = lines = 0
    with open_bytes(place) as file:
        separator = (source.delimiter or _likely_delimiter(file.readline().decode(source.encoding))).encode()
        file.seek(0)
        last = b"\n"
        while chunk := file.read(CHUNK):
            if b'"' in chunk:
                return None
            delimiters += chunk.count(separator)
            lines += chunk.count(b"\n")
            last = chunk
        lines += not last.endswith(b"\n")
    if delimiters in (lines * (columns - 1), lines * columns, lines * columns - 1):
        return None
    return first_broken_line(place, source, columns)


def first_broken_line(place: Place, source: Source, columns: int | None = None) -> str | None:
    """What is wrong with the first line that can't be read, and what to do; None where no such line is found.

    Args:
        place: a file whose text is in its declared encoding; what isn't a file of this machine is not looked at.
        source: its declaration.
        columns: how many columns a CSV file has, if that is known: lines before its header are left out then.
    """
    if not isinstance(place, Path) or source.format not in ("csv", "jsonl"):
        return None
    encoding = source.encoding if source.format == "csv" else "utf-8"
    with io.TextIOWrapper(open_bytes(place), encoding, newline="") as lines:
        return _of_csv(lines, source.delimiter, columns) if source.format == "csv" else _of_json(lines)


def _header(place: Place, source: Source) -> str:
    """The first line of a CSV file; empty of any other."""
    if source.format != "csv" or not isinstance(place, Path):
        return ""
    with open_bytes(place) as file:
        return file.readline().decode(source.encoding, "replace")


def _likely_delimiter(header: str) -> str:
    return max(DELIMITERS, key=header.count)


def _of_csv(lines: TextIO, delimiter: str | None, columns: int | None) -> str | None:
    header = lines.readline().removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}")
    separator = delimiter or _likely_delimiter(header)
    above = 1
    while columns and header and len(next(csv.reader([header], delimiter=separator), [])) != columns:
        header, above = lines.readline(), above + 1
    expected = columns or len(next(csv.reader([header], delimiter=separator), []))
    end = _end(header)
    reader = csv.reader(noted := _Noted(lines), delimiter=separator, strict=True)
    with _long_fields():
        while True:
            number = above + reader.line_num + 1
            try:
                fields = next(reader)
            except StopIteration:
                return None
            except csv.Error as error:
                if "expected after" in str(error):
                    return f"line {number} has text after closing quotes. Write quotes inside of quotes twice."
                if above + reader.line_num > number or "unexpected end" in str(error):
                    return f"line {number} opens quotes that are never closed. Close them, or double them as text."
                return _too_long(number)
            if sum(map(len, fields)) + len(fields) > CSV_BUFFER:
                return _too_long(number)
            if fields and len(fields) != expected:
                has = f"line {number} has {len(fields)} field{'s' * (len(fields) != 1)}, its header {expected}."
                return f"{has} Correct the line; a value with the delimiter {separator!r} in it needs double quotes."
            if _end(noted.last) not in ("", end):
                ends = (
                    f"line {above + reader.line_num} ends with {_ENDS[_end(noted.last)]}, its header with {_ENDS[end]}."
                )
                return f"{ends} Save the file with one kind of line ends."


_ENDS = {"\r\n": "CR LF", "\n": "LF alone", "\r": "CR alone", "": "nothing"}


def _end(line: str) -> str:
    """What ends a line; nothing ends the last one of many files."""
    return line[len(line.rstrip("\r\n")) :]


class _Noted:
    """Lines, of which the last one that was read is remembered."""

    def __init__(self, lines: TextIO) -> None:
        self._lines = lines
        self.last = ""

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            self.last = line
            yield line


def _too_long(number: int) -> str:
    return f"line {number} is longer than {CSV_BUFFER:,} bytes. Are line breaks missing? Deliver the file again."


@contextmanager
def _long_fields() -> Iterator[None]:
    before = csv.field_size_limit(CSV_BUFFER)
    try:
        yield
    finally:
        csv.field_size_limit(before)


class _KeyTwiceError(Exception):
    """An object of JSON that gives a key twice, of which Python would keep the last."""


def _of_json(lines: TextIO) -> str | None:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        if number == 1 and line.startswith("\N{ZERO WIDTH NO-BREAK SPACE}"):
            return "line 1 begins with a byte order mark. Save the file as UTF-8 without one."
        if number == 1 and line.lstrip().startswith("["):
            return "line 1 begins an array. Write one object a line, without brackets around them and commas between."
        try:
            told = json.loads(line, object_pairs_hook=_without_doubles)
        except json.JSONDecodeError as error:
            return f"line {number} is no JSON: {error.msg} (character {error.pos + 1}). Deliver the file again."
        except _KeyTwiceError:
            return f"line {number} gives a key twice. Deliver each key once."
        except RecursionError:
            return f"line {number} is nested too deeply. Deliver it flat."
        if not isinstance(told, dict):
            return f'line {number} is no object. Each line is one row, as {{"key": value, ...}}.'
    return None


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    told = dict(pairs)
    if len(told) < len(pairs):
        raise _KeyTwiceError
    return told
