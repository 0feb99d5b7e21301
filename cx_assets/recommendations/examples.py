"""What the ranker learns from: candidates of earlier as-of dates, and what became of them.

Belongs here: sampling candidates and marking those that were taken. Does not: how far back an example may look
(`rewind`), what is known of a candidate (`features`) or learning (`ranker`).
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cx_assets.recommendations.features import Candidates, FeatureMaker
from cx_assets.recommendations.recommender import Training
from cx_assets.recommendations.rewind import Horizon, Rewound, rewound
from cx_assets.recommendations.sparse import at
from cx_assets.similarity.products import threads

BLOCK = 64
"""Customers for whom candidates are made at once: their scores of all items fit into a processor's cache."""


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
    # NumPy, SciPy and pandas let go of the interpreter while they compute; what they find comes back in its order.
    with ThreadPoolExecutor(threads()) as pool:

        def coming(cut: int) -> Future[Sampler]:
            return pool.submit(lambda: Sampler(rewound(training, horizon, cut), cut, negatives, seed, balance))

        drawn, following = [], coming(cuts[0])
        for place in range(len(cuts)):
            sampler = following.result()
            # What the next date needs is made while this one's examples are; no more dates than that are held.
            if place + 1 < len(cuts):
                following = coming(cuts[place + 1])
            drawn.append(pool.map(sampler.sampled, sampler.blocks))
        parts = [part for of_date in drawn for part in of_date]
    return {had: _joined([part[had] for part in parts]) for had in (True, False)}


def blocks_of(customers: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    """The customers in blocks for which candidates are made at once."""
    return [customers[start : start + BLOCK] for start in range(0, len(customers), BLOCK)]


class Sampler:
    """Draws the examples of one date, block by block.

    Attributes:
        blocks: the customers that there are examples of; none if nobody took anything.
    """

    def __init__(self, past: Rewound, cut: int, negatives: float, seed: int, balance: float) -> None:
        self.blocks = blocks_of(np.flatnonzero(past.known)) if past.taken.nnz else []
        self._past = past
        self._seed = [seed, cut]
        self._negatives = negatives
        self._counts = np.maximum(np.diff(past.taken.indptr), 1).astype(np.float64) ** -balance
        if self.blocks:
            self._maker = FeatureMaker(past.training)

    def sampled(self, block: NDArray[np.intp]) -> ByKind:
        """All candidates of a block's customers that were taken, and a share of the others."""
        # By the block's first customer, so that the sample doesn't depend on which thread comes first.
        dice = np.random.default_rng([*self._seed, int(block[0])])

        def drawn(customer: NDArray[np.intp], item: NDArray[np.intp]) -> NDArray[np.bool_]:
            return self._taken(customer, item) | (dice.random(len(item)) < self._negatives)

        found = self._maker.candidates(block, sample=drawn)
        taken = self._taken(found.customer, found.item)
        weight = self._counts[found.customer] * np.where(taken, 1.0, 1.0 / self._negatives)
        return {had: _kept(found, taken, weight, found.had == had) for had in (True, False)}

    def _taken(self, customer: NDArray[np.intp], item: NDArray[np.intp]) -> NDArray[np.bool_]:
        return at(self._past.taken, customer, item) > 0


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
