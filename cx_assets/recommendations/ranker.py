"""The ranker: candidates of several sources, put in order by trees that have seen what earlier candidates came to.

Belongs here: learning from examples, and scoring. Does not: candidates and features (`features`), or where examples
come from (`examples`).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from cx_assets.recommendations.blend import Blend, BlendWeights
from cx_assets.recommendations.examples import ByKind, Examples, examples_of
from cx_assets.recommendations.features import Candidates, FeatureMaker
from cx_assets.recommendations.recommender import Positions, Training
from cx_assets.recommendations.rewind import Days, Horizon
from cx_assets.recommendations.telling import telling
from cx_assets.similarity.products import threads


@dataclass(frozen=True)
class RankerSettings:
    """How the ranker learns; chosen on as-of dates before the test window (`evaluation.search_trials`).

    Attributes:
        horizon: what is predicted.
        cuts: earlier as-of dates to learn from, one horizon apart.
        negatives: share of the candidates that weren't taken that are learnt from, each counted for as many as it
            stands for, so that probabilities stay right.
        balance: from 0, where every candidate counts alike, to 1, where every customer does.
        bags: models of each kind whose probabilities are averaged; they differ by the seed alone.
        iterations: trees of each.
        learning_rate: what each tree counts.
        leaves: of a tree.
        min_leaf: examples that a leaf must hold.
        l2: how strongly leaves are held down.
        features: share of the features that each split may choose from.
        sparing: learn from the features alone that tell most (`telling`).
        seed: of the sample and of that choice.
    """

    horizon: Horizon = field(default_factory=Days)
    cuts: int = 3
    negatives: float = 0.15
    balance: float = 0.0
    bags: int = 1
    iterations: int = 100
    learning_rate: float = 0.1
    leaves: int = 16
    min_leaf: int = 100
    l2: float = 1.0
    features: float = 0.3
    sparing: bool = True
    seed: int = 0


@dataclass(frozen=True)
class Model:
    """What was learnt of candidates of one kind.

    Attributes:
        share: of the examples' candidates that were taken.
        trees: one for each bag; none where all examples came to the same, so that the share says all.
        columns: of the features, those that the trees look at; all of them differ in the examples.
    """

    share: float
    trees: tuple[HistGradientBoostingClassifier, ...]
    columns: NDArray[np.intp]

    def probabilities(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """float32 of shape (candidates,)."""
        if not self.trees:
            return np.full(len(features), self.share, dtype=np.float32)
        seen = features[:, self.columns]
        summed = sum(one.predict_proba(seen)[:, 1] for one in self.trees)
        return np.asarray(summed / len(self.trees), dtype=np.float32)


@dataclass
class Ranker:
    """The probability that a customer who comes back within the horizon takes the item.

    Examples are of customers who took anything, so of all customers together less is taken than foreseen.

    One model for items had before and one for new ones: what speaks for a repeat (is it due?) and for a discovery (who
    else has it?) differs. Both are probabilities of the same event, so that their lists can be put together.

    A shop too young to have an earlier date after which anything was taken teaches nothing: the blend ranks for it.

    Attributes:
        settings: how it learns.
        weights: of the blend that ranks where there is nothing to learn from.

    Source: Covington, Adams & Sargin (2016), "Deep neural networks for YouTube recommendations" (two stages); Ke et al.
        (2017), "LightGBM" (histogram trees), as scikit-learn has them.
    """

    settings: RankerSettings = field(default_factory=RankerSettings)
    weights: BlendWeights = field(default_factory=BlendWeights)
    name: str = "ranker"
    features_: FeatureMaker = field(init=False, repr=False)
    models_: dict[bool, Model] = field(init=False, repr=False)
    blend_: Blend | None = field(init=False, repr=False)
    training_: Training = field(init=False, repr=False)

    def fit(self, training: Training) -> Self:
        """Learn from what customers took after earlier as-of dates."""
        # First, because it reads what similarities are stored, over a connection that no two threads may use at once.
        maker = FeatureMaker(training)
        return self.learn(training, maker, self.examples(training))

    def examples(self, training: Training) -> ByKind:
        """What it learns from; the same for all settings that differ in the trees alone."""
        given = self.settings
        cuts = range(1, given.cuts + 1)
        return examples_of(training, given.horizon, cuts, given.negatives, given.seed, given.balance)

    def learn(self, training: Training, maker: FeatureMaker, examples: ByKind) -> Self:
        """As `fit`, from examples that are there already: several settings may learn from the same."""
        given = self.settings
        self.training_ = training
        self.features_ = maker
        with ThreadPoolExecutor(threads()) as pool:
            models = pool.map(lambda had: learnt(examples[had], had, given), examples)
        self.models_ = dict(zip(examples, models, strict=True))
        taught = any(some.taken.any() for some in examples.values())
        self.blend_ = None if taught else Blend(self.weights).fit(training)
        return self

    def score(self, customers: Positions) -> csr_matrix:
        """Probabilities of all candidates; as `Recommender.score`."""
        if self.blend_ is not None:
            scores = self.blend_.score(customers)
            # In the same order, and between 0 and 1 like the probabilities that they stand in for.
            scores.data = scores.data / (1 + scores.data)
            return scores
        return self.scored(self.features_.candidates(customers), customers)

    def scored(self, candidates: Candidates, customers: Positions) -> csr_matrix:
        """Probabilities of the candidates of these customers: float32 CSR of shape (len(customers), items)."""
        starts = np.searchsorted(candidates.customer, np.asarray(customers))
        indptr = np.append(starts, len(candidates.customer))
        shape = (len(customers), self.training_.shape[1])
        return csr_matrix((self.probabilities(candidates), candidates.item, indptr), shape=shape)

    def probabilities(self, candidates: Candidates) -> NDArray[np.float32]:
        """float32 of shape (candidates,): how likely each is taken within the horizon."""
        probability = np.zeros(len(candidates.item), dtype=np.float32)
        for had, model in self.models_.items():
            rows = np.flatnonzero(candidates.had == had)
            if len(rows):
                probability[rows] = model.probabilities(candidates.features[rows])
        return probability


def learnt(examples: Examples, had: bool, settings: RankerSettings) -> Model:
    """A model of examples of one kind; trees of one processor, since they grow no better on several."""
    total = float(examples.weight.sum())
    share = float(examples.weight[examples.taken].sum()) / total if total else 0.0
    if share in (0.0, 1.0):
        return Model(share, (), np.empty(0, dtype=np.intp))
    with threadpool_limits(1, "openmp"):
        columns = telling(examples.names, had) if settings.sparing else np.arange(len(examples.names))
        lowest, highest = (one.reduce(examples.features[:, columns], axis=0) for one in (np.fmin, np.fmax))
        columns = columns[lowest < highest]
        features = examples.features[:, columns]
        trees = tuple(
            _trees(settings, bag).fit(features, examples.taken, sample_weight=examples.weight)
            for bag in range(settings.bags)
        )
    return Model(share, trees, columns)


def _trees(settings: RankerSettings, bag: int) -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(
        max_iter=settings.iterations,
        learning_rate=settings.learning_rate,
        max_leaf_nodes=settings.leaves,
        min_samples_leaf=settings.min_leaf,
        l2_regularization=settings.l2,
        max_features=settings.features,
        early_stopping=False,
        random_state=settings.seed + bag,
    )
