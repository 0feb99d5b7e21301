"""Personal frequency: a customer will have again what they have had often, and lately.

Belongs here: counting a customer's own events, with or without fading. Does not: what other customers do.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

from scipy.sparse import csr_matrix

from cx_assets.recommendations.recommender import Positions, Training


@dataclass
class PersonalFrequency:
    """Items by how often the customer has had them; nothing new is offered.

    Attributes:
        half_life_days: days after which an event counts half; None for plain counts. Equal counts are ordered by
            popularity, as all equals are.
        name: personal_frequency, or personal_frequency_decayed with a half-life.

    Source: Hu, He, Gao & Zhang (2020), "Modeling personalized item frequency information for next-basket
        recommendation" (P-TopFreq and its time-decayed form).
    """

    half_life_days: float | None = None
    scores_: csr_matrix = field(init=False, repr=False)

    @property
    def name(self) -> str:
        """The name depends on whether events fade."""
        return "personal_frequency" if self.half_life_days is None else "personal_frequency_decayed"

    def fit(self, training: Training) -> Self:
        """Count the events of each pair, faded if there is a half-life.

        Raises:
            ValueError: if the half-life is not above 0.
        """
        if self.half_life_days is not None and not self.half_life_days > 0:
            raise ValueError(f"half_life_days must be above 0; it is {self.half_life_days}")
        self.scores_ = training.counts if self.half_life_days is None else training.decayed(self.half_life_days)
        return self

    def score(self, customers: Positions) -> csr_matrix:
        """Events, or faded events, per item had before; as `Recommender.score`."""
        return self.scores_[customers]
