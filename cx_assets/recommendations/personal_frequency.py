"""Personal frequency: a customer will have again what they have had often, and lately.

Belongs here: counting a customer's own events, with or without fading by days or by baskets. Does not: what other
customers do.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

import numpy as np
from scipy.sparse import csr_matrix

from cx_assets.recommendations.history import by_pair
from cx_assets.recommendations.recommender import Positions, Training


@dataclass
class PersonalFrequency:
    """Items by how often the customer has had them; nothing new is offered.

    Days fade alike for everyone; baskets fade at the pace at which the customer shops.

    Attributes:
        half_life_days: days after which an event counts half; None for no fading by days. Equal counts are ordered by
            popularity, as all equals are.
        basket_decay: what an event counts for each basket that the customer has had since; None for no fading by
            baskets. Only one of the two may be given.
        name: personal_frequency, personal_frequency_decayed with a half-life, or personal_frequency_by_baskets.

    Source: Hu, He, Gao & Zhang (2020), "Modeling personalized item frequency information for next-basket
        recommendation" (P-TopFreq and its time-decayed form).
    """

    half_life_days: float | None = None
    basket_decay: float | None = None
    scores_: csr_matrix = field(init=False, repr=False)

    @property
    def name(self) -> str:
        """The name depends on how events fade."""
        if self.basket_decay is not None:
            return "personal_frequency_by_baskets"
        return "personal_frequency" if self.half_life_days is None else "personal_frequency_decayed"

    def fit(self, training: Training) -> Self:
        """Count the events of each pair, faded if there is a half-life or a decay.

        Raises:
            ValueError: if the half-life is not above 0, the decay not between 0 and 1, or both are given.
        """
        if self.half_life_days is not None and self.basket_decay is not None:
            raise ValueError("half_life_days and basket_decay exclude each other; both are given")
        if self.half_life_days is not None and not self.half_life_days > 0:
            raise ValueError(f"half_life_days must be above 0; it is {self.half_life_days}")
        if self.basket_decay is not None and not 0 < self.basket_decay < 1:
            raise ValueError(f"basket_decay must be between 0 and 1; it is {self.basket_decay}")
        if self.basket_decay is not None:
            self.scores_ = faded_by_baskets(training, self.basket_decay)
        else:
            self.scores_ = training.counts if self.half_life_days is None else training.decayed(self.half_life_days)
        return self

    def score(self, customers: Positions) -> csr_matrix:
        """Events, or faded events, per item had before; as `Recommender.score`."""
        return self.scores_[customers]


def faded_by_baskets(training: Training, decay: float) -> csr_matrix:
    """The sum over a pair's events of `decay` ** (baskets since), an event of the last basket counting 1.

    Args:
        training: with the history.
        decay: between 0 and 1.

    Returns:
        float32 CSR of shape (customers, items), above 0 where the customer has had the item.
    """
    history = training.history
    faded = history.events * np.power(decay, history.baskets_ago - 1.0)
    # The smallest normal float32: a pair that has faded below it is still one that the customer has had.
    kept = np.maximum(faded, np.finfo(np.float32).tiny)
    return by_pair(history.customer, history.item, kept, training.shape)
