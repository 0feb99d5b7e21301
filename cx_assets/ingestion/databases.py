"""Tables of PostgreSQL, MySQL and SQLite, through DuckDB's scanners.

Belongs here: attaching a database, read only, and queries over its rows. Does not: mapping them (`reader`). A
connection string is read from its environment variable at the last moment and goes into DuckDB's secrets, part by part:
what DuckDB then says of a connection, in errors too, holds no password.
"""

import os
from datetime import date, timedelta
from pathlib import Path

import duckdb

from cx_assets.ingestion.connection_string import ConnectionString, parsed
from cx_assets.ingestion.extensions import load_extension
from cx_assets.source import Database, SourceError
from cx_assets.table.schema import literal, quoted

EXTENSIONS = {"postgres": "postgres_scanner", "mysql": "mysql_scanner", "sqlite": "sqlite_scanner"}
TIMES = ("DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE")
Days = tuple[date, date]


def relation_name(database: Database, place: str) -> str:
    """What the tables tell as `source_file`: the variable (or file) of the connection, then the table or query.

    Args:
        database: the relation's.
        place: where in the manifest a query stands.
    """
    return f"{database.variable or database.connection}/{database.table or f'query of {place}'}"


def attach(connection: duckdb.DuckDBPyConnection, database: Database, folder: Path) -> None:
    """Attach a database read only, unless it is attached already.

    Args:
        connection: where it will be read.
        database: as the manifest declares it.
        folder: the manifest's, which a SQLite file's path starts from.

    Raises:
        SourceError: if the extension or the environment variable is missing, or it can't be reached.
    """
    alias = _alias(database)
    secret = quoted(f"{alias}_secret")
    if connection.execute("select 1 from duckdb_databases() where database_name = ?", [alias]).fetchone():
        return
    load_extension(connection, EXTENSIONS[database.kind])
    text = _connection_string(database)
    if database.kind == "sqlite":
        file = folder / text
        if not file.is_file():
            told = f"the file that {database.variable} names" if database.variable else database.connection
            raise SourceError(f"no such SQLite file: {told}. Put it there or correct 'connection'.")
        # A SQLite column holds what it likes: a value that isn't of its type is a row to reject, not a failed run.
        connection.execute("set sqlite_all_varchar = true")
        connection.execute(f"attach {literal(str(file))} as {quoted(alias)} (type sqlite, read_only)")
        return
    try:
        parts: ConnectionString = parsed(text, database.kind)
    except ValueError as error:
        raise SourceError(f"the environment variable {database.variable} holds no connection string: {error}") from None
    given = ", ".join(f"{name} ${name}" for name in parts.secret)
    try:
        connection.execute(
            f"create or replace temporary secret {secret} (type {database.kind}, {given})", dict(parts.secret)
        )
        connection.execute(
            f"attach {literal(parts.options)} as {quoted(alias)} (type {database.kind}, read_only, secret {secret})"
        )
    except duckdb.Error as error:
        raise SourceError(f"{database.variable}: {reason(error, parts)}") from None


def _connection_string(database: Database) -> str:
    if database.variable is None:
        return database.connection
    text = os.environ.get(database.variable, "")
    if not text.strip():
        example = {"sqlite": "a path", "mysql": "mysql://user:password@host/database"}
        raise SourceError(
            f"the environment variable {database.variable} is not set. It holds the connection, such as "
            f"{example.get(database.kind, 'postgresql://user:password@host/database')}: set it where cx runs."
        )
    return text


def reason(error: Exception, parts: ConnectionString) -> str:
    """What a server or its driver said, in a line, without a password."""
    text = " ".join(str(error).split())
    for start in ('Unable to connect to Postgres at "', 'Failed to connect to MySQL database with parameters "'):
        if start in text:
            text = f"no connection: {text.partition(start)[2].partition(': ')[2]}"
    return parts.without_secrets(text)


def _alias(database: Database) -> str:
    return f"cx_{database.kind}_{database.variable or database.connection}"


def relation_query(database: Database, condition: str = "") -> str:
    """A query over the rows of an attached table or query.

    Args:
        database: where they are.
        condition: SQL for the rows that are wanted, which the database itself applies.
    """
    alias = _alias(database)
    where = f" where {condition}" if condition else ""
    names = (database.table or "").split(".")
    if database.table is not None and database.kind != "mysql":
        return f"select * from {quoted(alias)}.{'.'.join(map(quoted, names))}{where}"
    # DuckDB's scanner of MySQL doesn't hand conditions on; as a query of MySQL's own it does.
    relation = ".".join(f"`{name}`" for name in names) if database.table else f"({_statement(database)}) as delivered"
    text = f"select * from {relation}{where}" if where or database.table else _statement(database)
    return f"select * from {database.kind}_query({literal(alias)}, {literal(text)})"


def _statement(database: Database) -> str:
    return str(database.query).strip().rstrip(";")


def column_name(database: Database, name: str) -> str:
    """A column's name in a condition of `relation_query`."""
    return f"`{name}`" if database.kind == "mysql" else quoted(name)


def days_condition(database: Database, types: dict[str, str], occurred_at: str, days: Days | None) -> str:
    """SQL that leaves the rows of some days to be read, and perhaps others; empty where all have to be.

    Only where an event's time is a column that the database itself knows as a time, the database can tell which rows it
    needs to send. A day more on both sides leaves the zone of the days to whoever places the events.

    Args:
        database: where the rows are.
        types: DuckDB's types of the relation's columns.
        occurred_at: the manifest's expression.
        days: the first and the last day that are wanted, or None for all.
    """
    column = next((name for name in types if occurred_at.strip() in (name, quoted(name))), None)
    if days is None or column is None or types[column] not in TIMES:
        return ""
    first, end = days[0] - timedelta(days=1), days[1] + timedelta(days=2)
    kind = "date" if types[column] == "DATE" else "timestamp"
    if types[column] == "TIMESTAMP WITH TIME ZONE" and database.kind == "postgres":
        kind = "timestamptz"
    name = column_name(database, column)
    midnight = "" if kind == "date" else " 00:00:00"
    return f"{name} >= {kind} '{first}{midnight}' and {name} < {kind} '{end}{midnight}'"
