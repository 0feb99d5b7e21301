"""Numbered steps from the schema of an earlier version's warehouse to this version's.

Belongs here: what an existing warehouse lacks, in `step_NNNN_*.py`, one step per change of a stored table whose rows
must survive, and applying them. Does not: tables that every run makes anew and nothing reads before, and the
declarations, which stand in each stage's `tables.py`. A step is history: it says what was true when it was written, so
it imports nothing of the project and is never changed afterwards.
"""

from collections.abc import Callable
from dataclasses import dataclass

import duckdb

from cx_assets.migrations import step_0001_store_id, step_0002_due_on_and_version, step_0003_withdrawn_events

VERSION_TABLE = "operations.schema_version"


class MigrationError(Exception):
    """The warehouse can't be brought to this version's schema; it is as it was."""


@dataclass(frozen=True)
class Step:
    """One change of the schema.

    Attributes:
        version: of the schema after it; they are numbered from 1 without a gap.
        name: what it does, for logs and for the table of versions.
        upgrade: makes the change, inside the transaction of the caller.
    """

    version: int
    name: str
    upgrade: Callable[[duckdb.DuckDBPyConnection], None]


STEPS = (
    Step(1, "events know their store and the customer as delivered", step_0001_store_id.upgrade),
    Step(2, "lists know when an item is due, figures of which lists they are", step_0002_due_on_and_version.upgrade),
    Step(3, "there are withdrawn events, none so far", step_0003_withdrawn_events.upgrade),
)


def migrate(
    connection: duckdb.DuckDBPyConnection, database: str, steps: tuple[Step, ...] = STEPS
) -> list[tuple[int, str]]:
    """Bring a warehouse to the schema of this version, all steps in one transaction.

    A warehouse without any table needs no step. One with tables but without a version is of version 0.1.0, which noted
    none, or of a state between, for which the steps look before they change something.

    Args:
        connection: the writer's, under the lock.
        database: what the warehouse is called in errors.
        steps: in their order.

    Returns:
        Version and name of each step that was applied.

    Raises:
        MigrationError: if a step fails, or if a newer version of the project made the warehouse.
    """
    latest = steps[-1].version
    stored = stored_version(connection)
    if stored == latest:
        return []
    if stored is not None and stored > latest:
        raise MigrationError(
            f"{database} has the schema {stored}; this version of cx_assets knows schemas up to {latest}. A newer "
            "version has written it. Install that one again, or, to go on with this one, move the file away: the next "
            "run makes it anew from the files of the dataset. Nothing was changed."
        )
    empty = stored is None and not _has_tables(connection)
    due = [] if empty else [step for step in steps if step.version > (stored or 0)]
    connection.execute("begin")
    try:
        _make_version_table(connection)
        for step in due:
            try:
                step.upgrade(connection)
            except duckdb.Error as error:
                raise MigrationError(
                    f"{database} could not be brought to the schema {step.version} ({step.name}): {error}. All steps "
                    "were undone; the warehouse is as it was, and so is what was published. Go back to the version "
                    "that made it, or move the file away: the next run makes it anew from the files of the dataset."
                ) from error
        noted = [(step.version, step.name) for step in due] or [(latest, "made with this schema")]
        connection.executemany(f"insert into {VERSION_TABLE} values (?, ?, current_timestamp)", noted)
        connection.execute("commit")
    except BaseException:
        connection.execute("rollback")
        raise
    return [] if empty else noted


def stored_version(connection: duckdb.DuckDBPyConnection) -> int | None:
    """The version of the schema that a warehouse says it has; None where it says none."""
    there = connection.execute(
        "select count(*) from information_schema.tables "
        "where table_schema = 'operations' and table_name = 'schema_version'"
    ).fetchone()
    if not there or not there[0]:
        return None
    row = connection.execute(f"select max(version) from {VERSION_TABLE}").fetchone()
    return None if row is None or row[0] is None else int(row[0])


def _has_tables(connection: duckdb.DuckDBPyConnection) -> bool:
    return connection.execute("select 1 from information_schema.tables limit 1").fetchone() is not None


def _make_version_table(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("create schema if not exists operations")
    connection.execute(
        f"create table if not exists {VERSION_TABLE} "
        "(version integer not null, name varchar not null, applied_at timestamptz not null)"
    )
