"""The sentences of the report: they say what the figures say, and no more."""

import pandas as pd
import pytest

from cx_assets.evaluation.narrative import (
    compared_with_all,
    headline,
    label,
    repeat_share,
    strongest_rival,
    verdict,
)

COMPARISON = [
    "recommender",
    "baseline",
    "list",
    "metric",
    "k",
    "difference",
    "ci_low",
    "ci_high",
    "p_value",
    "customers",
]


def lead(
    low: float, difference: float, high: float, *, customers: int = 500, baseline: str = "popularity"
) -> pd.DataFrame:
    row = ("ranker", baseline, "both", "ndcg", 10, difference, low, high, 0.02, customers)
    return pd.DataFrame([row], columns=COMPARISON)


def precision_of(**values: float) -> pd.DataFrame:
    rows = [(name, "both", "precision", 10, value) for name, value in values.items()]
    return pd.DataFrame(rows, columns=["recommender", "list", "metric", "k", "value"])


def test_the_headline_counts_items_and_not_metrics() -> None:
    assert headline(precision_of(ranker=0.36, popularity=0.15), 10, 28) == (
        "Of 10 items that we would recommend to a customer, 3.6 are taken within 28 days; of the 10 best sellers, 1.5."
    )


def test_the_headline_of_nothing_says_that_there_is_nothing() -> None:
    assert headline(precision_of(), 10, 28).startswith("There is nothing to judge yet")


def test_a_tiny_share_is_not_rounded_to_nothing() -> None:
    assert "0.04 are taken" in headline(precision_of(ranker=0.004), 10, 28)


@pytest.mark.parametrize(
    ("comparison", "said"),
    [
        (lead(0.01, 0.02, 0.03), "beats popularity"),
        (lead(-0.01, 0.02, 0.03), "can't be told from popularity"),
        (lead(-0.03, -0.02, -0.01), "worse than popularity"),
        (lead(0.01, 0.02, 0.03, customers=29), "Only 29 customers could be judged"),
        (lead(0.01, 0.02, 0.03).iloc[:0], "Nothing was compared"),
    ],
)
def test_the_verdict_goes_as_far_as_the_interval_and_no_further(comparison: pd.DataFrame, said: str) -> None:
    assert said in verdict(comparison, "both", 10)


@pytest.mark.parametrize(
    ("comparison", "said"),
    [
        (lead(0.01, 0.02, 0.03, baseline="item_knn"), "the ranker is ahead of it by 0.020"),
        (lead(-0.03, -0.02, -0.01, baseline="item_knn"), "Item kNN is better than the ranker by 0.020"),
        (lead(-0.01, 0.02, 0.03, baseline="item_knn"), "Item kNN is as good, as far as these customers can tell"),
    ],
)
def test_the_strongest_rival_is_named_whether_it_wins_or_loses(comparison: pd.DataFrame, said: str) -> None:
    weaker = lead(0.1, 0.2, 0.3, baseline="random")
    assert said in strongest_rival(pd.concat([weaker, comparison]), "both", 10)


def test_few_customers_have_no_strongest_rival() -> None:
    assert strongest_rival(lead(0.01, 0.02, 0.03, customers=3), "both", 10) == ""


def test_a_lead_comes_with_its_p_value() -> None:
    assert compared_with_all(lead(0.01, 0.02, 0.03), "both", 10) == {"popularity": ("+0.020", "p = 0.02")}


def test_the_share_of_repeats_is_of_what_was_taken() -> None:
    who = pd.DataFrame({"list": ["repeat", "discovery", "both"], "relevant": [43, 57, 100]})
    assert "43% were repeats" in repeat_share(who)
    assert repeat_share(who.assign(relevant=0)) == ""


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("customer_knn_pearson", "Customer kNN Pearson"),
        ("personal_frequency", "Personal frequency"),
        ("blend", "Blend"),
        ("my_own", "My own"),
    ],
)
def test_a_recommender_is_named_for_people(name: str, shown: str) -> None:
    assert label(name) == shown
