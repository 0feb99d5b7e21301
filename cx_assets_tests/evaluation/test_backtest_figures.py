"""From lists of several dates to figures: hits, means over dates, and who leads by how much."""

import math
from collections.abc import Callable
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from cx_assets.evaluation.backtest_figures import (
    Pool,
    apart,
    holm,
    judged,
    mean_over_dates,
    pooled_comparisons,
    pooled_rows,
)
from cx_assets.evaluation.figures import JudgedLists
from cx_assets.evaluation.metrics import ACCURACY_METRICS
from cx_assets.table import Table

Tables = Callable[[pd.DataFrame], Table]
FIRST = datetime(2024, 3, 4)
Lists = dict[str, dict[str, str]]
"""By recommender and customer, the items of the list "both", a letter each."""


def places(lists: Lists, which: str = "both") -> pd.DataFrame:
    rows = [
        (recommender, which, customer, rank, item)
        for recommender, own in lists.items()
        for customer, items in own.items()
        for rank, item in enumerate(items, start=1)
    ]
    frame = pd.DataFrame(rows, columns=["recommender", "list", "customer_id", "rank", "item_id"])
    return frame.astype(dict.fromkeys(("recommender", "list", "customer_id", "item_id"), "str"))


def taken(pairs: dict[str, str], had: str = "") -> pd.DataFrame:
    """What each customer took, a letter each; those in `had` before."""
    rows = [(customer, item, item in had, True) for customer, items in pairs.items() for item in items]
    frame = pd.DataFrame(rows, columns=["customer_id", "item_id", "had_before", "has_history"])
    return frame.astype({"customer_id": "str", "item_id": "str", "had_before": bool, "has_history": bool})


def date_of(
    tables: Tables, lists: Lists, pairs: dict[str, str], as_of: datetime = FIRST, depth: int = 3, had: str = ""
) -> JudgedLists:
    return judged(tables(places(lists)), taken(pairs, had), as_of=as_of, horizon_days=28, depth=depth)


def both_of(date: JudgedLists, recommender: str) -> tuple[list[list[bool]], list[int]]:
    one = next(one for one in date.lists if (one.recommender, one.which) == (recommender, "both"))
    return one.hit.tolist(), one.relevant.tolist()


def test_places_are_marked_by_what_was_taken_and_short_lists_end_early(tables: Tables) -> None:
    date = date_of(tables, {"ease": {"A": "xyz", "B": "y"}}, {"B": "y", "A": "zw"})
    assert list(date.customers["both"]) == ["A", "B"]
    # A took z, shown third, and w, not shown; B's list has one place.
    assert both_of(date, "ease") == ([[False, False, True], [True, False, False]], [2, 1])
    ease = next(one for one in date.lists if one.which == "both")
    assert [[str(date.items[i]) if i >= 0 else "" for i in row] for row in ease.shown] == [
        ["x", "y", "z"],
        ["y", "", ""],
    ]


def test_a_customer_without_a_list_is_judged_on_an_empty_one(tables: Tables) -> None:
    date = date_of(tables, {"ease": {"A": "xyz"}, "ranker": {"A": "x", "B": "y"}}, {"A": "x", "B": "y"})
    assert both_of(date, "ease") == ([[True, False, False], [False] * 3], [1, 1])
    assert both_of(date, "ranker") == ([[True, False, False], [True, False, False]], [1, 1])


def test_who_took_nothing_is_not_judged(tables: Tables) -> None:
    date = date_of(tables, {"ease": {"A": "xyz", "B": "xyz"}}, {"A": "x"})
    assert list(date.customers["both"]) == ["A"]


def test_every_list_has_its_own_relevant_items(tables: Tables) -> None:
    lists = pd.concat([places({"ease": {"A": "xy"}}, which) for which in ("repeat", "discovery", "both")])
    date = judged(tables(lists), taken({"A": "xw"}, had="x"), as_of=FIRST, horizon_days=28, depth=3)
    relevant = {one.which: (one.hit[0].tolist(), int(one.relevant[0])) for one in date.lists}
    assert relevant == {
        "repeat": ([True, False, False], 1),
        "discovery": ([False] * 3, 1),
        "both": ([True, False, False], 2),
    }


def test_where_nobody_took_anything_nothing_is_judged(tables: Tables) -> None:
    assert date_of(tables, {"ease": {"A": "xyz"}}, {}).lists == []


# On the first date A is right and B wrong, on the second A is right and nobody else is judged.
TWO_DATES = [
    ({"ease": {"A": "x", "B": "x"}, "ranker": {"A": "y", "B": "y"}}, {"A": "x", "B": "y"}),
    ({"ease": {"A": "x"}, "ranker": {"A": "y"}}, {"A": "x"}),
]


def pool_of(tables: Tables, dates: list[tuple[Lists, dict[str, str]]], ks: tuple[int, ...] = (1,)) -> Pool:
    found = Pool.of(
        [date_of(tables, *date, as_of=FIRST + n * timedelta(days=28)) for n, date in enumerate(dates)], "both", ks
    )
    assert found is not None
    return found


def figure(rows: pd.DataFrame, recommender: str, metric: str = "precision", k: int = 1) -> pd.Series:
    return rows[(rows["recommender"] == recommender) & (rows["metric"] == metric) & (rows["k"] == k)].iloc[0]


def test_a_figure_over_dates_is_the_mean_of_the_dates_means(tables: Tables) -> None:
    rows = pooled_rows(pool_of(tables, TWO_DATES), "both", resamples=100, seed=0)
    # ease: (1 + 0) / 2 on the first date, 1 on the second, so 3 / 4 and not the 2 / 3 of the three lists.
    assert figure(rows, "ease")["value"] == pytest.approx((1 / 2 + 1) / 2)
    assert figure(rows, "ranker")["value"] == pytest.approx((1 / 2 + 0) / 2)
    assert figure(rows, "ease")["customers"] == 2
    assert set(rows["metric"]) == set(ACCURACY_METRICS)


def test_an_interval_over_dates_is_of_draws_of_customers_with_all_their_dates(tables: Tables) -> None:
    row = figure(pooled_rows(pool_of(tables, TWO_DATES), "both", resamples=400, seed=0), "ease")
    # A twice: 1 and 1. A and B: 1/2 and 1. B twice: 0 on the first date, nobody on the second, so 0.
    assert (row["ci_low"], row["ci_high"]) == (0.0, 1.0)


def test_one_customer_has_an_interval_of_no_width(tables: Tables) -> None:
    row = figure(pooled_rows(pool_of(tables, TWO_DATES[1:]), "both", resamples=100, seed=0), "ease")
    assert (row["ci_low"], row["value"], row["ci_high"]) == (1.0, 1.0, 1.0)


def test_nobody_to_judge_on_any_date_makes_no_pool(tables: Tables) -> None:
    assert Pool.of([date_of(tables, {"ease": {"A": "x"}}, {})], "both", (1,)) is None


def compared(tables: Tables, dates: list[tuple[Lists, dict[str, str]]]) -> pd.DataFrame:
    rows = pooled_comparisons(pool_of(tables, dates), "both", resamples=200, seed=0)
    return rows[(rows["metric"] == "precision") & (rows["k"] == 1)].set_index(["recommender", "baseline"])


def test_a_difference_is_taken_over_dates_and_tested_over_customers(tables: Tables) -> None:
    # ease is right for A and C, ranker for B: differences of ease and ranker 1, -1, 1 on the only date.
    right = {"A": "x", "B": "y", "C": "x"}
    lists = {"ease": dict.fromkeys("ABC", "x"), "ranker": dict.fromkeys("ABC", "y")}
    row = compared(tables, [(lists, right)]).loc[("ease", "ranker")]
    assert row["difference"] == pytest.approx(1 / 3)
    # ranker is right for 1 of 3: (1 / 3) / (1 / 3).
    assert row["relative"] == pytest.approx(1)
    # Their standard deviation: sqrt(((2/3)^2 + (4/3)^2 + (2/3)^2) / 2) = sqrt(4 / 3).
    assert row["effect_size"] == pytest.approx((1 / 3) / math.sqrt(4 / 3))
    # t = 1/3 / (sqrt(4/3) / sqrt(3)) = 1/2; with two degrees of freedom p = 1 - t / sqrt(2 + t^2) = 1 - 1/3.
    assert row["p_value"] == pytest.approx(2 / 3)
    assert (row["customers"], row["dates"], row["dates_ahead"]) == (3, 1, 1)


def test_the_other_way_round_it_is_the_same_difference_with_the_other_sign(tables: Tables) -> None:
    found = compared(tables, TWO_DATES)
    one, other = found.loc[("ease", "ranker")], found.loc[("ranker", "ease")]
    assert one["difference"] == -other["difference"] == pytest.approx(3 / 4 - 1 / 4)
    assert (one["ci_low"], one["ci_high"]) == (-other["ci_high"], -other["ci_low"])
    assert one["p_value"] == other["p_value"]
    # Level on the first date, ahead on the second.
    assert (one["dates"], one["dates_ahead"], other["dates_ahead"]) == (2, 1, 0)


def test_those_who_are_always_equal_have_no_lead_and_no_doubt(tables: Tables) -> None:
    row = compared(tables, [({"a": {"A": "x", "B": "y"}, "b": {"A": "x", "B": "y"}}, {"A": "x", "B": "x"})]).iloc[0]
    assert (row["difference"], row["p_value"], row["p_holm"]) == (0, 1, 1)
    assert np.isnan(row["effect_size"])


def test_a_lead_over_one_who_is_never_right_has_no_relative_size(tables: Tables) -> None:
    rows = compared(tables, [({"a": {"A": "x"}, "b": {"A": "y"}}, {"A": "x"})])
    assert np.isnan(rows.loc[("a", "b"), "relative"])
    assert rows.loc[("b", "a"), "relative"] == -1


def test_a_lead_of_the_same_size_for_everybody_is_as_sure_at_every_k(tables: Tables) -> None:
    # Each of three is shown one right item among ten: differences of 1 / 2 at 2 and of 1 / 10 at 10, all alike.
    lists = {"a": dict.fromkeys("ABC", "xbcdefghij"), "b": dict.fromkeys("ABC", "kbcdefghij")}
    date = date_of(tables, lists, dict.fromkeys("ABC", "x"), depth=10)
    pool = Pool.of([date], "both", (2, 10))
    assert pool is not None
    rows = pooled_comparisons(pool, "both", resamples=100, seed=0)
    rows = rows[(rows["recommender"] == "a") & (rows["metric"] == "precision")].set_index("k")
    assert rows.loc[2, "p_value"] == rows.loc[10, "p_value"]


def test_one_without_lists_on_a_date_is_compared_on_the_others_alone(tables: Tables) -> None:
    easy, hard = {"A": "x", "B": "x"}, {"A": "y", "B": "z"}
    old, new = dict.fromkeys("AB", "x"), dict.fromkeys("AB", "x")
    # Both show x to everybody, which is right on the second date and wrong on the first, which "new" has no lists of.
    row = compared(tables, [({"old": old}, hard), ({"old": old, "new": new}, easy)]).loc[("new", "old")]
    assert (row["difference"], row["dates"]) == (0, 1)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        # In order 0.01 * 3, 0.03 * 2, 0.04 * 1, the last raised to the one before it.
        ([0.01, 0.04, 0.03], [0.03, 0.06, 0.06]),
        # 0.4 * 3 and all that follow are at most 1.
        ([0.4, 0.5, 0.9], [1.0, 1.0, 1.0]),
        # 0.001 * 4, 0.02 * 3, 0.02 * 2 raised to 0.06, 0.5 * 1.
        ([0.5, 0.02, 0.001, 0.02], [0.5, 0.06, 0.004, 0.06]),
        ([0.04], [0.04]),
    ],
)
def test_holm_multiplies_from_the_smallest_and_never_lets_a_larger_one_overtake(
    given: list[float], expected: list[float]
) -> None:
    assert holm(pd.Series(given)) == pytest.approx(expected)


def test_holm_corrects_for_the_baselines_of_one_recommender_metric_and_k(tables: Tables) -> None:
    customers = "ABCDEF"
    lists = {"r": dict.fromkeys(customers, "x"), "s": {**dict.fromkeys(customers, "y"), "A": "x"}}
    lists["t"] = {**dict.fromkeys(customers, "x"), "A": "y"}
    rows = compared(tables, [(lists, dict.fromkeys(customers, "x"))]).loc["r"]
    # r leads s by 1 for five of six and t by 1 for one of six: t = 5/6 / sqrt(1/6/6) = 5 and 1/6 / sqrt(1/6/6) = 1.
    assert rows["effect_size"].tolist() == pytest.approx([5 / math.sqrt(6), 1 / math.sqrt(6)])
    assert rows.loc["s", "p_holm"] == pytest.approx(2 * rows.loc["s", "p_value"])
    assert rows.loc["t", "p_holm"] == pytest.approx(rows.loc["t", "p_value"])


def test_means_over_dates_leave_out_whom_nobody_judged() -> None:
    nan = np.nan
    # Two dates, one figure: (1 + 3) / 2 = 2 and 5, so 3.5.
    values = np.array([[[1.0], [nan]], [[3.0], [5.0]], [[nan], [nan]]])
    mean, low, high = mean_over_dates(values, resamples=300, seed=0)
    assert mean.tolist() == [3.5]
    assert low[0] <= 3.5 <= high[0]


def test_dates_are_taken_from_the_last_backwards_a_horizon_apart() -> None:
    weeks = [FIRST + timedelta(weeks=n) for n in range(10)]
    # 4 weeks are 28 days: the 10th, the 6th, the 2nd.
    assert apart(weeks, 28) == [weeks[1], weeks[5], weeks[9]]
    assert apart(weeks[::-1], 28) == [weeks[1], weeks[5], weeks[9]]


def test_dates_less_than_a_horizon_apart_are_never_both_taken() -> None:
    assert apart([FIRST, FIRST + timedelta(days=27)], 28) == [FIRST + timedelta(days=27)]
    assert apart([], 28) == []
