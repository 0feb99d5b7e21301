"""Extensions of DuckDB: the readers of Excel, encodings, databases and what is behind a URL.

Belongs here: finding and loading them. Does not: what is read with them. Nothing is downloaded unasked: a run that
reads a shop's data doesn't fetch programs from the internet on the way.
"""

from importlib.util import find_spec
from pathlib import Path

import duckdb

from cx_assets.source import SourceError
from cx_assets.table.schema import literal


def load_extension(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Load an extension: from the wheel `duckdb_extension_<name>`, else as it was installed into DuckDB.

    A wheel holds the signed file that DuckDB itself would download; it fits one version of DuckDB.

    Args:
        connection: where it is needed; what is loaded already stays.
        name: as DuckDB calls it, such as `postgres_scanner`.

    Raises:
        SourceError: if it is in neither place for this version of DuckDB; the message says how to install it.
    """
    if connection.execute(
        "select 1 from duckdb_extensions() where extension_name = ? and loaded", [name]
    ).fetchone():  # the file of `encodings` takes two seconds to load
        return
    file = _wheel_file(name)
    try:
        connection.execute("set autoinstall_known_extensions = false")
        connection.execute(f"load {literal(str(file)) if file else name}")
    except duckdb.Error as error:
        version = duckdb.__version__
        wheel = f"duckdb-extension-{name.replace('_', '-')}=={version}"
        raise SourceError(
            f"this needs DuckDB's extension {name}, of which there is none for DuckDB {version} here. Install it: "
            f"pip install {wheel}, or once with internet access: "
            f"python -c \"import duckdb; duckdb.sql('install {name}')\"."
        ) from error


def _wheel_file(name: str) -> Path | None:
    """The extension's file for this version of DuckDB in an installed wheel."""
    spec = find_spec(f"duckdb_extension_{name}")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        file = Path(folder) / "extensions" / f"v{duckdb.__version__}" / f"{name}.duckdb_extension"
        if file.is_file():
            return file
    return None
