"""A SQLite file among what was to be looked at: it needs no export, as a manifest names its tables.

Belongs here: telling one by its bytes, and what to write. Does not: reading its rows (`ingestion.databases`).
"""

import sqlite3
from contextlib import closing
from pathlib import Path

MARK = b"SQLite format 3\0"


def is_sqlite(path: Path) -> bool:
    """Whether a path is a SQLite database, whatever it is called."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(MARK)) == MARK


def sqlite_advice(path: Path) -> str:
    """What to write in a manifest for a SQLite database, with the tables that it has."""
    tables = _tables(path)
    table = tables[0] if tables else "..."
    listed = f" Its tables: {', '.join(tables)}." if tables else ""
    return (
        f"{path}: a SQLite database. `cx init` looks at exported files only, but a manifest beside it reads it as it "
        f"is: source: {{database: {{kind: sqlite, connection: {path.name}, table: {table}}}}}.{listed} Copy "
        "cx_assets/datasets/template.yaml and say which column is which; data/README.md tells of databases."
    )


def _tables(path: Path) -> list[str]:
    """The names of tables and views; none of a database that can't be opened."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            rows = connection.execute(
                "select name from sqlite_master "
                "where type in ('table', 'view') and name not like 'sqlite_%' order by name"
            ).fetchall()
    except sqlite3.Error:
        return []
    return [str(row[0]) for row in rows]
