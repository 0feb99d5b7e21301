"""Personal frequency, then popularity: what the customer has had, and after it what everyone has.

Belongs here: putting the two after each other. Does not: either of them (`personal_frequency`, `popularity`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

import numpy as np
from scipy.sparse import csr_matrix

from cx_assets.recommendations.popularity import offered
from cx_assets.recommendations.ranking import had_before
from cx_assets.recommendations.recommender import Positions, Training


@dataclass
class PersonalThenPopular:
    """Items that the customer has had by how often, all of them above the others, which go by popularity.

        had before:  events(c, i), at least 1
        new:         customers who have had i / (2 * the highest of these numbers), at most 0.5

    Source: Li, Jullien, Ariannezhad & de Rijke (2023), "A next basket recommendation reality check" (GP-TopFreq).
    """

    name: str = "personal_then_popular"
    training_: Training = field(init=False, repr=False)

    def fit(self, training: Training) -> Self:
        """Keep the training data; both are counted already."""
        self.training_ = training
        return self

    def score(self, customers: Positions) -> csr_matrix:
        """As the class says; as `Recommender.score`, exact for lists of up to `popularity.DEPTH` places."""
        popularity = self.training_.popularity
        share = popularity / (2.0 * max(int(popularity.max(initial=0)), 1))
        scores = offered(self.training_, share.astype(np.float32), customers)
        # All items had before are offered, and both matrices have them in order of row and item.
        scores.data[had_before(scores, self.training_, customers)] = self.training_.counts[customers].data
        return scores
