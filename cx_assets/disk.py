"""The room on the disks that a run writes to, and knowing a full one from what failed on it.

Belongs here: how much is free where, and what is said when that is too little for anything. Does not: what a table or a
publication that doesn't fit says (`table.storage`, `publishing.files`), or the verdict (`operations.status`). Dagster's
history may meet a full disk first, in any of its writes, and tells it as an error of its database.
"""

import errno
import os
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cx_assets.home import home_of
from cx_assets.settings import Settings

FULL = 10_000_000
"""Bytes. With fewer free Dagster can't even note down a run."""

ADVICE = "Free space on the disk, then run again; what was published stays."
NO_SPACE = os.strerror(errno.ENOSPC)


@dataclass(frozen=True)
class Room:
    """What is free on the disk of a folder.

    Attributes:
        folder: the one, or the nearest above it that is there.
        free: bytes.
    """

    folder: Path
    free: int

    @property
    def is_full(self) -> bool:
        """Whether that is too little for anything."""
        return self.free < FULL

    def told(self) -> str:
        """That it is full, a sentence; or was, where what was half written has been removed since."""
        return f"The disk {'is' if self.is_full else 'was'} full: {self.free / 1e6:,.0f} MB are free in {self.folder}."


def least_room(settings: Settings) -> Room:
    """The room for data or for Dagster's history, whichever is less."""
    return min(map(_room, (settings.data_dir.absolute(), home_of(settings).absolute())), key=lambda room: room.free)


def _room(folder: Path) -> Room:
    there = next(path for path in (folder, *folder.parents) if path.exists())
    return Room(there, shutil.disk_usage(there).free)


def told_if_full(error: Exception, settings: Settings) -> str | None:
    """What to say of an error whose cause is a full disk; None of any other."""
    room = least_room(settings)
    causes = list(_causes(error))
    # SQLite calls it an I/O error where it lacks room for a file of its own beside the database.
    if any(map(_says_full, causes)) or (room.is_full and any(isinstance(cause, sqlite3.Error) for cause in causes)):
        return f"{room.told()} {ADVICE}"
    return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _says_full(error: BaseException) -> bool:
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    return (isinstance(error, OSError) and error.errno == errno.ENOSPC) or NO_SPACE in str(error)
