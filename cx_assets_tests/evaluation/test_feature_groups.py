"""Every feature of the ranker is in one group, whatever attributes the items have."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from cx_assets.evaluation.feature_groups import GROUPS, grouped
from cx_assets.recommendations.features import FeatureMaker
from cx_assets.table import Table
from cx_assets_tests.recommendations.samples import items_of, trained


@pytest.fixture
def names(tables: Callable[[pd.DataFrame], Table]) -> list[str]:
    """What the features of a shop are called whose items have a category and a brand."""
    items = items_of("uvwxyz").assign(brand=[*"aaabbb"], brand_imputed=False)
    training = trained(tables, items=items)
    return list(FeatureMaker(training).candidates(np.arange(3)).names)


def test_every_feature_is_in_exactly_one_group_and_no_group_is_empty(names: list[str]) -> None:
    groups = grouped(names)
    assert tuple(groups) == GROUPS
    assert sorted(name for own in groups.values() for name in own) == sorted(names)
    assert all(groups.values())
    assert {"category_share", "brand_share"} < set(groups["taste"])


def test_what_is_about_an_attribute_is_taste_whatever_the_attribute_is_called(names: list[str]) -> None:
    endings = [name.removeprefix("category_") for name in names if name.startswith("category_")]
    groups = grouped([*names, *(f"item_shape_{ending}" for ending in endings)])
    assert {f"item_shape_{ending}" for ending in endings} < set(groups["taste"])
    assert "item_last_age" in groups["item"]


def test_what_only_sounds_alike_is_where_its_meaning_is(names: list[str]) -> None:
    groups = grouped(names)
    assert {"customer_price", "item_price_now"} < set(groups["price"])
    assert "span_share" in groups["due"]
    assert {"faded_baskets_0.9", "basket_rate"} < set(groups["baskets"])
    assert "faded_14" in groups["own history"]


def test_a_feature_that_nobody_has_put_into_a_group_is_told() -> None:
    with pytest.raises(LookupError, match=r"'moon_phase' is in no group: name one in .*feature_groups.py"):
        grouped(["times", "moon_phase"])
