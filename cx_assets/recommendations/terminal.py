"""A customer's lists for a person at a terminal, as of any date.

Belongs here: reading the published tables, and laying lists out. Does not: making lists (`lists`).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
from rich.console import Group
from rich.table import Table as Board

from cx_assets.matrices.interactions import EventWeights
from cx_assets.recommendations.lists import published_lists
from cx_assets.recommendations.popular_items import ALL, TOP
from cx_assets.recommendations.ranker import Ranker, RankerSettings
from cx_assets.recommendations.recommender import Training, build_training
from cx_assets.table import Table, as_of_date, sql
from cx_assets.table.schema import instant

PLACES = 10


def published_rows(database: Path, customer: str) -> tuple[pd.DataFrame, datetime]:
    """The published lists of a customer, and the as-of date that they are of.

    Raises:
        LookupError: if nothing is published, or nobody has that id.
    """
    return _read(database, customer, _stored)


def rows_as_of(
    database: Path, customer: str, as_of: datetime, weights: EventWeights, settings: RankerSettings
) -> tuple[pd.DataFrame, datetime]:
    """The lists that the customer would have got on a date, made from the events before it alone.

    Raises:
        LookupError: if nothing is published, nobody has that id, or there are no events before the date.
    """

    def made(connection: duckdb.DuckDBPyConnection, who: str) -> tuple[pd.DataFrame, datetime]:
        every = Table(connection, "select * from warehouse.events")
        events = sql(f"select * from every where day < {instant(as_of)}", every=every)
        if not events.count():
            raise LookupError(f"There is no event before {as_of:%Y-%m-%d}.")
        items = Table(connection, "select * from warehouse.items").df()
        ids = np.array([who], dtype=object)
        training = build_training(events, items, as_of=as_of, weights=weights, customers=ids)
        rows = published_lists(training, Ranker(settings).fit(training), _popular(training), {}).rows.to_pandas()
        named = rows[rows["customer_id"] == who].merge(items[["item_id", "name"]], on="item_id")
        return named, as_of

    return _read(database, customer, made)


def boards(rows: pd.DataFrame, customer: str, as_of: datetime) -> Group:
    """The first places of the lists, with their reasons."""
    shown = []
    for which, title in (("repeat", "to offer again"), ("discovery", "to offer new"), ("both", "of both")):
        board = Board(title=f"{customer}, as of {as_of:%Y-%m-%d}: {title}", title_justify="left")
        for column in ("", "item", "name", "score", "reason"):
            board.add_column(column, justify="right" if column in ("", "score") else "left")
        own = rows[(rows["list"] == which) & (rows["rank"] <= PLACES)].sort_values("rank")
        for rank, item, name, score, reason in own[["rank", "item_id", "name", "score", "reason"]].to_numpy():
            board.add_row(str(rank), str(item), str(name), f"{score:.3f}", str(reason))
        shown.append(board)
    return Group(*shown)


Reader = Callable[[duckdb.DuckDBPyConnection, str], tuple[pd.DataFrame, datetime]]


def _read(database: Path, customer: str, reader: Reader) -> tuple[pd.DataFrame, datetime]:
    if not database.exists():
        raise LookupError("Nothing is published yet: run `cx run`.")
    with duckdb.connect(str(database), read_only=True) as connection:
        query = "select count(*) from warehouse.customers where customer_id = ?"
        row = connection.execute(query, [customer]).fetchone()
        if not row or not row[0]:
            raise LookupError(_nobody(connection, customer))
        return reader(connection, customer)


def _nobody(connection: duckdb.DuckDBPyConnection, customer: str) -> str:
    """What is told of an id that no customer has."""
    there = {
        name
        for (name,) in connection.execute("select schema_name || '.' || table_name from duckdb_tables()").fetchall()
    }
    if "warehouse.customer_merges" in there:
        query = "select merged_into from warehouse.customer_merges where customer_id = ?"
        if merged := connection.execute(query, [customer]).fetchone():
            return f"Customer {customer!r} is merged into {merged[0]}: ask for that one."
    example = connection.execute("select min(customer_id) from warehouse.customers").fetchone()
    told = f"There is no customer {customer!r}. One that there is: {example[0] if example else '-'}."
    # Only a dataset with a part `privacy` has the table of personal columns.
    own = " The tables tell customers by pseudonyms: `cx pseudonym` prints that of a shop's own id, given the key."
    return told + own * ("ingestion.personal_columns" in there)


def _stored(connection: duckdb.DuckDBPyConnection, customer: str) -> tuple[pd.DataFrame, datetime]:
    rows = connection.execute(
        """
        select r.*, i.name from recommendations.recommendations r
        join warehouse.items i on i.item_id = r.item_id where r.customer_id = ?
        """,
        [customer],
    ).df()
    return rows, as_of_date(Table(connection, "select * from warehouse.events"))


def _popular(training: Training) -> pd.DataFrame:
    """What fills short lists: the items that most customers have had, as `popular_items` has them for everyone."""
    best = np.argsort(-training.popularity, kind="stable")[:TOP]
    ids = training.interactions.items[best]
    return pd.DataFrame({"segment": ALL, "item_id": ids, "customers": training.popularity[best]})
