"""Writing the working database anew, so that removed rows leave the disk.

Belongs here: one file in place of another. Does not: what is removed (`retention`). DuckDB keeps the bytes of deleted
rows in the file, where they take room and can be read; a copy of what is left has none of them.
"""

from pathlib import Path

from cx_assets.settings import Settings
from cx_assets.table.schema import literal
from cx_assets.table.warehouse import connect, writing


def compact(settings: Settings) -> tuple[int, int]:
    """Replace the working database by a copy of what it holds, in one step, while nobody writes.

    Returns:
        Its bytes before and after.

    Raises:
        WarehouseBusyError: if another process writes for longer than the operator's bound.
        WarehouseError: if it can't be opened.
        duckdb.Error: if the copy can't be written; the database is then as it was.
    """
    path = settings.warehouse_path
    copy = path.with_suffix(".compacted")
    with writing(path, settings.lock_timeout_seconds, "compaction"):
        _remove(copy)
        try:
            # Opened for writing first: what a killed run left in the journal comes into the file.
            with connect(path, settings.memory_limit, settings.threads) as connection:
                connection.execute("checkpoint")
                before = path.stat().st_size
                connection.execute(f"attach {literal(str(copy))} as compacted")
                connection.execute(f"copy from database {path.stem} to compacted")
                connection.execute("detach compacted")
            copy.replace(path)
        finally:
            _remove(copy)
    return before, path.stat().st_size


def _remove(copy: Path) -> None:
    """Remove a copy that was not finished, and its journal."""
    for path in (copy, copy.with_name(f"{copy.name}.wal")):
        path.unlink(missing_ok=True)
