"""Stored lists judged on something else than all of their items: on rare items alone, and on categories.

Belongs here: making judged lists of judged lists, which are then pooled as any others are. Does not: metrics,
intervals, or which customers are told apart (`cohorts`).

Both leave out customers with nothing relevant of that kind, so that their figures compare with each other's and with no
others: whoever bought one rare item among fifty is judged on that one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cx_assets.evaluation.backtest_figures import Pool, pooled_rows
from cx_assets.evaluation.figures import METRIC_COLUMNS, JudgedList, JudgedLists
from cx_assets.evaluation.list_context import value_codes
from cx_assets.evaluation.metrics import EMPTY_PLACE, Relevance, hits
from cx_assets.evaluation.report_data import customers_with
from cx_assets.evaluation.split import LISTS, Window, training_events, truth, truth_of_list
from cx_assets.table import Table

K = 10
METRICS = ("precision", "recall", "f1", "ndcg", "hit_rate")

RARE = (5, 20)
"""Fewest and most customers before the as-of date. With fewer than 5 no method here can say what an item is like."""

RARE_ITEMS = "rare items"
BY_CATEGORY = "all, by category"

Values = NDArray[np.int64]


def rejudged_rows(
    dates: Sequence[JudgedLists], events: Table, items: Table, *, resamples: int, seed: int
) -> pd.DataFrame:
    """Figures at 10 on rare items and by category, over the dates.

    Args:
        dates: judged on the days of their horizons.
        events: warehouse.events.
        items: warehouse.items, with every item of the events.
        resamples: draws of customers per interval.
        seed: of the draws.

    Returns:
        `METRIC_COLUMNS` and the cohort, `RARE_ITEMS` or `BY_CATEGORY`; none for a list on which nobody can be judged.
    """
    catalogue = items.df()
    found = [pd.DataFrame(columns=[*METRIC_COLUMNS, "cohort"])]
    known = [(one, truth(events, items, Window(one.date, one.horizon_days))) for one in dates if one.horizon_days]

    def rare(one: JudgedLists, pairs: pd.DataFrame) -> JudgedLists:
        return on_rare_items(one, pairs, customers_with(training_events(events, one.date)))

    def categories(one: JudgedLists, pairs: pd.DataFrame) -> JudgedLists:
        return by_category(one, pairs, catalogue)

    # One after the other: either is another copy of all lists.
    for cohort, judge in ((RARE_ITEMS, rare), (BY_CATEGORY, categories)):
        judged = [judge(one, pairs) for one, pairs in known]
        for which in LISTS:
            pool = Pool.of(judged, which, [K])
            if pool is not None:
                rows = pooled_rows(pool, which, resamples=resamples, seed=seed)
                found.append(rows[rows["metric"].isin(METRICS)].assign(cohort=cohort))
    return pd.concat([frame for frame in found if len(frame)] or found, ignore_index=True)


def on_rare_items(
    judged: JudgedLists, pairs: pd.DataFrame, had_by: pd.Series[int], rare: tuple[int, int] = RARE
) -> JudgedLists:
    """The same lists, of whose items only the rare ones can be right.

    Places keep what they show, so a list that is filled with well-known items has little left for rare ones.

    Args:
        judged: the lists.
        pairs: as `split.truth` returns them, those that the lists were judged on.
        had_by: distinct customers with each item before the as-of date, by item id.
        rare: fewest and most customers of a rare item, at least 1.
    """
    kept = pairs[pairs["item_id"].map(had_by).between(*rare)]
    number = pd.Series(np.arange(len(judged.items)), index=judged.items)
    return _rejudged(judged, kept, number, lambda shown: shown, judged.items)


def by_category(judged: JudgedLists, pairs: pd.DataFrame, items: pd.DataFrame) -> JudgedLists:
    """The lists as lists of categories: did they name those that the customer went on to buy from.

    A category counts at its first place only: later ones are taken out and the list moves up, so it may end early. An
    item whose category isn't known names none, and can't be foreseen either.

    Args:
        judged: the lists.
        pairs: as `split.truth` returns them, those that the lists were judged on.
        items: warehouse.items, with every item of the lists and pairs.
    """
    codes, names = value_codes(items, "category")
    number = pd.Series(codes, index=items["item_id"])
    # One more at the end: there `EMPTY_PLACE` leads to.
    of_place = np.append(number.reindex(judged.items, fill_value=EMPTY_PLACE).to_numpy(), EMPTY_PLACE)
    known = number.reindex(pairs["item_id"], fill_value=EMPTY_PLACE).to_numpy() != EMPTY_PLACE
    return _rejudged(judged, pairs[known], number, lambda shown: first_places(of_place[shown]), names)


def first_places(shown: Values) -> Values:
    """The lists without what has stood further up already, moved up to close the gaps.

    Args:
        shown: int64 of shape (customers, depth), `EMPTY_PLACE` where nothing is shown, in the middle too.

    Returns:
        int64 of the same shape, `EMPTY_PLACE` only where a list has ended.
    """
    # A stable sort puts equals side by side in the order of their places; the first of each run is the one to keep.
    order = np.argsort(shown, axis=1, kind="stable")
    ordered = np.take_along_axis(shown, order, axis=1)
    first = np.ones(shown.shape, dtype=np.bool_)
    first[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    kept = np.empty_like(first)
    np.put_along_axis(kept, order, first & (ordered != EMPTY_PLACE), axis=1)
    moved = np.argsort(~kept, axis=1, kind="stable")
    return np.where(np.take_along_axis(kept, moved, axis=1), np.take_along_axis(shown, moved, axis=1), EMPTY_PLACE)


def _rejudged(
    judged: JudgedLists,
    pairs: pd.DataFrame,
    number: pd.Series[int],
    shown_as: Callable[[Values], Values],
    names: NDArray[np.object_],
) -> JudgedLists:
    """The first `K` places of whoever has something relevant among `pairs`, with other things shown and relevant.

    Args:
        judged: the lists.
        pairs: what counts of what was taken.
        number: what each item is relevant as, by item id; one without a number is shown to nobody.
        shown_as: from the places of some customers to what they show, in the same numbers, none twice in a list.
        names: of these numbers.
    """
    lists: list[JudgedList] = []
    customers: dict[str, NDArray[np.object_]] = {}
    for which, ids in judged.customers.items():
        wanted = truth_of_list(pairs, which)
        taken = pd.DataFrame(
            {
                "row": pd.Index(ids, dtype=object).get_indexer(pd.Index(wanted["customer_id"], dtype=object)),
                "number": number.reindex(wanted["item_id"], fill_value=EMPTY_PLACE).to_numpy(),
            }
        )
        # Items that nobody is shown are missed one by one, so these aren't the same thing twice.
        taken = taken[(taken["row"] >= 0) & ((taken["number"] == EMPTY_PLACE) | ~taken.duplicated())]
        if taken.empty:
            continue
        held, rows = np.unique(taken["row"].to_numpy(dtype=np.int64), return_inverse=True)
        relevance = Relevance.of_pairs(
            rows.astype(np.int64), taken["number"].to_numpy(dtype=np.int64), customers=len(held), items=len(names)
        )
        customers[which] = ids[held]
        for one in judged.lists:
            if one.which == which:
                # A copy of its own, or the places behind would be held with it.
                shown = shown_as(one.shown[held])[:, :K].copy()
                lists.append(JudgedList(one.recommender, which, shown, hits(shown, relevance), relevance.counts))
    return replace(judged, lists=lists, items=names, customers=customers)
