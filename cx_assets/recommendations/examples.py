"""What the ranker learns from: candidates of earlier as-of dates, and what became of them.

Belongs here: sampling candidates and marking those that were taken. Does not: how far back an example may look
(`rewind`), what is known of a candidate (`features`) or learning (`ranker`).
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cx_assets.recommendations.features import Candidates, FeatureMaker
from cx_assets.recommendations.recommender import Training
from cx_assets.recommendations.rewind import Horizon, Rewound, rewound
from cx_assets.recommendations.sparse import at
from cx_assets.similarity.products import threads

BLOCK = 256


@dataclass(frozen=True)
class Examples:
    """Candidates of one kind: had before, or new.

    Attributes:
        features: float32 of shape (examples, features).
        sources: bool of shape (examples, sources), as of `Candidates`.
        taken: bool: within the horizon.
        weight: float64: how many candidates each stands for.
        names: of the features.
    """

    features: NDArray[np.float32]
    sources: NDArray[np.bool_]
    taken: NDArray[np.bool_]
    weight: NDArray[np.float64]
    names: tuple[str, ...]

    def chosen(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> Examples:
        """Some of them."""
        return Examples(self.features[rows], self.sources[rows], self.taken[rows], self.weight[rows], self.names)


ByKind = dict[bool, Examples]
"""Examples by whether the customer had had the item."""


def examples_of(
    training: Training, horizon: Horizon, cuts: Sequence[int], negatives: float, seed: int, balance: float = 0.0
) -> ByKind:
    """Examples of several earlier dates, made of the training's history and of nothing else.

    Args:
        training: all that may be learnt from.
        horizon: what is predicted.
        cuts: how many horizons each date lies back, at least 1.
        negatives: share of the candidates that weren't taken that are kept, each counted for as many as it stands for,
            so that probabilities stay right.
        seed: of that sample, which depends on nothing else but the cut.
        balance: from 0, where every candidate counts alike, to 1, where every customer does: a candidate's weight is
            divided by what its customer took, to this power. Above 0 probabilities are no longer right for all.

    Returns:
        Both kinds, without examples where there are none.
    """
    parts = [part for cut in cuts for part in _of_date(rewound(training, horizon, cut), cut, negatives, seed, balance)]
    return {had: _joined([part[had] for part in parts]) for had in (True, False)}


def blocks_of(customers: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    """The customers in blocks for which candidates are made at once."""
    return [customers[start : start + BLOCK] for start in range(0, len(customers), BLOCK)]


def _of_date(past: Rewound, cut: int, negatives: float, seed: int, balance: float) -> list[ByKind]:
    judged = np.flatnonzero(past.judged)
    if not len(judged):
        return []
    maker = FeatureMaker(past.training)
    counts = np.maximum(np.diff(past.taken.indptr), 1).astype(np.float64) ** -balance

    def sampled(block: NDArray[np.intp]) -> ByKind:
        found = maker.candidates(block)
        # By the block's first customer, so that the sample doesn't depend on which thread comes first.
        dice = np.random.default_rng([seed, cut, int(block[0])])
        taken = at(past.taken, found.customer, found.item) > 0
        kept = taken | (dice.random(len(taken)) < negatives)
        weight = counts[found.customer] * np.where(taken, 1.0, 1.0 / negatives)
        return {had: _kept(found, taken, weight, kept & (found.had == had)) for had in (True, False)}

    # NumPy and SciPy let go of the interpreter while they compute; the blocks come back in their order.
    with ThreadPoolExecutor(threads()) as pool:
        return list(pool.map(sampled, blocks_of(judged)))


def _kept(
    found: Candidates, taken: NDArray[np.bool_], weight: NDArray[np.float64], rows: NDArray[np.bool_]
) -> Examples:
    return Examples(found.features[rows], found.sources[rows], taken[rows], weight[rows], found.names)


def _joined(parts: Sequence[Examples]) -> Examples:
    if not parts:
        return Examples(np.zeros((0, 0), np.float32), np.zeros((0, 0), bool), np.zeros(0, bool), np.zeros(0), ())
    return Examples(
        np.concatenate([part.features for part in parts]),
        np.concatenate([part.sources for part in parts]),
        np.concatenate([part.taken for part in parts]),
        np.concatenate([part.weight for part in parts]),
        parts[0].names,
    )
