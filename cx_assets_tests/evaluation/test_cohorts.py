"""Figures of cohorts: who is in which on a date, and what they are means over."""

from collections.abc import Callable
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from cx_assets.evaluation.backtest_figures import judged
from cx_assets.evaluation.cohorts import BY_BASKETS, BY_TENURE, cohort_rows
from cx_assets.evaluation.figures import JudgedLists
from cx_assets.recommendations.segment_popularity import SEGMENTS, segments
from cx_assets.table import Table
from cx_assets_tests.recommendations.samples import events_of, items_of, trained

Tables = Callable[[pd.DataFrame], Table]
AS_OF = datetime(2024, 6, 1)
DEPTH = 10


def baskets(customer: str, number: int, first: int, as_of: datetime = AS_OF) -> list[tuple[str, str, str]]:
    """A number of baskets, one a day from `first` days before the as-of date on."""
    return [(customer, "x", f"{as_of - timedelta(days=first - n):%Y-%m-%d}") for n in range(number)]


def date_of(tables: Tables, right: dict[str, bool], as_of: datetime = AS_OF) -> JudgedLists:
    """Lists of one place, right or wrong; everybody took x."""
    rows = [("ease", "both", customer, 1, "x" if hit else "y") for customer, hit in right.items()]
    lists = pd.DataFrame(rows, columns=["recommender", "list", "customer_id", "rank", "item_id"])
    pairs = pd.DataFrame({"customer_id": list(right), "item_id": "x", "had_before": True, "has_history": True})
    found = judged(tables(lists), pairs, as_of=as_of, horizon_days=28, depth=DEPTH)
    found.lists[:] = [one for one in found.lists if one.which == "both"]
    return found


def hit_rates(tables: Tables, dates: list[JudgedLists], rows: list[tuple[str, str, str]]) -> dict[str, float]:
    """By cohort; those by segments are left out, which `by_segment` has."""
    return {name: value for name, value in _hit_rates(tables, dates, rows).items() if name not in SEGMENTS}


def by_segment(tables: Tables, dates: list[JudgedLists], rows: list[tuple[str, str, str]]) -> dict[str, float]:
    return {name: value for name, value in _hit_rates(tables, dates, rows).items() if name in SEGMENTS}


def _hit_rates(tables: Tables, dates: list[JudgedLists], rows: list[tuple[str, str, str]]) -> dict[str, float]:
    found = cohort_rows(dates, tables(events_of(rows)), resamples=100, seed=0)
    found = found[(found["metric"] == "hit_rate") & (found["list"] == "both")]
    return dict(zip(found["cohort"], found["value"], strict=True))


@pytest.mark.parametrize(
    ("number", "cohort"),
    [
        (1, "1 to 2 baskets"),
        (2, "1 to 2 baskets"),
        (3, "3 to 5 baskets"),
        (5, "3 to 5 baskets"),
        (6, "6 to 20 baskets"),
        (20, "6 to 20 baskets"),
        (21, "21 to 80 baskets"),
        (80, "21 to 80 baskets"),
        (81, "81 baskets and more"),
    ],
)
def test_customers_are_told_apart_by_their_baskets_before_the_date(tables: Tables, number: int, cohort: str) -> None:
    rows = [*baskets("A", number, 100), ("A", "x", f"{AS_OF:%Y-%m-%d}"), ("A", "x", "2024-06-02")]
    found = hit_rates(tables, [date_of(tables, {"A": True})], rows)
    assert found.keys() & {name for name, *_ in BY_BASKETS} == {cohort}


@pytest.mark.parametrize(
    ("first", "cohort"),
    [
        (1, "first 28 days"),
        (28, "first 28 days"),
        (29, "29 to 90 days"),
        (90, "29 to 90 days"),
        (91, "after 90 days"),
    ],
)
def test_customers_are_told_apart_by_the_days_since_their_first_event(tables: Tables, first: int, cohort: str) -> None:
    found = hit_rates(tables, [date_of(tables, {"A": True})], baskets("A", 1, first))
    assert found.keys() & {name for name, *_ in BY_TENURE} == {cohort}


def test_a_figure_is_the_mean_over_the_cohort_alone(tables: Tables) -> None:
    rows = [*baskets("A", 1, 9), *baskets("B", 2, 9), *baskets("C", 3, 9)]
    found = hit_rates(tables, [date_of(tables, {"A": True, "B": False, "C": True})], rows)
    # A and B have one and two baskets: (1 + 0) / 2; C has three. All are new: 2 / 3.
    assert found == {"1 to 2 baskets": 0.5, "3 to 5 baskets": 1.0, "first 28 days": pytest.approx(2 / 3)}


def test_a_customer_is_in_another_cohort_when_the_baskets_are_more(tables: Tables) -> None:
    earlier = AS_OF - timedelta(days=28)
    rows = [*baskets("A", 2, 10, earlier), *baskets("A", 2, 10)]
    found = hit_rates(tables, [date_of(tables, {"A": False}, earlier), date_of(tables, {"A": True})], rows)
    # Two baskets on the first date, which went wrong, and four on the second; 38 days after the first event.
    assert found == {"1 to 2 baskets": 0, "3 to 5 baskets": 1, "first 28 days": 0, "29 to 90 days": 1}


def test_a_cohort_without_customers_has_no_row_and_the_others_say_how_many_they_are(tables: Tables) -> None:
    rows = [*baskets("A", 1, 9), *baskets("B", 2, 9)]
    dates = [date_of(tables, {"A": True, "B": False})]
    found = cohort_rows(dates, tables(events_of(rows)), resamples=100, seed=0)
    # B came last and has more baskets.
    assert dict(zip(found["cohort"], found["customers"], strict=True)) == {
        "1 to 2 baskets": 2,
        "first 28 days": 2,
        "long ago, seldom": 1,
        "lately, often": 1,
    }
    assert set(found["metric"]) == {"precision", "recall", "ndcg", "hit_rate"}
    assert ((found["ci_low"] <= found["value"]) & (found["value"] <= found["ci_high"])).all()


def test_nothing_judged_gives_no_rows(tables: Tables) -> None:
    assert cohort_rows([], tables(events_of(baskets("A", 1, 9))), resamples=100, seed=0).empty


def test_segments_are_thirds_by_recency_and_frequency_of_all_who_were_seen(tables: Tables) -> None:
    # A, B and C came 30, 20 and 10 days ago last and have one, two and three baskets; only B is judged.
    rows = [*baskets("A", 1, 30), *baskets("B", 2, 21), *baskets("C", 3, 12)]
    assert by_segment(tables, [date_of(tables, {"B": True})], rows) == {"a while ago, sometimes": 1}


def test_segments_know_nothing_from_the_date_on(tables: Tables) -> None:
    rows = [*baskets("A", 1, 30), *baskets("B", 2, 21), *baskets("C", 3, 12)]
    later = [("A", "x", f"{AS_OF + timedelta(days=n):%Y-%m-%d}") for n in range(9)]
    dates = [date_of(tables, {"A": True, "C": False})]
    found = by_segment(tables, dates, [*rows, *later])
    assert found == by_segment(tables, dates, rows) == {"long ago, seldom": 1, "lately, often": 0}


def test_segments_are_those_of_a_training_as_of_the_date(tables: Tables) -> None:
    draw = np.random.default_rng(7)
    names = [f"c{n:02d}" for n in range(40)]
    rows = [
        (str(draw.choice(names)), "x", f"{AS_OF - timedelta(days=int(ago)):%Y-%m-%d}")
        for ago in draw.integers(1, 60, size=200)
    ]
    training = trained(tables, rows, items=items_of("x"), as_of=AS_OF)
    customers = [str(name) for name in training.interactions.customers]
    for number, segment in enumerate(SEGMENTS):
        members = set(training.interactions.customers[segments(training) == number])
        found = by_segment(tables, [date_of(tables, {name: name in members for name in customers})], rows)
        # Whoever is of the segment is right and nobody else is, so its figure is 1 and every other's 0.
        assert found == {name: float(name == segment) for name in found}
        assert (segment in found) == bool(members)
