"""Laws of segment profiles."""

from collections.abc import Callable
from datetime import datetime

import numpy as np
import pandas as pd
import pytest

from cx_assets.segments.features import FEATURES
from cx_assets.segments.profiles import category_lifts, segment_profiles, segment_traits, standardised_differences
from cx_assets.table import Table


def shares(*rows: tuple[str, str, float, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["customer_id", "category", "share", "value"])


def of_segments(**segments: int) -> pd.DataFrame:
    return pd.DataFrame({"customer_id": list(segments), "segment_id": list(segments.values())})


def test_a_standardised_difference_by_hand() -> None:
    values = pd.DataFrame({"spend": [0.0, 0.0, 4.0, 4.0], "same": [7.0] * 4})
    found = standardised_differences(values, pd.Series([1, 1, 2, 2]))
    assert found["spend"].tolist() == [-1.0, 1.0]
    assert found["same"].tolist() == [0.0, 0.0]


def test_differences_weighted_by_size_add_up_to_nothing() -> None:
    rng = np.random.default_rng(3)
    values = pd.DataFrame(rng.normal(size=(50, 3)))
    segments = pd.Series(rng.integers(1, 4, 50))
    found = standardised_differences(values, segments)
    sizes = segments.value_counts().sort_index().to_numpy()
    assert sizes @ found.to_numpy() == pytest.approx(np.zeros(3), abs=1e-9)


def test_traits_say_the_largest_difference_first_with_both_typical_figures() -> None:
    features = pd.DataFrame({f: [5.0] * 4 for f in FEATURES}).assign(
        frequency=[10.0, 10.0, 20.0, 20.0], monetary=[5.0, 15.0, 10.0, 20.0], segment_id=[1, 1, 2, 2]
    )
    traits = segment_traits(features)
    assert traits[1][0] == "comes less often: typically 10 baskets, all customers 14.2"
    assert traits[2][0] == "comes more often: typically 20 baskets, all customers 14.2"
    assert traits[2][1].startswith("spends more: ")


def test_a_segment_like_everybody_has_no_traits() -> None:
    features = pd.DataFrame({f: [5.0, 9.0] for f in FEATURES}).assign(segment_id=1)
    assert segment_traits(features) == {1: []}


def test_lift_is_the_segments_share_of_value_over_everybodys(tables: Callable[[pd.DataFrame], Table]) -> None:
    spent = shares(("a", "BEER", 0.8, 8.0), ("a", "MILK", 0.2, 2.0), ("b", "BEER", 0.2, 2.0), ("b", "MILK", 0.8, 8.0))
    found = category_lifts(tables(spent), of_segments(a=1, b=2))
    assert found[["segment_id", "place", "category"]].to_numpy().tolist() == [[1, 1, "BEER"], [2, 1, "MILK"]]
    # 8 of the segment's 10 against 10 of all 20.
    assert found["lift"].tolist() == pytest.approx([1.6, 1.6])


def test_a_category_that_hardly_any_customer_of_the_segment_buys_is_left_out(
    tables: Callable[[pd.DataFrame], Table],
) -> None:
    milk = [(f"c{i}", "MILK", 1.0, 10.0) for i in range(20)]
    spent = shares(*milk[1:], ("c0", "SILK", 1.0, 500.0), ("z", "MILK", 1.0, 10.0))
    found = category_lifts(tables(spent), of_segments(**{f"c{i}": 1 for i in range(20)}, z=2))
    assert set(found["category"]) == {"MILK"}


def test_without_value_the_shares_of_events_are_compared(tables: Callable[[pd.DataFrame], Table]) -> None:
    looked = shares(("a", "BEER", 1.0, 0.0), ("b", "MILK", 1.0, 0.0))
    found = category_lifts(tables(looked), of_segments(a=1, b=2))
    assert found["lift"].tolist() == pytest.approx([2.0, 2.0])


def test_a_profile_by_hand() -> None:
    features = pd.DataFrame({f: [2.0, 4.0, 6.0] for f in FEATURES}).assign(
        customer_id=["a", "b", "c"], monetary=[10.0, 20.0, 70.0]
    )
    segments = pd.DataFrame(
        {
            "customer_id": ["a", "b", "c", "z"],
            "segment_id": [2, 2, 1, -1],
            "segment": ["Small", "Small", "Big", "no history"],
            "certainty": [1.0, 0.5, 0.8, 1.0],
        }
    )
    lifts = pd.DataFrame({"segment_id": [1, 1], "place": [2, 1], "category": ["MILK", "BEER"], "lift": [1.2, 1.9]})
    found = segment_profiles(features, segments, lifts, as_of=datetime(2024, 1, 1))
    assert found["segment"].tolist() == ["Big", "Small", "no history"]
    assert found["customers"].tolist() == [1, 2, 1]
    assert found["share_of_customers"].tolist() == [0.25, 0.5, 0.25]
    assert found["share_of_value"].tolist() == pytest.approx([0.7, 0.3, 0.0])
    assert found["mean_frequency"].tolist()[:2] == [6.0, 3.0]
    assert found["mean_frequency"].isna().tolist() == [False, False, True]
    assert found["stability"].tolist() == pytest.approx([0.8, 0.75, 1.0])
    assert found["top_categories"].tolist() == [["BEER", "MILK"], [], []]
    assert found["top_category_lifts"].tolist() == [[1.9, 1.2], [], []]
    assert found["summary"].iloc[0].startswith("1 customers (25%) with 70% of the value. The typical one ")
    assert found["summary"].iloc[0].endswith("Buys more than others: BEER, MILK.")
