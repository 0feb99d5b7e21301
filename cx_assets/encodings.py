"""The characters' codes that CSV files may be written in, and what DuckDB calls them.

Belongs here: names. Does not: looking at bytes (`ingestion.encoding`).
"""

import codecs

from cx_assets.manifest import did_you_mean

# By Python's name of the codec. DuckDB itself reads the first three, its extension `encodings` the others.
BUILT_IN = {"utf-8": "utf-8", "utf-16": "utf-16", "iso8859-1": "latin-1"}
NAMES = {
    **BUILT_IN,
    **{f"cp{page}": f"CP{page}" for page in range(1250, 1259)},
    **{f"iso8859-{part}": f"ISO_8859_{part}" for part in (2, 3, 4, 5, 6, 8, 9, 10, 13, 14, 15)},
    "iso8859-7": "iso-8859_7-2003",
    **{f"cp{page}": f"cp{page}" for page in (437, 850, 852, 855, 857, 866)},
    "koi8-r": "KOI8_R",
    "koi8-u": "KOI8_U",
    "shift_jis": "shift_jis",
    "euc_jp": "EUC_JP",
    "euc_kr": "EUC_KR",
    "gb18030": "gb18030",
}
COMMON = ["utf-8", "utf-16", "latin-1", "windows-1252", "windows-1250", "windows-1251", "iso-8859-2", "iso-8859-15"]


def encoding_name(encoding: str) -> str:
    """Python's name of an encoding that can be read, whichever of its names is given.

    Raises:
        ValueError: if there is no such encoding, or DuckDB doesn't read it.
    """
    try:
        name = codecs.lookup(encoding).name
    except LookupError:
        name = encoding
    if name not in NAMES:
        raise ValueError(f"{encoding!r} is no encoding that can be read.{did_you_mean(encoding, COMMON)}")
    return name
