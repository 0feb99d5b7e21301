"""The recommenders that there are.

Belongs here: the one list of them, which evaluation goes through. Does not: anything about a single one. To add a
recommender, write its module and name it here.
"""

from __future__ import annotations

from importlib.util import find_spec

from cx_assets.recommendations.als import Als
from cx_assets.recommendations.basket_rules import BasketRules
from cx_assets.recommendations.blend import Blend, BlendWeights
from cx_assets.recommendations.chance import Chance
from cx_assets.recommendations.customer_knn import CustomerKnn
from cx_assets.recommendations.ease import Ease
from cx_assets.recommendations.item_knn import Content, ItemKnn
from cx_assets.recommendations.personal_frequency import PersonalFrequency
from cx_assets.recommendations.personal_then_popular import PersonalThenPopular
from cx_assets.recommendations.popularity import Popularity, RecentPopularity
from cx_assets.recommendations.ranker import Ranker, RankerSettings
from cx_assets.recommendations.recommender import Recommender
from cx_assets.recommendations.rewind import Days, Horizon
from cx_assets.recommendations.rp3beta import Rp3Beta
from cx_assets.recommendations.segment_popularity import SegmentPopularity
from cx_assets.recommendations.tifu_knn import TifuKnn
from cx_assets.recommendations.up_cf import UpCf
from cx_assets.recommendations.weighted_knn import WeightedItemKnn

HALF_LIFE_DAYS = 90.0
BASKET_DECAY = 0.9


def recommenders(ranker: RankerSettings | None = None, blend: BlendWeights | None = None) -> list[Recommender]:
    """Fresh recommenders that every run judges, not fitted, the simplest first and the published one last.

    Args:
        ranker: how the published one learns; None for the defaults.
        blend: the blend's weights; None for the defaults.
    """
    weights = blend or BlendWeights()
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
        Blend(weights),
        Ranker(ranker or RankerSettings(), weights),
    ]


CHALLENGER = "ranker"
"""The recommender that backtests compare with all others."""


def contenders(horizon: Horizon) -> list[Recommender]:
    """All recommenders that a backtest judges, not fitted.

    Args:
        horizon: what they are judged on; the ranker learns for it.
    """
    # Rules are mined by date: of trainings with a date of each customer there are none.
    every = recommenders(settings_for(horizon))
    *dated, ranker = [one for one in every if isinstance(horizon, Days) or not isinstance(one, BasketRules)]
    return [
        *dated,
        PersonalFrequency(basket_decay=BASKET_DECAY),
        PersonalThenPopular(),
        SegmentPopularity(),
        WeightedItemKnn("bm25"),
        TifuKnn(),
        UpCf(),
        Rp3Beta(),
        Ease(),
        *([Als()] if find_spec("implicit") else []),
        ranker,
    ]


def settings_for(horizon: Horizon) -> RankerSettings:
    """How the ranker learns for a horizon.

    A basket is a small thing to foresee: more of them are learnt from, by larger trees over all features, and a
    customer with a large basket counts little more than one with a small basket.
    """
    if isinstance(horizon, Days):
        return RankerSettings(horizon=horizon)
    return RankerSettings(horizon=horizon, cuts=8, balance=0.5, bags=2, leaves=31, sparing=False)
