"""Which features tell most of a candidate.

Belongs here: their names, for items had before and for new ones. Does not: the features (`features`).

Trees over these alone put candidates in the order that trees over all do, as far as that can be told on validation
cuts, and learn in half the time. They were chosen there: the features by which splits gain most, without those of
prices, of which new items have better lists and repeats no worse. `cx search` has a trial with all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

import numpy as np
from numpy.typing import NDArray

_OF_ALL = (
    "customer_tenure",
    "customer_repeat_share",
    "customer_new_share_28",
    "customer_basket_size",
    "customer_baskets",
    "customer_items",
    "item_customers_28",
    "item_times",
    "item_new_7",
    "item_trend",
    "neighbours_faded",
    "neighbours_lately",
    "ease",
    "store_28",
    "store_84",
)

_OF_REPEATS = (
    "times",
    "times_84",
    "first_age",
    "last_age",
    "gap",
    "span_share",
    "faded_14",
    "faded_45",
    "faded_120",
    "faded_baskets_0.7",
    "due",
    "due_by_item",
    "due_in_baskets",
    "lateness",
    "item_repurchase",
    "item_gap",
    "item_last_age",
    "*_variety",
)

_OF_DISCOVERIES = (
    "neighbours",
    "content",
    "item_customers",
    "item_new_28",
    "item_first_age",
    "item_week",
    "*_last_age",
    "*_newness",
)

PATTERNS = {True: (*_OF_ALL, *_OF_REPEATS), False: (*_OF_ALL, *_OF_DISCOVERIES)}
"""Names by whether the customer had the item before; a star stands for every category and other attribute of items.

A stored list of a backtest doesn't know these names: whoever changes them raises `evaluation.backtest.CODE_VERSION`.
"""


def telling(names: Sequence[str], had: bool) -> NDArray[np.intp]:
    """Positions of the features that tell most, ascending.

    Args:
        names: of all features.
        had: of items had before, or of new ones.
    """
    patterns = PATTERNS[had]
    found = [n for n, name in enumerate(names) if any(fnmatchcase(name, pattern) for pattern in patterns)]
    return np.array(found, dtype=np.intp)
