"""Making lists as of earlier dates, and keeping those that are made already.

Belongs here: which lists must be computed, and their rows. Does not: judging them (`backtest_figures`) or recommending
(`recommendations`). A list is known by its version, a fingerprint of the recommender and of everything that it was
given; a list whose version is stored is never computed again, so that a new recommender costs only itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cx_assets.evaluation.split import LISTS, training_events
from cx_assets.recommendations.ranking import BLOCK, RankedLists, Which, joined, top
from cx_assets.recommendations.recommender import Recommender, Training
from cx_assets.similarity.products import threads
from cx_assets.table import Table, TableSpec, sql
from cx_assets.table.schema import literal, quoted
from cx_assets.table.storage import stored_columns
from cx_assets.table.warehouse import Warehouse

DEPTH = 20
"""Places of every stored list: the longest that is judged."""

CODE_VERSION = "3"
"""Raised by whoever changes what a recommender with the same settings computes; all lists are then made anew."""


def versions(recommenders: Sequence[Recommender], given: str) -> dict[str, str]:
    """The version of each recommender's lists, by name.

    Args:
        recommenders: not fitted; their settings are what their `repr` says.
        given: a fingerprint of what they learn from.
    """
    return {
        one.name: hashlib.sha256(f"{CODE_VERSION}\n{one!r}\n{given}".encode()).hexdigest()[:16] for one in recommenders
    }


def fingerprint(*tables: Table) -> str:
    """A fingerprint of the rows of some tables, whatever their order: equal rows, equal fingerprint."""
    # Hashed twice and added up: DuckDB's hash of a row is the exclusive or of its columns'.
    query = f"select count(*), coalesce(sum(cast(hash(hash(t)) as hugeint)) % {1 << 64}, 0) from t"
    return " ".join(f"{count}:{int(total):x}" for count, total in (sql(query, t=table).fetchone() for table in tables))


def fingerprint_before(events: Table, items: Table, as_of: datetime, settings: str) -> str:
    """What every recommender is given on an as-of date: the events before it, the items, and shared settings."""
    return f"{fingerprint(training_events(events, as_of), items)} {as_of.isoformat()} {settings}"


class ListStore:
    """The rows that a write is to hold, collected in a temporary table that DuckDB may move to disk.

    Args:
        warehouse: the run's.
        spec: the declared table, whose stored rows may be kept.
    """

    def __init__(self, warehouse: Warehouse, spec: TableSpec) -> None:
        self._warehouse = warehouse
        self._spec = spec
        self._name = f"new_{spec.name}"
        warehouse.connection.execute(
            spec.ddl(self._name).replace("create or replace table", "create or replace temp table")
        )
        names = "select count(*) from information_schema.tables where table_schema = ? and table_name = ?"
        row = warehouse.connection.execute(names, [spec.group, spec.name]).fetchone()
        self._stored = bool(row and row[0])

    @property
    def rows(self) -> Table:
        """All that was kept and added."""
        columns = ", ".join(map(quoted, self._spec.column_names))
        return self._warehouse.query(f"select {columns} from temp.{self._name}")

    def kept(self, wanted: dict[str, str], as_of: datetime | None = None) -> set[str]:
        """Keep the stored lists of the wanted versions.

        Args:
            wanted: version by recommender.
            as_of: whose lists, in a table by as-of dates.

        Returns:
            The recommenders whose lists are stored.
        """
        if not self._stored:
            return set()
        columns = ", ".join(map(quoted, self._spec.column_names))
        when = f" and as_of = timestamp '{as_of.isoformat(sep=' ')}'" if as_of else ""
        found = set()
        for name, version in wanted.items():
            # Names and versions are the project's own words, without quotes in them.
            where = f"recommender = '{name}' and version = '{version}'{when}"
            if self._warehouse.query(f"select 1 from {self._spec.qualified} where {where} limit 1").fetchall():
                self._warehouse.connection.execute(
                    f"insert into temp.{self._name} select {columns} from {self._spec.qualified} where {where}"
                )
                found.add(name)
        return found

    def add(self, rows: pa.Table) -> None:
        """Add rows of the declared columns."""
        connection = self._warehouse.connection
        connection.register("added_lists", rows)
        columns = ", ".join(map(quoted, self._spec.column_names))
        connection.execute(f"insert into temp.{self._name} ({columns}) select {columns} from added_lists")
        connection.unregister("added_lists")


def stored_rows(warehouse: Warehouse, spec: TableSpec, version: str) -> Table | None:
    """The stored rows of a version, of a table that holds one version only; None if it's another's.

    Args:
        warehouse: the run's.
        spec: the declared table, with a column `version`.
        version: the wanted one.
    """
    if list(stored_columns(warehouse.connection, spec)) != spec.column_names:
        return None
    rows = warehouse.query(f"select * from {spec.qualified} where version = {literal(version)}")
    return rows if rows.count() else None


def list_rows(
    recommender: Recommender, training: Training, customers: NDArray[np.intp], *, version: str, depth: int = DEPTH
) -> pa.Table:
    """The three lists of some customers, by a fitted recommender.

    Args:
        recommender: fitted on `training`.
        training: what it has seen.
        customers: ascending positions.
        version: carried through.
        depth: places per list.

    Returns:
        recommender, list, customer_id, rank, item_id, score, version; a list without any candidate has no row.
    """
    starts = [customers[start : start + BLOCK] for start in range(0, len(customers), BLOCK)]
    # NumPy and SciPy let go of the interpreter while they compute; the blocks come back in their order.
    with ThreadPoolExecutor(threads()) as pool:
        blocks = list(pool.map(lambda block: _ranked(recommender, training, block, depth), starts))
    tables = []
    for which in LISTS:
        lists = joined([block[which] for block in blocks])
        count = len(lists.item)
        tables.append(
            pa.table(
                {
                    "recommender": pa.repeat(pa.scalar(recommender.name), count),
                    "list": pa.repeat(pa.scalar(which), count),
                    "customer_id": _named(training.interactions.customers, lists.customer),
                    "rank": pa.array(lists.rank),
                    "item_id": _named(training.interactions.items, lists.item),
                    "score": pa.array(lists.score),
                    "version": pa.repeat(pa.scalar(version), count),
                }
            )
        )
    return pa.concat_tables(tables)


def computed(
    recommenders: Iterable[Recommender],
    training: Callable[[], Training],
    wanted: dict[str, str],
    known: set[str],
    customers: Callable[[Training], NDArray[np.intp]],
) -> Iterable[tuple[str, pa.Table]]:
    """The lists of every recommender that isn't known yet; the training is only built if there is one.

    Args:
        recommenders: not fitted.
        training: builds what they may learn from.
        wanted: version by recommender.
        known: names whose lists are kept.
        customers: whose lists are made.
    """
    missing = [one for one in recommenders if one.name not in known]
    if not missing:
        return
    built = training()
    for one in missing:
        yield one.name, list_rows(one.fit(built), built, customers(built), version=wanted[one.name])


def _ranked(
    recommender: Recommender, training: Training, positions: NDArray[np.intp], depth: int
) -> dict[Which, RankedLists]:
    scores = recommender.score(positions)
    return {which: top(scores, training, positions, which, depth) for which in LISTS}


def _named(ids: NDArray[np.object_], positions: NDArray[np.intp]) -> pa.Array:
    return pa.array(ids, pa.string()).take(pa.array(positions.astype(np.int64)))
