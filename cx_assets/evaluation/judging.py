"""Judging recommenders: fitted on the past, asked for lists, compared with what happened next.

Belongs here: going from recommenders and a truth to the rows of `evaluation.judged_lists`. Does not belong here: the
split (`split`), recommending and ranking (`recommendations`), figures (`figures`).

Judging is the same for all recommenders, and nothing in this module knows one of them by name.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from cx_assets.evaluation.metrics import EMPTY_PLACE, Relevance, hits, shown_items
from cx_assets.evaluation.split import LISTS, Window, training_events, truth_of_list
from cx_assets.matrices.interactions import EventWeights
from cx_assets.recommendations.ranking import BLOCK, RankedLists, Which, joined, top
from cx_assets.recommendations.recommender import Recommender, Training, build_training
from cx_assets.rules.mining import RuleSettings, mine_item_rules
from cx_assets.similarity.products import threads
from cx_assets.table import Table, sql

ROWS = pa.schema(
    [
        ("recommender", pa.string()),
        ("list", pa.string()),
        ("customer_id", pa.string()),
        ("relevant", pa.int64()),
        ("items", pa.list_(pa.string())),
        ("hits", pa.list_(pa.bool_())),
        ("as_of", pa.timestamp("us")),
        ("horizon_days", pa.int32()),
    ]
)


@dataclass(frozen=True)
class Judged:
    """What came of judging.

    Attributes:
        rows: as declared in `tables.JUDGED_LISTS`; ordered by recommender as given, then list, then customer.
        seconds: per recommender, fitting and making all lists.
    """

    rows: pa.Table
    seconds: dict[str, float]


@dataclass(frozen=True)
class _Task:
    """One list to be made for its customers.

    Attributes:
        which: the list.
        customers: their ids, ascending.
        positions: their rows in the training matrix.
        relevance: what they took.
    """

    which: Which
    customers: NDArray[np.object_]
    positions: NDArray[np.intp]
    relevance: Relevance


def training_before(
    events: Table, items: pd.DataFrame, window: Window, weights: EventWeights, rules: RuleSettings
) -> Training:
    """All that recommenders may learn from: made of the events before the window, and of nothing that is stored.

    The tables of the earlier stages (interactions, neighbours, rules, segments) know the window, so none of them is
    used. Nor is an item that the master data don't have and that only events of the window name: nobody knew of it.

    Args:
        events: warehouse.events, the window's own included; they're cut off here.
        items: warehouse.items.
        window: the days to be judged on.
        weights: of event types, as in `matrices.interactions`.
        rules: what is asked of rules, as in `rules.rules`.
    """
    before = training_events(events, window.as_of)
    named = sql("select distinct item_id from before", before=before).df()["item_id"]
    known = items[items["in_master"] | items["item_id"].isin(named)]
    mined = mine_item_rules(before, rules)
    return build_training(before, known, as_of=window.as_of, weights=weights, rules=mined)


def judge(
    recommenders: Sequence[Recommender], training: Training, pairs: pd.DataFrame, window: Window, *, depth: int
) -> Judged:
    """Fit every recommender, make its lists for every customer that can be judged, and mark what was taken.

    Args:
        recommenders: not fitted yet, names unique.
        training: what they may learn from.
        pairs: as `split.truth` returns them.
        window: the days of that truth.
        depth: places per list.

    Raises:
        ValueError: if the training data reach into the window.
    """
    if training.as_of > window.as_of:
        raise ValueError(f"a leak: the training data reach up to {training.as_of}, the window begins at {window.as_of}")
    tasks = [task for which in LISTS if (task := _task(training, pairs, which)) is not None]
    parts: list[pa.Table] = []
    seconds: dict[str, float] = {}
    for recommender in recommenders if tasks else ():
        start = time.perf_counter()
        fitted = recommender.fit(training)
        for task, shown in zip(tasks, _lists(fitted, training, tasks, depth), strict=True):
            parts.append(_rows(fitted.name, training, task, shown, window))
        seconds[fitted.name] = time.perf_counter() - start
    return Judged(pa.concat_tables(parts) if parts else ROWS.empty_table(), seconds)


def _task(training: Training, pairs: pd.DataFrame, which: Which) -> _Task | None:
    """The customers of one list and what they took; None without any."""
    wanted = truth_of_list(pairs, which)
    if wanted.empty:
        return None
    customers, rows = np.unique(wanted["customer_id"].to_numpy(dtype=object), return_inverse=True)
    relevance = Relevance.of_pairs(
        rows.astype(np.int64),
        training.interactions.item_positions(wanted["item_id"]).astype(np.int64),
        customers=len(customers),
        items=training.shape[1],
    )
    return _Task(which, customers, training.interactions.customer_positions(customers), relevance)


def _lists(fitted: Recommender, training: Training, tasks: Sequence[_Task], depth: int) -> list[NDArray[np.int64]]:
    """The lists of every task: int64 of shape (customers, depth) each. A customer is scored once for all of them."""
    everyone = np.unique(np.concatenate([task.positions for task in tasks]))
    blocks = [everyone[start : start + BLOCK] for start in range(0, len(everyone), BLOCK)]
    # NumPy lets go of the interpreter while it sorts and selects, so blocks of customers are ranked side by side.
    with ThreadPoolExecutor(threads()) as pool:
        ranked = list(pool.map(lambda positions: _ranked(fitted, training, positions, depth), blocks))
    return [_shown(task, joined([block[task.which] for block in ranked]), training.shape[0], depth) for task in tasks]


def _ranked(
    fitted: Recommender, training: Training, positions: NDArray[np.intp], depth: int
) -> dict[Which, RankedLists]:
    """Every list of a block of customers."""
    scores = fitted.score(positions)
    halves = [top(scores, training, positions, which, depth) for which in ("repeat", "discovery")]
    # The best of all are among the best of either, so ten thousand candidates needn't be ranked again.
    both = top(_finalists(halves, positions, training), training, positions, "both", depth)
    return {"repeat": halves[0], "discovery": halves[1], "both": both}


def _finalists(halves: Sequence[RankedLists], positions: NDArray[np.intp], training: Training) -> csr_matrix:
    """The scores of the ranked items alone: float32 CSR of shape (len(positions), items), a zero score kept."""
    both = joined(list(halves))
    rows = np.searchsorted(positions, both.customer)
    order = np.lexsort((both.item, rows))
    indptr = np.searchsorted(rows[order], np.arange(len(positions) + 1))
    return csr_matrix((both.score[order], both.item[order], indptr), shape=(len(positions), training.shape[1]))


def _shown(task: _Task, lists: RankedLists, customers: int, depth: int) -> NDArray[np.int64]:
    """The lists of a task's own customers, in its order."""
    row_of = np.full(customers, -1, dtype=np.int64)
    row_of[task.positions] = np.arange(len(task.positions))
    rows = row_of[lists.customer]
    own = rows >= 0
    return shown_items(
        rows[own],
        lists.rank[own].astype(np.int64),
        lists.item[own].astype(np.int64),
        customers=len(task.positions),
        depth=depth,
    )


def _rows(name: str, training: Training, task: _Task, shown: NDArray[np.int64], window: Window) -> pa.Table:
    """One row per customer of a task."""
    filled = shown != EMPTY_PLACE
    offsets = pa.array(np.concatenate(([0], np.cumsum(filled.sum(axis=1)))), pa.int32())
    catalogue = pa.array(training.interactions.items, pa.string())
    count = len(task.customers)
    columns = [
        pa.repeat(pa.scalar(name), count),
        pa.repeat(pa.scalar(task.which), count),
        pa.array(task.customers, pa.string()),
        pa.array(task.relevance.counts),
        pa.ListArray.from_arrays(offsets, catalogue.take(pa.array(shown[filled]))),
        pa.ListArray.from_arrays(offsets, pa.array(hits(shown, task.relevance)[filled])),
        pa.repeat(pa.scalar(window.as_of, pa.timestamp("us")), count),
        pa.repeat(pa.scalar(window.horizon_days, pa.int32()), count),
    ]
    return pa.Table.from_arrays(columns, schema=ROWS)
