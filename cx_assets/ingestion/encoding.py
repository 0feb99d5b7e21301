"""Whether a text file is in the encoding that its manifest says.

Belongs here: looking at bytes. Does not: reading rows (`formats`) or the names of encodings (`cx_assets.encodings`).
"""

import codecs
import gzip
import zlib
from pathlib import Path
from typing import BinaryIO, cast

from cx_assets.encodings import encoding_name
from cx_assets.source import Place, Source, SourceError

CHUNK = 1 << 20


def require_encoding(path: Place, source: Source, name: str) -> None:
    """Make sure that a text file is what it should be: DuckDB stops dead on some bytes that aren't UTF-8.

    Of a file that is declared to be in another encoding of one byte per character, most bytes would do; one that has
    characters beyond ASCII and is UTF-8 throughout is UTF-8, and would be read as other characters without a word.

    Args:
        path: the file; what isn't a file of this machine is left to DuckDB.
        source: its declaration.
        name: what to call the file.

    Raises:
        SourceError: naming the file, the line and what to do.
    """
    if not isinstance(path, Path) or source.format not in ("csv", "jsonl"):
        return
    encoding = encoding_name(source.encoding) if source.format == "csv" else "utf-8"
    try:
        wrong = _first_wrong_line(path, encoding)
        if wrong is not None:
            advice = " or state its encoding under 'source'" if source.format == "csv" else ""
            told = "UTF-8" if encoding == "utf-8" else source.encoding
            raise SourceError(f"{name}: line {wrong} is not {told}. Save the file as {told}{advice}.")
        if not encoding.startswith("utf"):
            line = _first_line_beyond_ascii(path)
            if line is not None and _first_wrong_line(path, "utf-8") is None:
                raise SourceError(
                    f"{name}: line {line} is UTF-8, as is the whole file, and not {source.encoding}. Set the source's "
                    "encoding to utf-8."
                )
    except PermissionError:
        raise SourceError(f"{name}: permission denied. Let the user that runs cx read the file.") from None
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise SourceError(f"{name}: not a whole gzip file ({error}). Deliver it again.") from error


def open_bytes(path: Path) -> BinaryIO:
    """A file's bytes, unpacked if its name ends in .gz."""
    return cast("BinaryIO", gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb"))


def _first_wrong_line(path: Path, encoding: str) -> int | None:
    """The first line, from 1, that can't be decoded."""
    decoder = codecs.getincrementaldecoder(encoding)()
    line = 1
    with open_bytes(path) as file:
        while True:
            chunk = file.read(CHUNK)
            try:
                decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                return line + error.object[: error.start].count(b"\n")
            line += chunk.count(b"\n")
            if not chunk:
                return None


def _first_line_beyond_ascii(path: Path) -> int | None:
    """The first line, from 1, that has a byte above 127."""
    line = 1
    with open_bytes(path) as file:
        while chunk := file.read(CHUNK):
            if not chunk.isascii():
                ascii_part = chunk.decode("ascii", "replace").partition("\N{REPLACEMENT CHARACTER}")[0]
                return line + ascii_part.count("\n")
            line += chunk.count(b"\n")
    return None
