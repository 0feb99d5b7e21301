"""A reader in a process of its own: `python -m cx_assets_tests.reading DATABASE`.

Opens the database again and again until its input ends, then prints how often, each different state that it saw, and
how many folders the database was found in.
"""

import json
import select
import sys
from pathlib import Path

import duckdb

PAUSE = 0.1


def read(database: Path) -> dict[str, int]:
    """The rows of every table."""
    with duckdb.connect(str(database), read_only=True) as connection:
        tables = connection.execute("select schema_name || '.' || table_name from duckdb_tables() order by all")
        names = [name for (name,) in tables.fetchall()]
        return {name: connection.execute(f"select count(*) from {name}").fetchall()[0][0] for name in names}


def read_on(database: Path) -> dict[str, object]:
    """Read until there is something to read on standard input."""
    reads, states, folders = 0, {}, set()
    while not select.select([sys.stdin], [], [], PAUSE)[0]:
        folders.add(database.parent.resolve())
        state = read(database)
        states[json.dumps(state)] = state
        reads += 1
    return {"reads": reads, "states": list(states.values()), "folders": len(folders)}


if __name__ == "__main__":
    print("reading", flush=True)
    print(json.dumps(read_on(Path(sys.argv[1]))))
