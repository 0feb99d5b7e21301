"""What a figure should be on a day, and how far from it is too far: robust, from the days before alone.

Belongs here: the prediction of a series of days and its bounds. Does not: which figures there are (`counting`, `mix`)
or how far each kind may stray (`judging`).

The prediction is the median of the same weekday's last eight values, moved by what the last days differed from theirs:
the week's rhythm is in the first, growth and season are in the second. How far days stray from it is learned from the
eight weeks before. Medians and quantiles all along: a broken day among good ones moves nothing.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

WEEKS: Final = 8
"""Same weekdays that are looked back at, and weeks of deviations that a scale is learned from."""
LEAST_WEEKDAYS: Final = 4
LEVEL_DAYS: Final = 7
LEAST_DEVIATIONS: Final = 21
YOUNG_DAYS: Final = 7 * WEEKS
"""Days at the beginning of the events that are not judged: their history is too short."""

# Of a normal variable, in standard deviations: the median of its size, and the size that one in ten exceeds.
_MEDIAN_SIZE, _TENTH_SIZE = 0.6745, 1.6449


@dataclass(frozen=True)
class Prediction:
    """What was to be expected of each series on each day; NaN where the days before tell too little.

    Attributes:
        expected: float64 of shape (series, days).
        scale: the standard deviation of a normal variable that strays as far, of the same shape.
    """

    expected: np.ndarray
    scale: np.ndarray


def predict(values: np.ndarray) -> Prediction:
    """Predict every value from those of the days before it.

    Args:
        values: float64 of shape (series, days), consecutive days, on a scale on which differences mean the same
            everywhere; NaN where a day has none.

    Returns:
        NaN on the first `YOUNG_DAYS`, and where fewer than 4 of the last 8 same weekdays, 3 of the last 7 days or 21
        deviations are known.
    """
    base = weekday_median(values)
    residual = values - base
    level = _median(_before(residual, LEVEL_DAYS), least=3)
    expected = base + level
    size = _before(np.abs(values - expected), 7 * WEEKS)
    typical = _quantile(size, 0.5, least=LEAST_DEVIATIONS) / _MEDIAN_SIZE
    wide = _quantile(size, 0.9, least=LEAST_DEVIATIONS) / _TENTH_SIZE
    scale = np.fmax(typical, wide)
    known = np.isfinite(expected) & np.isfinite(scale)
    known[:, :YOUNG_DAYS] = False
    return Prediction(np.where(known, expected, np.nan), np.where(known, scale, np.nan))


def weekday_median(values: np.ndarray) -> np.ndarray:
    """The median of the same weekday's last 8 values before each day; NaN where fewer than 4 are known."""
    days = values.shape[1]
    padded = np.pad(values, ((0, 0), (7 * WEEKS, 0)), constant_values=np.nan)
    same = np.stack([padded[:, 7 * week : 7 * week + days] for week in range(WEEKS)], axis=-1)
    return _median(same, least=LEAST_WEEKDAYS)


def _before(values: np.ndarray, days: int) -> np.ndarray:
    """The `days` values before each: shape (series, days of the series, days)."""
    padded = np.pad(values[:, :-1], ((0, 0), (days, 0)), constant_values=np.nan)
    return sliding_window_view(padded, days, axis=1)


def _median(windows: np.ndarray, *, least: int) -> np.ndarray:
    return _quantile(windows, 0.5, least=least)


def _quantile(windows: np.ndarray, q: float, *, least: int) -> np.ndarray:
    """The quantile of what is known in each window, interpolated; NaN where fewer than `least` values are."""
    ordered = np.sort(windows, axis=-1)  # NaN goes last
    known = np.isfinite(windows).sum(axis=-1)
    place = np.maximum(known - 1, 0) * q
    below = np.floor(place).astype(np.intp)
    above = np.minimum(below + 1, np.maximum(known - 1, 0))
    low = np.take_along_axis(ordered, below[..., None], axis=-1)[..., 0]
    high = np.take_along_axis(ordered, above[..., None], axis=-1)[..., 0]
    return np.where(known >= least, low + (place - below) * (high - low), np.nan)
