"""What the warehouse put in for a missing attribute teaches no recommender anything.

A mean or a forest's answer is fitted on the master data as they are today, whatever the as-of date. As long as no
model reads a filled value, none can carry a later day's knowledge into an earlier list.
"""

from collections.abc import Iterator
from datetime import timedelta

import duckdb
import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_limits

from cx_assets.evaluation.backtest import list_rows
from cx_assets.evaluation.judging import training_before
from cx_assets.evaluation.split import Window
from cx_assets.matrices.interactions import EventWeights
from cx_assets.recommendations.catalogue import contenders
from cx_assets.recommendations.features import _codes
from cx_assets.recommendations.recommender import Training
from cx_assets.recommendations.rewind import Days
from cx_assets.rules.mining import RuleSettings
from cx_assets.table import from_frame
from cx_assets_tests.recommendations.staples import DAYS, START, staple_events, staple_items

HORIZON = 28
AS_OF = START + timedelta(days=DAYS - HORIZON)
NAMES = [one.name for one in contenders(Days(HORIZON))]


def items_filled_with(values: list[str], prices: list[float]) -> pd.DataFrame:
    """The assortment with the brand of every third item and the price of every fifth put in by the warehouse."""
    items = staple_items()
    place = np.arange(len(items))
    filled, unpriced = place % 3 == 0, place % 5 == 0
    items["brand"] = items["brand"].mask(filled, pd.Series(np.resize(values, len(items))))
    items["price"] = np.where(unpriced, np.resize(prices, len(items)), place % 4 + 1.0)
    return items.assign(brand_imputed=filled, price_imputed=unpriced)


@pytest.fixture(scope="module")
def shops() -> Iterator[tuple[Training, Training]]:
    """Two shops that differ in nothing but in what was filled in."""
    fills = items_filled_with(["brand 1"], [2.5]), items_filled_with(["brand 3", "brand 2", "none"], [1.0, 9.0])
    with threadpool_limits(1), duckdb.connect() as connection:
        events = from_frame(connection, staple_events())
        rules = RuleSettings(min_support=0.01, max_size=2, min_customers=2, fdr=0.5)
        one, other = (training_before(events, items, Window(AS_OF, HORIZON), EventWeights(), rules) for items in fills)
        yield one, other


@pytest.mark.parametrize("name", NAMES)
def test_no_list_changes_in_any_bit_with_other_filled_values(shops: tuple[Training, Training], name: str) -> None:
    def lists(training: Training) -> pd.DataFrame:
        recommender = next(one for one in contenders(Days(HORIZON)) if one.name == name)
        everyone = np.arange(training.shape[0])
        return list_rows(recommender.fit(training), training, everyone, version="1").to_pandas()

    one, other = map(lists, shops)
    assert len(one) > 0
    pd.testing.assert_frame_equal(one, other, check_exact=True)


def test_known_values_do_tell_items_apart(shops: tuple[Training, Training]) -> None:
    codes = _codes(shops[0].items)
    assert {name: len(np.unique(found)) for name, found in codes.items()} == {"category": 3, "brand": 5, "price": 5}
