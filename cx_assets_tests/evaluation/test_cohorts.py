"""Figures of cohorts: who is in which on a date, and what they are means over."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pandas as pd
import pytest

from cx_assets.evaluation.backtest_figures import judged
from cx_assets.evaluation.cohorts import BY_BASKETS, BY_TENURE, cohort_rows
from cx_assets.evaluation.figures import JudgedLists
from cx_assets.table import Table
from cx_assets_tests.recommendations.samples import events_of

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
    assert set(found["cohort"]) == {"1 to 2 baskets", "first 28 days"}
    assert set(found["customers"]) == {2}
    assert set(found["metric"]) == {"precision", "recall", "ndcg", "hit_rate"}
    assert ((found["ci_low"] <= found["value"]) & (found["value"] <= found["ci_high"])).all()


def test_nothing_judged_gives_no_rows(tables: Tables) -> None:
    assert cohort_rows([], tables(events_of(baskets("A", 1, 9))), resamples=100, seed=0).empty
