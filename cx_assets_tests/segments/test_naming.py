"""Laws of segment names."""

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from cx_assets.segments.features import FEATURES
from cx_assets.segments.naming import segment_names


def differences(*rows: dict[str, float]) -> pd.DataFrame:
    return pd.DataFrame([{f: row.get(f, 0.0) for f in FEATURES} for row in rows], index=range(1, len(rows) + 1))


def tastes(*rows: dict[str, float]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), index=range(1, len(rows) + 1)).fillna(0.0)


def names(*rows: dict[str, float]) -> list[str]:
    return list(segment_names(differences(*rows), tastes(*[{} for _ in rows])).values())


def test_a_name_says_how_customers_come_and_how_they_spend() -> None:
    assert names(
        {"frequency": 1.0, "monetary": 1.2},
        {"frequency": -0.8, "monetary": 0.1},
        {"recency_days": 1.5, "frequency": -0.9, "monetary": -1.0},
        {"tenure_days": -2.0, "monetary": -0.4},
        {"monetary": -0.5},
    ) == [
        "Frequent big spenders",
        "Occasional moderate spenders",
        "Lapsing small spenders",
        "New moderate spenders",
        "Regular small spenders",
    ]


def test_without_money_in_the_data_a_name_says_how_widely_customers_choose() -> None:
    assert names({"items": 0.9, "frequency": 0.7}, {"items": -0.9}) == [
        "Frequent wide explorers",
        "Regular narrow explorers",
    ]


def test_a_single_segment_is_everybody() -> None:
    assert names({}) == ["All customers"]


def test_namesakes_are_told_apart_by_what_differs_most() -> None:
    assert names(
        {"frequency": 1.0, "monetary": 1.0, "mean_basket_value": 1.0},
        {"frequency": 1.2, "monetary": 0.8, "mean_basket_value": -0.3},
    ) == ["Frequent big spenders with costly baskets", "Frequent big spenders with cheap baskets"]


def test_namesakes_may_be_told_apart_by_taste() -> None:
    found = segment_names(differences({}, {}), tastes({"BEER": 0.9}, {"BEER": -0.9, "MILK": 0.2}))
    assert found == {1: "Regular customers with a taste for BEER", 2: "Regular customers with a taste for MILK"}


def test_what_cannot_be_told_apart_is_numbered() -> None:
    assert names({}, {}) == ["Regular customers with cheap baskets (1)", "Regular customers with cheap baskets (2)"]


@given(st.lists(st.lists(st.floats(-3, 3), min_size=8, max_size=8), min_size=1, max_size=8))
def test_no_two_names_are_alike_and_every_segment_has_one(rows: list[list[float]]) -> None:
    frame = differences(*[dict(zip(FEATURES, row, strict=True)) for row in rows])
    found = segment_names(frame, tastes(*[{"BEER": row[0]} for row in rows]))
    assert list(found) == list(range(1, len(rows) + 1))
    assert len(set(found.values())) == len(rows)
    assert all(name[0].isupper() for name in found.values())
