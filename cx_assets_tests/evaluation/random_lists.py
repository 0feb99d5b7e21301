"""Random lists and what tests of lists share.

Belongs here: building lists. Does not belong here: any expectation.
"""

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from cx_assets.evaluation.beyond_accuracy import Figure
from cx_assets.evaluation.metrics import EMPTY_PLACE

NOTHING = np.full((2, 3), EMPTY_PLACE)
NOBODY = np.zeros((0, 3), dtype=np.int64)
ITEMS = 30
SEEDS = st.integers(0, 10_000)


def random_lists(seed: int, *, customers: int = 12, depth: int = 6, sure: int = 0) -> NDArray[np.int64]:
    """Lists of 0 to `depth` places, popular items more often than others; the first `sure` have one at least."""
    random = np.random.default_rng(seed)
    weights = 1 / np.arange(1, ITEMS + 1)
    shown = np.full((customers, depth), EMPTY_PLACE, dtype=np.int64)
    for number, row in enumerate(shown):
        length = int(random.integers(int(number < sure), depth + 1))
        row[:length] = random.choice(ITEMS, size=length, replace=False, p=weights / weights.sum())
    return shown


def renumbered(shown: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    numbers = np.random.default_rng(seed).permutation(ITEMS)
    return np.where(shown == EMPTY_PLACE, EMPTY_PLACE, numbers[shown])


def items_of(row: NDArray[np.int64], k: int) -> set[int]:
    return {int(item) for item in row[:k] if item != EMPTY_PLACE}


def nearly(found: Figure) -> tuple[float, float, float]:
    return found.value, found.low, found.high
