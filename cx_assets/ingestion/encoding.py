"""Whether a text file is in the encoding that its manifest says.

Belongs here: looking at bytes. Does not: reading rows (`reader`).
"""

import codecs
from pathlib import Path

from cx_assets.source import Source, SourceError

CHUNK = 1 << 20


def require_encoding(path: Path, source: Source, name: str) -> None:
    """Make sure that a text file is UTF-8 where it should be: DuckDB stops dead on some bytes that aren't.

    Args:
        path: the file.
        source: its declaration.
        name: what to call the file.

    Raises:
        SourceError: naming the file, the line and what to do.
    """
    if source.format == "parquet" or (source.format == "csv" and source.encoding != "utf-8"):
        return
    decoder = codecs.getincrementaldecoder("utf-8")()
    line = 1
    with path.open("rb") as file:
        while True:
            chunk = file.read(CHUNK)
            try:
                decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                line += error.object[: error.start].count(b"\n")
                advice = " or state its encoding under 'source'" if source.format == "csv" else ""
                raise SourceError(f"{name}: line {line} is not UTF-8. Save the file as UTF-8{advice}.") from error
            line += chunk.count(b"\n")
            if not chunk:
                return
