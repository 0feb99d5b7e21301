"""Who holds the warehouse.

Belongs here: asking the lock. Does not: taking it (`table.warehouse`).
"""

import fcntl

from cx_assets.settings import Settings


def writer(settings: Settings) -> str | None:
    """Who holds the warehouse; None if nobody does."""
    lock = settings.warehouse_path.with_suffix(".lock")
    if not lock.exists():
        return None
    with lock.open() as file:
        try:
            # Shared, and let go of at once: it asks without writing, and a run that begins just now tries again.
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = settings.warehouse_path.with_suffix(".holder")
            return holder.read_text("utf-8") if holder.exists() else "another process"
    return None
