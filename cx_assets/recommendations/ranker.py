"""The ranker: candidates of several sources, put in order by trees that have seen what earlier candidates came to.

Belongs here: learning from examples, and scoring. Does not: candidates and features (`features`), or where examples
come from (`examples`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.ensemble import HistGradientBoostingClassifier

from cx_assets.recommendations.examples import ByKind, Examples, examples_of
from cx_assets.recommendations.features import Candidates, FeatureMaker
from cx_assets.recommendations.recommender import Positions, Training
from cx_assets.recommendations.rewind import Days, Horizon


@dataclass(frozen=True)
class RankerSettings:
    """How the ranker learns; chosen on as-of dates before the test window (`evaluation.search_trials`).

    Attributes:
        horizon: what is predicted.
        cuts: earlier as-of dates to learn from, one horizon apart.
        negatives: share of the candidates that weren't taken that are learnt from, each counted for as many as it
            stands for, so that probabilities stay right.
        iterations: trees.
        learning_rate: what each tree counts.
        leaves: of a tree.
        min_leaf: examples that a leaf must hold.
        l2: how strongly leaves are held down.
        features: share of the features that each split may choose from.
        seed: of the sample and of that choice.
    """

    horizon: Horizon = field(default_factory=Days)
    cuts: int = 4
    negatives: float = 0.15
    iterations: int = 150
    learning_rate: float = 0.08
    leaves: int = 31
    min_leaf: int = 100
    l2: float = 1.0
    features: float = 0.3
    seed: int = 0


@dataclass(frozen=True)
class Model:
    """Trees, and the columns of the features that they look at: those that differ at all in the examples."""

    trees: HistGradientBoostingClassifier
    columns: NDArray[np.intp]

    def probabilities(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """float32 of shape (candidates,)."""
        return np.asarray(self.trees.predict_proba(features[:, self.columns])[:, 1], dtype=np.float32)


@dataclass
class Ranker:
    """The probability that the customer takes the item within the horizon.

    One model for items had before and one for new ones: what speaks for a repeat (is it due?) and for a discovery (who
    else has it?) differs. Both are probabilities of the same event, so that their lists can be put together.

    Source: Covington, Adams & Sargin (2016), "Deep neural networks for YouTube recommendations" (two stages); Ke et al.
        (2017), "LightGBM" (histogram trees), as scikit-learn has them.
    """

    settings: RankerSettings = field(default_factory=RankerSettings)
    name: str = "ranker"
    features_: FeatureMaker = field(init=False, repr=False)
    models_: dict[bool, Model | None] = field(init=False, repr=False)
    training_: Training = field(init=False, repr=False)

    def fit(self, training: Training) -> Self:
        """Learn from what customers took after earlier as-of dates."""
        return self.learn(training, FeatureMaker(training), self.examples(training))

    def examples(self, training: Training) -> ByKind:
        """What it learns from; the same for all settings of the same horizon, cuts, negatives and seed."""
        given = self.settings
        return examples_of(training, given.horizon, range(1, given.cuts + 1), given.negatives, given.seed)

    def learn(self, training: Training, maker: FeatureMaker, examples: ByKind) -> Self:
        """As `fit`, from examples that are there already: several settings may learn from the same."""
        given = self.settings
        self.training_ = training
        self.features_ = maker
        self.models_ = {had: learnt(some, given) for had, some in examples.items()}
        return self

    def score(self, customers: Positions) -> csr_matrix:
        """Probabilities of all candidates; as `Recommender.score`."""
        found = self.features_.candidates(customers)
        probability = self.probabilities(found)
        order = np.searchsorted(found.customer, np.asarray(customers))
        indptr = np.append(order, len(found.customer))
        return csr_matrix((probability, found.item, indptr), shape=(len(customers), self.training_.shape[1]))

    def probabilities(self, candidates: Candidates) -> NDArray[np.float32]:
        """float32 of shape (candidates,): how likely each is taken within the horizon."""
        probability = np.zeros(len(candidates.item), dtype=np.float32)
        for had, model in self.models_.items():
            rows = np.flatnonzero(candidates.had == had)
            if model is not None and len(rows):
                probability[rows] = model.probabilities(candidates.features[rows])
        return probability


def learnt(examples: Examples, settings: RankerSettings) -> Model | None:
    """A model of examples of one kind; None without both outcomes."""
    if examples.taken.all() or not examples.taken.any():
        return None
    columns = np.flatnonzero([_differ(column) for column in examples.features.T])
    trees = HistGradientBoostingClassifier(
        max_iter=settings.iterations,
        learning_rate=settings.learning_rate,
        max_leaf_nodes=settings.leaves,
        min_samples_leaf=settings.min_leaf,
        l2_regularization=settings.l2,
        max_features=settings.features,
        early_stopping=False,
        random_state=settings.seed,
    )
    features = examples.features[:, columns]
    return Model(trees.fit(features, examples.taken, sample_weight=examples.weight), columns)


def _differ(values: NDArray[np.float32]) -> bool:
    known = values[np.isfinite(values)]
    return len(known) > 0 and bool(known.min() < known.max())
