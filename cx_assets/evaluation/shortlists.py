"""The candidates of the customers of one window, made once, and put in order by as many rankers as are asked about.

Belongs here: what rankers that differ in their learning alone have in common. Does not: which rankers are compared
(`ranker_study`, `search`), judging (`judging`) or the candidates themselves (`recommendations.features`).
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from cx_assets.evaluation.figures import JudgedLists
from cx_assets.evaluation.judging import judge
from cx_assets.evaluation.metrics import accuracy
from cx_assets.evaluation.split import Window, truth_of_list
from cx_assets.recommendations.catalogue import CHALLENGER, contenders
from cx_assets.recommendations.examples import blocks_of
from cx_assets.recommendations.features import Candidates, FeatureMaker
from cx_assets.recommendations.ranker import Ranker
from cx_assets.recommendations.recommender import Positions, Training
from cx_assets.recommendations.rewind import Horizon
from cx_assets.similarity.products import threads

K = 10

Floats = NDArray[np.float32]

Ndcg = dict[str, NDArray[np.float64]]
"""NDCG@10 of every judged customer, ascending by id, by list; a list that nobody is judged on is left out."""


@dataclass(frozen=True)
class Shortlists:
    """Who is judged on a window, and all that may be recommended to them.

    Attributes:
        training: everything from before the window.
        maker: of that training.
        window: the days that are judged.
        pairs: as `split.truth` returns them for the window.
        customers: ascending positions of who is judged on any list.
        blocks: their candidates, some customers at a time, in the same order.
    """

    training: Training
    maker: FeatureMaker
    window: Window
    pairs: pd.DataFrame
    customers: NDArray[np.intp]
    blocks: list[Candidates]


def challenger(horizon: Horizon) -> Ranker:
    """The ranker that backtests judge, not fitted.

    Raises:
        LookupError: if the challenger of the catalogue is no ranker.
    """
    for one in contenders(horizon):
        if one.name == CHALLENGER and isinstance(one, Ranker):
            return one
    raise LookupError(f"{CHALLENGER}, the challenger of the catalogue, is no ranker: there is nothing to take apart")


def shortlists(training: Training, pairs: pd.DataFrame, window: Window) -> Shortlists:
    """Make the candidates of everyone who can be judged on the window.

    Args:
        training: of events before the window.
        pairs: as `split.truth` returns them for the window.
        window: the days that are judged.
    """
    judged = truth_of_list(pairs, "both")["customer_id"].unique()
    customers = np.sort(training.interactions.customer_positions(judged)).astype(np.intp)
    maker = FeatureMaker(training)
    # NumPy and SciPy let go of the interpreter while they compute; the blocks come back in their order.
    with ThreadPoolExecutor(threads()) as pool:
        blocks = list(pool.map(maker.candidates, blocks_of(customers)))
    return Shortlists(training, maker, window, pairs, customers, blocks)


def ndcg_of(given: Shortlists, scores: Iterable[Floats]) -> Ndcg:
    """How good the lists are that come of scoring the candidates.

    Args:
        given: the candidates and what became of them.
        scores: of the candidates of each block, float32 of shape (candidates,); what is NaN is not offered.
    """
    row, item, value = [], [], []
    for block, found in zip(given.blocks, scores, strict=True):
        offered = np.flatnonzero(~np.isnan(found))
        row.append(np.searchsorted(given.customers, block.customer[offered]))
        item.append(block.item[offered])
        value.append(found[offered])
    if not row:
        return {}
    indptr = np.searchsorted(np.concatenate(row), np.arange(len(given.customers) + 1))
    shape = (len(given.customers), given.training.shape[1])
    scored = csr_matrix((np.concatenate(value), np.concatenate(item), indptr), shape=shape)
    rows = judge([_Scored(given.customers, scored)], given.training, given.pairs, given.window, depth=K).rows
    return {one.which: accuracy(one.hit, one.relevant, [K])["ndcg", K] for one in JudgedLists.from_arrow(rows, K).lists}


@dataclass
class _Scored:
    """A recommender that has its scores already, of these customers alone."""

    customers: NDArray[np.intp]
    scores: csr_matrix
    name: str = "scored"

    def fit(self, training: Training) -> Self:
        """Nothing is left to learn.

        Raises:
            ValueError: if the scores are of another training.
        """
        if training.shape[1] != self.scores.shape[1]:
            raise ValueError(f"scores of {self.scores.shape[1]:,} items for a training of {training.shape[1]:,}")
        return self

    def score(self, customers: Positions) -> csr_matrix:
        """As `Recommender.score`."""
        return self.scores[np.searchsorted(self.customers, customers)]
