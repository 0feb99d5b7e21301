"""The lazy table that flows between assets, and `sql`, the one way to run a query over such tables.

Belongs here: composing queries and fetching their rows. Does not: where rows are stored (`io_manager`) or which process
may write (`warehouse`). A `Table` is the text of a query, so SQL assets move no rows through Python, and another engine
could stand behind the same two names.
"""

import itertools
import re
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import duckdb

if TYPE_CHECKING:
    # Loaded where a frame is at hand: commands that only ask for rows start a second sooner without them.
    import pandas as pd
    import pyarrow as pa

_frame_numbers = itertools.count()


@dataclass(frozen=True)
class Table:
    """A query that has not run yet.

    Attributes:
        connection: where it will run.
        query: its text, complete in itself.
        sources: the frames that the text names; held so that they live as long as the query.
        confidential: whether an error of DuckDB may quote rows that no log may have.
        explain: what to say, if anything is known, when DuckDB can't read what the rows are read from.
    """

    connection: duckdb.DuckDBPyConnection = field(repr=False)
    query: str
    sources: tuple[object, ...] = field(default=(), repr=False)
    confidential: bool = False
    explain: Callable[[], str | None] | None = field(default=None, repr=False)

    def df(self) -> "pd.DataFrame":
        """The rows as a DataFrame."""
        return self.connection.execute(self.query).df()

    def arrow(self) -> "pa.Table":
        """The rows as an Arrow table."""
        return self.connection.execute(self.query).to_arrow_table()

    def fetchall(self) -> list[tuple[Any, ...]]:
        """The rows as tuples."""
        return self.connection.execute(self.query).fetchall()

    def fetchone(self) -> tuple[Any, ...]:
        """The first row.

        Raises:
            LookupError: if there is none.
        """
        row = self.connection.execute(self.query).fetchone()
        if row is None:
            raise LookupError(f"no row in: {self.query}")
        return row

    def count(self) -> int:
        """The number of rows."""
        return int(sql("select count(*) from t", t=self).fetchone()[0])

    @property
    def columns(self) -> list[str]:
        """The names of the columns, without running the query."""
        return [str(row[0]) for row in self.connection.execute(f"describe {self.query}").fetchall()]


@dataclass(frozen=True)
class _Frame:
    """A frame that DuckDB can see under a name, for as long as this object lives."""

    name: str


def from_frame(connection: duckdb.DuckDBPyConnection, frame: "pd.DataFrame | pa.Table") -> Table:
    """A Table over the rows of a frame, which is not copied.

    Args:
        connection: where the Table will be used.
        frame: the rows; a DataFrame's index is left out.
    """
    import pyarrow as pa

    given = frame if isinstance(frame, pa.Table) else pa.Table.from_pandas(frame, preserve_index=False)
    # DuckDB takes a block of memory per column of every piece that a frame was put together of.
    rows = given.combine_chunks()
    holder = _Frame(f"frame_{next(_frame_numbers)}")
    connection.register(holder.name, rows)
    weakref.finalize(holder, _forget, weakref.ref(connection), holder.name)
    return Table(connection, f"select * from {holder.name}", (holder,))


def _forget(connection: "weakref.ref[duckdb.DuckDBPyConnection]", name: str) -> None:
    """Let go of a frame; a connection that is gone or closed has let go already."""
    alive = connection()
    if alive is not None:
        try:
            alive.unregister(name)
        except duckdb.ConnectionException:
            return


def sql(query: str, **tables: "Table | pd.DataFrame | pa.Table") -> Table:
    """A query over tables, each named in the text by its keyword.

    Args:
        query: one select statement; it may begin with `with`.
        **tables: what the names in the text stand for; at least one is a Table.

    Returns:
        The composed query, not yet run.

    Raises:
        ValueError: if no Table is given.
    """
    connections = [t.connection for t in tables.values() if isinstance(t, Table)]
    if not connections:
        raise ValueError("sql() needs at least one Table, to know where the query runs")
    bound = {n: t if isinstance(t, Table) else from_frame(connections[0], t) for n, t in tables.items()}
    # Inlined rather than materialised: filters then reach the stored table.
    ctes = ", ".join(f"{name} as not materialized ({table.query})" for name, table in bound.items())
    own = re.match(r"\s*with\s+(recursive\s+)?", query, re.IGNORECASE)
    recursive = "recursive " if own and own[1] else ""
    text = f"with {recursive}{ctes}, {query[own.end() :]}" if own else f"with {ctes} {query}"
    return Table(
        connections[0],
        text,
        tuple(s for t in bound.values() for s in t.sources),
        any(t.confidential for t in bound.values()),
        next((t.explain for t in bound.values() if t.explain), None),
    )


def once(expression: str) -> str:
    """SQL for the value of an expression that a filter may ask for, so that DuckDB computes it once for every row.

    Its optimiser moves a filter below the projection that computes what it asks for, and writes the expression out at
    every mention. An expression that is volatile it leaves where it is.
    """
    return f"case when random() < 0 then null else {expression} end"


LAST_DAY = "select max(day) from {}"


def as_of_date(events: Table) -> datetime:
    """The midnight before which everything known happened: the end of the last event's day.

    It is told without a zone, by the clocks of the dataset's own, as `day` is: an event is before an as-of date if its
    day is. Its instant, `occurred_at`, is told in UTC, and isn't to be compared with an as-of date.

    Raises:
        LookupError: if there is no event.
    """
    last_day = sql(LAST_DAY.format("events"), events=events).fetchone()[0]
    if last_day is None:
        raise LookupError("warehouse.events is empty: there is no as-of date. Materialize raw_events and events first.")
    return midnight_after(last_day)


def midnight_after(day: Any) -> datetime:
    """Midnight at the end of `day`, a date."""
    return datetime(day.year, day.month, day.day) + timedelta(days=1)
