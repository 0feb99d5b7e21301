"""The places of lists by what a retailer asks for: not too much of one category, and something new.

Belongs here: choosing places from longer ranked lists, and one list out of a customer's two. Does not: which items may
be offered at all (`filters`) or their scores, by which every list stays ordered: what is taken away makes room for what
comes next.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cx_assets.recommendations.ranking import RankedLists

Codes = NDArray[np.intp]


@dataclass(frozen=True)
class Composed:
    """Lists of both kinds, and what was done for them.

    Attributes:
        lists: by customer position and rank.
        new: bool, one per place: from the discovery list, so not had before.
        capped: places that the limit per category took from the lists merged by score alone.
        gave_way: places that items had before gave up so that the lists hold enough that is new.
    """

    lists: RankedLists
    new: NDArray[np.bool_]
    capped: int
    gave_way: int


def capped(lists: RankedLists, categories: Codes, per_category: int | None, places: int) -> tuple[RankedLists, int]:
    """The first places of every list, of which no category takes more than it may; the best of it stay.

    Args:
        lists: deeper than `places`: a list ends short where the limit leaves fewer.
        categories: shape (items,), the category of every item as a number; what is below 0 has no limit.
        per_category: places that one category may take, at least 1, or None for any number.
        places: of a list, at least 1.

    Returns:
        What is left, in the same order, ranks from 1 without gaps. And how many of the first `places` places of the
        lists were taken away by the limit.

    Raises:
        ValueError: if a number is below 1.
    """
    _require(places, per_category)
    chosen, removed = _best(lists.customer, categories[lists.item], per_category, places)
    return _cut(lists.customer, lists.item, lists.score, chosen), removed


def composed(
    repeat: RankedLists,
    discovery: RankedLists,
    places: int,
    min_new: int = 0,
    *,
    categories: Codes | None = None,
    per_category: int | None = None,
) -> Composed:
    """One list per customer out of two, by score, of which at least some places are new.

    Scores of the two must be of one scale, such as the probability of the same event. Equals: what was had before
    comes first, and each kind keeps the order of its own list, which is by popularity and then by item.

    A list merged by score that holds enough that is new is left as it is. In another one items had before give way to
    new ones, no more than needed: it has the highest sum of scores of all lists that hold enough. Without a limit per
    category the items had before with the lowest scores give way to the best new ones.

    Args:
        repeat: lists of items had before, at least `places` deep where there are as many; deeper with a limit.
        discovery: lists of items not had before, as deep. A customer may be missing in either.
        places: of a list, at least 1.
        min_new: places for new items, from 0 to `places`; fewer where `discovery` has fewer.
        categories: as in `capped`; needed with a limit.
        per_category: as in `capped`. It goes before `min_new`: new items beyond the limit are not added.

    Raises:
        ValueError: if a number is out of bounds, categories are missing, or a customer has an item twice.
    """
    _require(places, per_category)
    if not 0 <= min_new <= places:
        raise ValueError(f"min_new must be from 0 to the {places} places of a list; it is {min_new}")
    if per_category is not None and categories is None:
        raise ValueError("a limit per category needs the categories of the items")
    customer, item, score, new = _merged(repeat, discovery)
    category = np.zeros(len(item), np.intp) if categories is None else categories[item]
    by_score, removed = _best(customer, category, per_category, places)
    chosen = _with_enough_new(customer, category, score.astype(np.float64), new, by_score, per_category, min_new)
    gave_way = int((by_score & ~new & ~chosen).sum())
    return Composed(_cut(customer, item, score, chosen), new[chosen], removed, gave_way)


def _merged(
    repeat: RankedLists, discovery: RankedLists
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32], NDArray[np.bool_]]:
    """Customer, item, score and whether new of all places of both, by customer, score and kind."""
    customer, item, score, rank = (
        np.concatenate([getattr(repeat, name), getattr(discovery, name)])
        for name in ("customer", "item", "score", "rank")
    )
    pairs = customer.astype(np.int64) * (int(item.max(initial=0)) + 1) + item
    if len(np.unique(pairs)) < len(pairs):
        raise ValueError("a customer has an item twice: had before and not, or twice in one list")
    new = np.arange(len(customer)) >= len(repeat.customer)
    order = np.lexsort((rank, new, -score, customer))
    return customer[order], item[order], score[order], new[order]


def _with_enough_new(
    customer: NDArray[np.intp],
    category: Codes,
    score: NDArray[np.float64],
    new: NDArray[np.bool_],
    chosen: NDArray[np.bool_],
    per_category: int | None,
    min_new: int,
) -> NDArray[np.bool_]:
    """The chosen places, items had before swapped for new ones, one per customer and round, while too few are new.

    Each swap is the one that costs the list the least score. From the best list with so many new items that leads to
    the best with one more, as for any matroid whose elements have two colours: Gabow & Tarjan (1984), "Efficient
    algorithms for a family of matroid intersection problems". So a list is never worse than it must be.
    """
    chosen = chosen.copy()
    block = _blocks(customer)
    slot = np.unique(_slots(block, category), return_inverse=True)[1]
    for _ in range(min_new):
        short = np.bincount(block[chosen & new], minlength=len(block)) < min_new
        leaves = np.flatnonzero(short[block] & chosen & ~new)
        enters = np.flatnonzero(short[block] & ~chosen & new)
        # A new item whose category is full can only come for one of the same category.
        full = np.zeros(len(enters), dtype=bool)
        if per_category is not None:
            taken = np.bincount(slot[chosen], minlength=len(slot))
            full = (category[enters] >= 0) & (taken[slot[enters]] >= per_category)
        worst, worst_of_slot = np.full((2, len(block)), -1)
        np.maximum.at(worst, block[leaves], leaves)
        np.maximum.at(worst_of_slot, slot[leaves], leaves)
        out = np.where(full, worst_of_slot[slot[enters]], worst[block[enters]])
        enters, out = enters[out >= 0], out[out >= 0]
        if not len(enters):
            break
        order = np.lexsort((enters, score[out] - score[enters], block[enters]))
        cheapest = order[np.unique(block[enters][order], return_index=True)[1]]
        chosen[out[cheapest]], chosen[enters[cheapest]] = False, True
    return chosen


def _best(
    customer: NDArray[np.intp], category: Codes, per_category: int | None, places: int
) -> tuple[NDArray[np.bool_], int]:
    """The first places of every customer under the limit, and how many of the first places without it are lost.

    Args:
        customer: shape (n,); the entries of one customer stand together, best first.
        category: shape (n,), of each entry.
        per_category: as in `capped`.
        places: as in `capped`.
    """
    block = _blocks(customer)
    kept = np.ones(len(customer), dtype=bool)
    if per_category is not None:
        kept = (category < 0) | (_earlier(_slots(block, category)) < per_category)
    at = np.flatnonzero(kept)
    chosen = np.zeros(len(customer), dtype=bool)
    chosen[at[_earlier(block[at]) < places]] = True
    return chosen, int(((_earlier(block) < places) & ~chosen).sum())


def _blocks(customer: NDArray[np.intp]) -> NDArray[np.intp]:
    """Shape (n,): a number from 0 for the customer of each entry; the entries of one stand together."""
    return np.asarray(np.cumsum(np.diff(customer, prepend=customer[:1]) != 0), dtype=np.intp)


def _slots(block: NDArray[np.intp], category: Codes) -> NDArray[np.intp]:
    """Shape (n,): a number for the customer and the category of each entry."""
    # Codes move up by one, so that -1 of one customer isn't the last category of the one before.
    return np.asarray(block * (int(category.max(initial=-1)) + 2) + np.maximum(category, -1) + 1, dtype=np.intp)


def _earlier(keys: NDArray[Any]) -> NDArray[np.intp]:
    """Shape (n,): how many entries before each have the same key."""
    order = np.argsort(keys, kind="stable")
    arranged = keys[order]
    starts = np.flatnonzero(np.diff(arranged, prepend=arranged[:1] - 1))
    result = np.empty(len(keys), dtype=np.intp)
    result[order] = np.arange(len(keys)) - np.repeat(starts, np.diff(starts, append=len(keys)))
    return result


def _cut(
    customer: NDArray[np.intp], item: NDArray[np.intp], score: NDArray[np.float32], chosen: NDArray[np.bool_]
) -> RankedLists:
    """The chosen entries as lists, with ranks of their own."""
    kept = customer[chosen]
    return RankedLists(kept, (_earlier(_blocks(kept)) + 1).astype(np.int32), item[chosen], score[chosen])


def _require(places: int, per_category: int | None) -> None:
    if places < 1:
        raise ValueError(f"places must be at least 1; it is {places}")
    if per_category is not None and per_category < 1:
        raise ValueError(f"per_category must be at least 1, or None for no limit; it is {per_category}")
