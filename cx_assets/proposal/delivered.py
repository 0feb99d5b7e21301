"""The files that somebody exported: which there are, and how each is written.

Belongs here: bytes, encodings, delimiters, headers, and a sample of rows small enough to look at. Does not: what the
rows mean (`columns`, `roles`).
"""

import codecs
import csv
import gzip
import io
import re
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import duckdb
from pydantic import ValidationError

from cx_assets.diagnosis.strays import DATA_SUFFIXES, is_data
from cx_assets.ingestion.extensions import load_extension
from cx_assets.ingestion.formats import ROW, for_a_look
from cx_assets.ingestion.sheets import sheet_names, sheet_query
from cx_assets.proposal.sqlite import is_sqlite, sqlite_advice
from cx_assets.source import Source, SourceError
from cx_assets.table.schema import literal

Format = Literal["csv", "jsonl", "parquet", "excel"]
# Text of a file that is looked at for its encoding; what stands further on is for the doctor to name by line.
LOOKED_AT = 64 << 20
HEAD = 256 << 10
# Other encodings of Latin letters: of old tills, of the middle of Europe, of old Macintoshes.
LATIN = ("cp850", "windows-1250", "mac-roman")
# What windows-1252 is used for, and bytes that it doesn't have.
WESTERN = frozenset("äöüßÄÖÜéèêëàâáãåæçìíîïñóòôõøœùúûÿÉÈÀÁÂÇÑÓÔÕÅÆØÍÚ€£§°²³®©™„“”\u2018\u2019\u2013—…«»·\u00a0¿¡ºª")
UNDEFINED_1252 = frozenset(b"\x81\x8d\x8f\x90\x9d")


class DeliveryError(Exception):
    """Files that can't be looked at; the message says which and what to do."""


@dataclass(frozen=True)
class Delivered:
    """One file and how it is written.

    Attributes:
        path: the file.
        format: of its rows.
        columns: its header.
        encoding: of text, `ascii` where nothing tells one encoding from another; utf-8 for what isn't text.
        encoding_sureness: 0 to 1.
        delimiter: of CSV.
        sheet: of a workbook with several.
        doubts: what looks wrong with the file, each a sentence with what to do.
    """

    path: Path
    format: Format
    columns: tuple[str, ...]
    encoding: str = "utf-8"
    encoding_sureness: float = 1.0
    delimiter: str = ""
    doubts: tuple[str, ...] = ()
    sheet: str = ""


def files_named(patterns: Iterable[str]) -> list[Path]:
    """The data files that patterns name: files, globs, or folders with all that is in them; sorted, each once.

    Raises:
        DeliveryError: if a pattern names nothing, or a file isn't of a known kind.
    """
    found: set[Path] = set()
    for pattern in patterns:
        path = Path(pattern).expanduser()
        if path.is_dir():
            named = {file for file in path.rglob("*") if is_data(file)}
            databases = [] if named else sorted(file for file in path.rglob("*") if is_sqlite(file))
            if databases:
                raise DeliveryError(sqlite_advice(databases[0]))
        elif path.is_file():
            if is_sqlite(path):
                raise DeliveryError(sqlite_advice(path))
            if not path.name.lower().endswith(DATA_SUFFIXES):
                raise DeliveryError(f"{pattern}: not a kind of file that can be read: {', '.join(DATA_SUFFIXES)}.")
            named = {path}
        else:
            root = Path(path.anchor) if path.is_absolute() else Path()
            rest = str(path.relative_to(path.anchor)) if path.is_absolute() else str(path)
            named = {file for file in root.glob(rest) if is_data(file)}
        if not named:
            raise DeliveryError(f"{pattern}: there is no such file. Data files end with {', '.join(DATA_SUFFIXES)}.")
        found |= {file.absolute() for file in named}
    return sorted(found)


def near(path: Path) -> str:
    """A path as it is called from the folder that the user is in."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def sheets_of(path: Path) -> list[str]:
    """The sheets of a workbook that has several; for any other file one without a name.

    Raises:
        DeliveryError: if it is no workbook, though its name says so.
    """
    if format_of(path) != "excel":
        return [""]
    try:
        names = sheet_names(path)
    except OSError as error:
        raise DeliveryError(f"{path.name}: can't be read as excel: {error}.") from error
    return names if len(names) > 1 else [""]


def looked_at(path: Path, sheet: str = "") -> Delivered:
    """How one file is written, or one sheet of a workbook.

    Raises:
        DeliveryError: if it is empty or can't be read as what its name says.
    """
    kind = format_of(path)
    try:
        Source.model_validate({"files": path.name, "format": kind})
    except ValidationError as error:
        raise DeliveryError(f"{path.name}: a manifest can't name {kind} files. Save the sheet as CSV.") from error
    try:
        if kind in ("csv", "jsonl"):
            return _text(path, kind)
        columns = _columns(path, kind, sheet)
    except (duckdb.Error, SourceError, OSError, EOFError, csv.Error, UnicodeError) as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise DeliveryError(f"{path.name}{sheet and f'#{sheet}'}: can't be read as {kind}: {first}") from error
    return Delivered(path, kind, columns, sheet=sheet)


def format_of(path: Path) -> Format:
    """The format that a file's name tells."""
    name = path.name.lower().removesuffix(".gz")
    if name.endswith(".parquet"):
        return "parquet"
    if name.endswith(".xlsx"):
        return "excel"
    return "jsonl" if name.endswith((".jsonl", ".ndjson", ".json")) else "csv"


def opened(path: Path) -> io.BufferedIOBase:
    """A file's bytes, unpacked."""
    return gzip.open(path, "rb") if path.name.lower().endswith(".gz") else path.open("rb")


def encoding_guess(data: bytes) -> tuple[str, float]:
    """The encoding of some text, and how sure that is: UTF-8 proves itself, one-byte encodings don't.

    Args:
        data: bytes from the start of a file; a character may be cut at their end.
    """
    for mark, name in ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")):
        if data.startswith(mark):
            return name, 1.0
    if data.isascii() and 0 not in data:
        return "ascii", 1.0
    try:
        codecs.getincrementaldecoder("utf-8")().decode(data)
    except UnicodeDecodeError:
        pass
    else:
        return "utf-8", 1.0
    if data[:2000].count(0) > len(data[:2000]) / 5:
        return "utf-16", 0.9
    high = Counter(byte for byte in data if byte >= 0x80)
    # In western text accents stand alone among plain letters; where whole words are beyond ASCII it is another script.
    in_words = sum(len(run) for run in re.findall(rb"[\x80-\xff]{3,}", data))
    if in_words > sum(high.values()) / 2:
        return _page_of_most_letters(data, ("windows-1251", "koi8-r")), 0.5
    if high.keys() & UNDEFINED_1252:
        return _page_of_most_letters(data, LATIN), 0.5
    # Western letters and the signs of prices and quotes; other pages' letters come out as signs nobody types.
    shown = {byte: bytes([byte]).decode("windows-1252") for byte in high}
    share = sum(high[byte] for byte, sign in shown.items() if sign in WESTERN) / sum(high.values())
    return ("windows-1252", 0.5 + 0.45 * share) if share > 0.7 else (_page_of_most_letters(data, LATIN), 0.5)


def _page_of_most_letters(data: bytes, pages: tuple[str, ...]) -> str:
    """Of some one-byte encodings the one by which most of the foreign characters become lower-case letters."""

    def letters(page: str) -> int:
        text = data.decode(page, errors="replace")
        return sum(c.islower() for c in text if ord(c) >= 0x80) - 3 * text.count("\ufffd")

    return max(pages, key=letters)


def _text(path: Path, kind: Literal["csv", "jsonl"]) -> Delivered:
    with opened(path) as file:
        head = file.read(HEAD)
        encoding, sureness = encoding_guess(head)
        if encoding in ("ascii", "utf-8"):  # until a line further on says otherwise
            encoding, sureness = encoding_guess(head + file.read(LOOKED_AT))
    if not head.strip():
        raise DeliveryError(f"{path.name}: the file is empty.")
    text = head.decode(encoding, errors="replace").removeprefix("\ufeff")
    if kind == "jsonl":
        if text.lstrip().startswith("["):
            raise DeliveryError(f"{path.name}: it is one array. Save it as one object a line: jq -c '.[]'.")
        with sample_file([text.rsplit("\n", 1)[0] if "\n" in text else text], ".jsonl") as sample:
            return Delivered(path, kind, _columns(sample, kind), encoding, sureness)
    lines = text.splitlines()
    delimiter = _delimiter(text)
    rows = list(csv.reader(io.StringIO(text), delimiter=delimiter))[:200]
    header = tuple(cell.strip() for cell in rows[0])
    return Delivered(path, kind, header, encoding, sureness, delimiter, _doubts(path, rows, lines[0]))


def _delimiter(text: str) -> str:
    """What separates the fields: DuckDB's sniffer says, bound to the quotes and comments that the reader knows."""
    complete = text.rsplit("\n", 1)[0] if "\n" in text[:-1] and not text.endswith("\n") else text
    with sample_file([complete], ".csv") as sample, closing(for_a_look()) as connection:
        try:
            row = connection.execute(
                f"select delimiter from sniff_csv({literal(str(sample))}, all_varchar = true, quote = '\"', "
                "escape = '\"', comment = '', header = true)"
            ).fetchone()
        except duckdb.Error:
            row = None
    if row and row[0] in (",", ";", "\t", "|", "^", "~"):
        return str(row[0])
    first = text.splitlines()[0]
    return max(",;\t|", key=first.count)


def _doubts(path: Path, rows: list[list[str]], first: str) -> tuple[str, ...]:
    header, body = rows[0], rows[1:]
    doubts = []
    numbers = sum(cell.strip().replace(".", "").replace(",", "").replace("-", "").isdigit() for cell in header)
    if numbers and body:
        doubts.append(
            f"{path.name}: its first line looks like data ({first[:60]}), not like names of columns. Add a line with "
            "the names, or the first row is lost."
        )
    if len(set(header)) < len(header):
        twice = sorted(name for name, count in Counter(header).items() if count > 1)
        doubts.append(f"{path.name}: the header names {', '.join(map(repr, twice))} twice. Rename one of them.")
    odd = [number for number, row in enumerate(body, 2) if row and len(row) != len(header)]
    if odd:
        doubts.append(
            f"{path.name}: line {odd[0]} has {len(body[odd[0] - 2])} fields and the header has {len(header)}. Correct "
            "the line; DuckDB refuses the file."
        )
    return tuple(doubts)


def _columns(path: Path, kind: Format, sheet: str = "") -> tuple[str, ...]:
    with closing(for_a_look()) as connection:
        if kind == "excel":
            load_extension(connection, "excel")
            rows = f"(select * exclude ({ROW}) from ({sheet_query(connection, str(path), sheet, ROW)}))"
        else:
            rows = reading(path, kind)
        names = connection.execute(f"describe select * from {rows} limit 0").fetchall()
    return tuple(str(row[0]) for row in names)


def reading(path: Path, kind: Literal["csv", "jsonl", "parquet"], delimiter: str = "", encoding: str = "utf-8") -> str:
    """The table function of DuckDB that reads a file as a run does."""
    name = literal(str(path))
    match kind:
        case "parquet":
            return f"read_parquet({name})"
        case "jsonl":
            return f"read_json({name}, format = 'newline_delimited', sample_size = -1, maximum_depth = 1)"
        case "csv":
            sign = f", delim = {literal(delimiter)}" if delimiter else ""
            return (
                f"read_csv({name}, header = true, all_varchar = true, quote = '\"', escape = '\"', comment = '', "
                f"encoding = {literal(encoding)}{sign})"
            )


@contextmanager
def sample_file(texts: Iterable[str], suffix: str) -> Iterator[Path]:
    """A file of some text for DuckDB to read, in UTF-8, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="cx_init_") as folder:
        path = Path(folder) / f"sample{suffix}"
        with path.open("w", encoding="utf-8", newline="") as file:
            file.writelines(texts)
        yield path
