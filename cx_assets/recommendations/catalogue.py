"""The recommenders that there are.

Belongs here: the one list of them, which evaluation goes through. Does not: anything about a single one. To add a
recommender, write its module and name it here.
"""

from __future__ import annotations

from cx_assets.recommendations.basket_rules import BasketRules
from cx_assets.recommendations.blend import Blend, BlendWeights
from cx_assets.recommendations.chance import Chance
from cx_assets.recommendations.customer_knn import CustomerKnn
from cx_assets.recommendations.item_knn import Content, ItemKnn
from cx_assets.recommendations.personal_frequency import PersonalFrequency
from cx_assets.recommendations.popularity import Popularity, RecentPopularity
from cx_assets.recommendations.recommender import Recommender

HALF_LIFE_DAYS = 90.0


def recommenders(blend: BlendWeights | None = None) -> list[Recommender]:
    """Fresh recommenders, not fitted, the simplest first and the published one last.

    Args:
        blend: the published one's weights; None for the defaults.
    """
    return [
        Chance(),
        Popularity(),
        RecentPopularity(),
        PersonalFrequency(),
        PersonalFrequency(HALF_LIFE_DAYS),
        CustomerKnn("cosine"),
        CustomerKnn("pearson"),
        ItemKnn(),
        Content(),
        BasketRules(),
        Blend(blend or BlendWeights()),
    ]
