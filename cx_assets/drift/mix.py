"""How a column parts into categories on a day, against the same weekday before: PSI, and who vanished.

Belongs here: one column's categories on consecutive days. Does not: counting them (`counting`) or saying how large a
PSI is too large (`judging`).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from cx_assets.drift.bounds import predict, weekday_median

LEAST_SHARE: Final = 0.01
"""A category that holds less than this on a median same weekday is counted with the rest."""
_ABSENT = 0.002  # what stands in for smaller shares: the logarithm of 0 has no end


@dataclass(frozen=True)
class Mix:
    """A column's mix on each day.

    Attributes:
        psi: float64 of shape (days,), the population stability index; NaN where the days before tell too little.
        share: of each category, float64 of shape (categories, days).
        usual: what share each category holds on a median same weekday; 0 for those that are counted with the rest.
        absence: float64 of shape (categories, days): how many scales an absent category is below what was to be
            expected of it; 0 for one that is there.
    """

    psi: np.ndarray
    share: np.ndarray
    usual: np.ndarray
    absence: np.ndarray


def mix(counts: np.ndarray) -> Mix:
    """Compare every day's mix with that of the same weekday before.

    Args:
        counts: float64 of shape (categories, days), consecutive days; what falls into no category isn't among them.

    Source of PSI: Siddiqi (2006), "Credit Risk Scorecards", with the median of eight same weekdays as the expected mix.
    """
    total = counts.sum(axis=0)
    with np.errstate(invalid="ignore"):
        share = np.where(total > 0, counts / total, np.nan)
    median = weekday_median(share)
    known = np.isfinite(median).any(axis=0)
    usual = np.where(median >= LEAST_SHARE, median, 0.0)
    rest_before, rest = 1 - usual.sum(axis=0), np.where(usual > 0, 0.0, share).sum(axis=0)
    terms = np.where(usual > 0, _term(share, usual), 0.0).sum(axis=0) + _term(rest, rest_before)
    psi = np.where(known & (total > 0), terms, np.nan)
    angles = np.arcsin(np.sqrt(share))
    prediction = predict(angles)
    # By chance alone: 0.5, and a little for the noise of the prediction. Of fewer than eight, none may come.
    floor = 0.6 / np.sqrt(np.maximum(total, 1))
    strain = prediction.expected / np.maximum(prediction.scale, floor)
    absence = np.where((counts == 0) & (total > 0) & (usual > 0) & np.isfinite(strain), strain, 0.0)
    return Mix(psi, share, usual, absence)


def _term(now: np.ndarray, before: np.ndarray) -> np.ndarray:
    now, before = np.maximum(now, _ABSENT), np.maximum(before, _ABSENT)
    return np.asarray((now - before) * np.log(now / before))
