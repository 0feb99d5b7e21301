"""From a customer's figures to a point that k-means can compare with other points.

Belongs here: logarithms, scaling, clipping and weights, each for one reason. Does not: the figures (`features`) or the
clustering (`kmeans`).
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cx_assets.segments.features import FEATURES

# A point this far out (in robust standard deviations) is extreme already; further out it would pull a segment.
LIMIT = 3.0
# A spread below it is none: to divide by it would overflow.
SMALLEST = 1e-300


def segment_points(features: pd.DataFrame, shares: pd.DataFrame) -> NDArray[np.float64]:
    """One point per customer.

    Figures spread over orders of magnitude, so their logarithm is taken, then scaled by median and quartiles, which a
    few whales do not move, and clipped at three. Shares go through a square root, which makes their distance
    Hellinger's; all shares together weigh as much as one figure, because they are many and noisy.

    Args:
        features: with the columns of `FEATURES`, finite and non-negative.
        shares: of shape (customers, categories), each in 0..1, rows as in `features`.

    Returns:
        float64 of shape (customers, figures + categories), rounded to nine digits, so that what differs in the last bit
        only is equal. A constant column is all zeros.
    """
    figures = robust_scale(np.log1p(features[list(FEATURES)].to_numpy(dtype=float)))
    tastes = robust_scale(np.sqrt(shares.to_numpy(dtype=float)))
    weight = 1 / np.sqrt(max(shares.shape[1], 1))
    return np.round(np.hstack([figures, tastes * weight]), 9)


def robust_scale(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Columns minus their median, over their normalised interquartile range, clipped to plus and minus three.

    A column whose middle half is constant is scaled by its standard deviation; one that is all constant becomes zero.

    Args:
        values: of shape (rows, columns), finite.
    """
    if not len(values):
        return values
    lower, middle, upper = np.percentile(values, [25, 50, 75], axis=0)
    spread = (upper - lower) / 1.349  # the interquartile range of the standard normal distribution
    spread = np.where(spread > SMALLEST, spread, values.std(axis=0))
    scaled: NDArray[np.float64] = (values - middle) / np.where(spread > SMALLEST, spread, 1.0)
    return scaled.clip(-LIMIT, LIMIT)
