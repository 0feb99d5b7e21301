"""Which features the ranker looks at, on a shop whose items have attributes."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import duckdb
import numpy as np
import pytest

from cx_assets.matrices.interactions import EventWeights
from cx_assets.recommendations.features import FeatureMaker
from cx_assets.recommendations.ranker import Ranker, RankerSettings
from cx_assets.recommendations.recommender import Training, build_training
from cx_assets.recommendations.rewind import Days
from cx_assets.recommendations.telling import PATTERNS, telling
from cx_assets.table import from_frame
from cx_assets_tests.recommendations.staples import START, staple_events, staple_items

AS_OF = START + timedelta(days=180)
SETTINGS = RankerSettings(horizon=Days(7), cuts=1, iterations=5, min_leaf=40)


@pytest.fixture(scope="module")
def training() -> Iterator[Training]:
    with duckdb.connect() as connection:
        events = from_frame(connection, staple_events())
        yield build_training(events, staple_items(), as_of=AS_OF, weights=EventWeights())


@pytest.mark.parametrize("had", [True, False])
def test_every_pattern_names_a_feature_that_there_is(training: Training, had: bool) -> None:
    names = FeatureMaker(training).candidates(np.arange(2)).names
    for pattern in PATTERNS[had]:
        ending = pattern.removeprefix("*")
        assert [name for name in names if name == pattern or (ending != pattern and name.endswith(ending))], pattern


def test_a_star_stands_for_every_attribute_of_items() -> None:
    names = ["brand_variety", "brand_share", "category_variety", "times"]
    assert telling(names, had=True).tolist() == [0, 2, 3]


@pytest.mark.parametrize(("sparing", "more"), [(True, False), (False, True)])
def test_a_sparing_ranker_looks_at_nothing_but_what_tells_most(training: Training, sparing: bool, more: bool) -> None:
    fitted = Ranker(replace(SETTINGS, sparing=sparing)).fit(training)
    names = fitted.features_.candidates(np.arange(2)).names
    for had, model in fitted.models_.items():
        assert bool(set(model.columns) - set(telling(names, had))) == more
