"""Who holds the warehouse, and whether a process is still there.

Belongs here: asking the lock and the machine. Does not: taking the lock (`table.warehouse`).
"""

import fcntl
import os
import socket

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
            return _last_holder(settings) or "another process"
    return None


def is_gone(settings: Settings, process: int) -> bool:
    """Whether a process has ended; where runs work on another machine, or in a container, nobody can tell: False."""
    holder = _last_holder(settings)
    if holder and f" on {socket.gethostname()} (" not in holder:
        return False
    try:
        os.kill(process, 0)  # sends nothing: it asks whether something could be sent
    except ProcessLookupError:
        return True
    except PermissionError:  # another user's
        return False
    return False


def _last_holder(settings: Settings) -> str | None:
    """What the process that last took the lock has told of itself."""
    holder = settings.warehouse_path.with_suffix(".holder")
    return holder.read_text("utf-8") if holder.exists() else None
