"""The published lists: for every customer what to offer again, what to offer new, and both as one; each with reasons.

Belongs here: putting ranking, filters of lists, explanation and the fallback together. Does not: scores (`ranker`),
what fills a short list (`filling`) or which items may be offered at all (`filters`).
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from cx_assets.recommendations.composition import capped, composed
from cx_assets.recommendations.examples import blocks_of
from cx_assets.recommendations.explained import Explained, explained
from cx_assets.recommendations.explanation import Explainer
from cx_assets.recommendations.filling import filled_places
from cx_assets.recommendations.filters import Filters, category_codes
from cx_assets.recommendations.own_baskets import basket_counts
from cx_assets.recommendations.ranker import Ranker
from cx_assets.recommendations.ranking import RankedLists, joined, of_customers, top
from cx_assets.recommendations.recommender import Positions, Training
from cx_assets.similarity.products import threads

PLACES = 20
"""Places of each list of a customer."""

DEPTH = 100
"""Places that are ranked where a limit per category takes some away."""

FEW_BASKETS = ((1, 2, "_1_to_2_baskets"), (3, 5, "_3_to_5_baskets"))
"""Fewest and most baskets of a customer of whom little is known, and what the recommender is then called besides."""


@dataclass(frozen=True)
class PublishedLists:
    """What is published, and what filters of lists did.

    Attributes:
        rows: as declared in `tables.RECOMMENDATIONS`; ordered by customer, list and rank.
        capped: places that the limit per category took.
        gave_way: places that items had before gave up to new ones.
    """

    rows: pa.Table
    capped: int
    gave_way: int


def published_lists(
    training: Training,
    ranker: Ranker,
    popular: pd.DataFrame,
    segments: Mapping[str, str],
    filters: Filters | None = None,
    places: int = PLACES,
) -> PublishedLists:
    """The lists of every customer of a training.

    `repeat` holds up to `places` items had before. `discovery` holds `places` that the customer has not had, or as
    many as there are in the catalogue and recommendable; where the ranker offers too few it is filled from what is
    popular, and a filled place scores 0. `both` is the best of the two by score, with at least `min_new` new ones.

    Args:
        training: its customers get the lists; those without events too.
        ranker: fitted on `training`.
        popular: segment, rank, item_id, customers; as `popular_items` returns it.
        segments: customer_id to segment; a customer may be missing.
        filters: those of lists are applied here, those of items are in `training` already.
        places: places of each list.
    """
    filters = filters or Filters()
    by = explained(ranker)
    repeat, discovery, leads, removed = _ranked(training, by, filters, places)
    explainer = Explainer(training)
    rows = pd.concat(
        [
            _frame(repeat, "repeat", _names(training, by.name, repeat), explainer.repeat(repeat.customer, repeat.item)),
            _frame(
                discovery,
                "discovery",
                _names(training, by.name, discovery),
                by.reasons(leads, discovery.customer, discovery.item),
            ),
            filled_places(training, discovery, popular, segments, places),
        ],
        ignore_index=True,
    )
    rows = rows.sort_values(["customer", "list", "rank"], kind="stable", ignore_index=True)
    both, gave_way = _both(rows, training, filters, places)
    every = pd.concat([both, rows], ignore_index=True)
    every = every.sort_values(["customer", "list", "rank"], kind="stable", ignore_index=True)
    return PublishedLists(_table(every, training, explainer), removed, gave_way)


def _ranked(
    training: Training, by: Explained, filters: Filters, places: int
) -> tuple[RankedLists, RankedLists, NDArray[np.intp], int]:
    """The lists of both kinds, what speaks for each new item, and how many places the limit per category took."""
    everyone = np.arange(training.shape[0])
    known = np.diff(training.counts.indptr) > 0
    categories = category_codes(training.items)
    depth = places if filters.per_category is None else max(places, DEPTH)

    def block(customers: Positions) -> tuple[RankedLists, RankedLists, NDArray[np.intp], int]:
        scores, leads = by.scores(customers)
        kept, removed = [], 0
        for which in ("repeat", "discovery"):
            lists, taken = capped(
                top(scores, training, customers, which, depth), categories, filters.per_category, places
            )
            removed += taken
            kept.append(lists)
        # Of a customer without events nothing is known, but their segment may be: the fallback makes their list.
        new = of_customers(kept[1], known)
        return kept[0], new, leads(new.customer, new.item), removed

    # NumPy and SciPy let go of the interpreter while they compute; the blocks come back in their order.
    with ThreadPoolExecutor(threads()) as pool:
        found = list(pool.map(block, blocks_of(everyone)))
    leads = np.concatenate([np.empty(0, np.intp), *(one[2] for one in found)])
    return joined([one[0] for one in found]), joined([one[1] for one in found]), leads, sum(one[3] for one in found)


def _names(training: Training, name: str, lists: RankedLists) -> NDArray[np.object_]:
    """Who made each place: the recommender, and of whom little is known also how little."""
    baskets = basket_counts(training.history, training.shape[0])[lists.customer]
    names = np.full(len(lists.item), name, dtype=object)
    for least, most, suffix in FEW_BASKETS:
        names[(baskets >= least) & (baskets <= most)] = name + suffix
    return names


def _frame(
    lists: RankedLists, which: str, recommender: NDArray[np.object_], reasons: list[str] | NDArray[np.object_]
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "customer": lists.customer,
            "list": which,
            "rank": lists.rank,
            "item": lists.item,
            "score": lists.score,
            "recommender": recommender,
            "reason": reasons,
        }
    )


def _both(rows: pd.DataFrame, training: Training, filters: Filters, places: int) -> tuple[pd.DataFrame, int]:
    """The composed lists out of the rows of the two kinds, and how many places items had before gave up."""
    made = composed(
        _lists(rows[rows["list"] == "repeat"]),
        _lists(rows[rows["list"] == "discovery"]),
        places,
        min(filters.min_new, places),
        categories=category_codes(training.items),
        per_category=filters.per_category,
    )
    chosen = pd.DataFrame({"customer": made.lists.customer, "item": made.lists.item, "rank": made.lists.rank})
    # An item is in one of the two lists only, so the pair finds its row.
    told = chosen.merge(rows.drop(columns=["rank"]), on=["customer", "item"], validate="one_to_one")
    return told.assign(list="both"), made.gave_way


def _lists(rows: pd.DataFrame) -> RankedLists:
    names = {"customer": np.intp, "rank": np.int32, "item": np.intp, "score": np.float32}
    return RankedLists(*(rows[name].to_numpy(dtype) for name, dtype in names.items()))


def _table(rows: pd.DataFrame, training: Training, explainer: Explainer) -> pa.Table:
    customer, item = rows["customer"].to_numpy(np.intp), rows["item"].to_numpy(np.intp)
    due = np.full(len(rows), np.datetime64("NaT", "D"))
    had = np.asarray(training.had[customer, item]).reshape(-1) > 0
    due[had] = explainer.due(customer[had], item[had])
    return pa.table(
        {
            "customer_id": pa.array(training.interactions.customers, pa.string()).take(pa.array(customer)),
            "list": pa.array(rows["list"], pa.string()),
            "rank": pa.array(rows["rank"].to_numpy(np.int32)),
            "item_id": pa.array(training.interactions.items, pa.string()).take(pa.array(item)),
            "score": pa.array(rows["score"].to_numpy(np.float32)),
            "recommender": pa.array(rows["recommender"], pa.string()),
            "due_on": pa.array(due),
            "reason": pa.array(rows["reason"], pa.string()),
            "as_of": pa.array(np.full(len(rows), np.datetime64(training.as_of, "us"))),
        }
    )
