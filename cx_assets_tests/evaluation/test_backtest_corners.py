"""The backtest's figures where there is little or nothing to judge."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pandas as pd
import pytest

from cx_assets.evaluation.backtest_assets import comparisons_of, metrics_of
from cx_assets.evaluation.backtest_figures import judged
from cx_assets.evaluation.backtest_judging import Judging, non_overlapping
from cx_assets.evaluation.config import EvaluationSettings
from cx_assets.evaluation.split import Window, next_basket_truth
from cx_assets.evaluation.tables import BACKTEST_COMPARISONS, BACKTEST_LISTS, BACKTEST_METRICS, LAST_BASKET_LISTS
from cx_assets.matrices.config import InteractionWeights
from cx_assets.table import Table
from cx_assets_tests.evaluation.samples import shop_items
from cx_assets_tests.recommendations.samples import events_of, items_of

Tables = Callable[[pd.DataFrame], Table]
SETTINGS = EvaluationSettings(resamples=100)
DATE = datetime(2024, 3, 4)

# Two customers who buy every week, up to the Sunday before the date and, for a while, after it.
BEFORE = [(c, i, f"{DATE - timedelta(days=n):%Y-%m-%d}") for c in "AB" for n in (1, 8, 15) for i in ("i00", "i01")]
AFTER = [(c, i, f"{DATE + timedelta(days=n):%Y-%m-%d}") for c in "AB" for n in (1, 8) for i in ("i00", "i02")]


def lists_as_of(*dates: datetime, recommenders: tuple[str, ...] = ("ease", "ranker")) -> pd.DataFrame:
    rows = [
        (date, recommender, which, customer, 1, "i00" if recommender == "ease" else "i01", 1.0, "7")
        for date in dates
        for recommender in recommenders
        for which in ("repeat", "both")
        for customer in "AB"
    ]
    frame = pd.DataFrame(rows, columns=BACKTEST_LISTS.column_names)
    kinds = {c.name: "str" for c in BACKTEST_LISTS.columns if c.type == "varchar"}
    return frame.astype(kinds | {"as_of": "datetime64[us]", "rank": "int32", "score": "float32"})


def made(tables: Tables, lists: pd.DataFrame, events: list[tuple[str, ...]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Metrics and comparisons."""
    last_basket = tables(lists[LAST_BASKET_LISTS.column_names].iloc[:0])
    given = Judging(
        tables(lists),
        last_basket,
        tables(events_of(events)),
        tables(shop_items(5)),
        SETTINGS,
        InteractionWeights(),
    )
    return metrics_of(given), comparisons_of(given)


def columns_of(rows: pd.DataFrame) -> list[str]:
    """Those of the frame, and the version that the assets add."""
    return sorted([*rows.columns, "version"])


def test_one_date_has_figures_and_leads_of_the_declared_columns(tables: Tables) -> None:
    metrics, comparisons = made(tables, lists_as_of(DATE), BEFORE + AFTER)
    assert columns_of(metrics) == sorted(BACKTEST_METRICS.column_names)
    assert columns_of(comparisons) == sorted(BACKTEST_COMPARISONS.column_names)
    own = metrics[(metrics["metric"] == "hit_rate") & (metrics["k"] == 5) & (metrics["list"] == "repeat")]
    overall = own[own["as_of"].isna() & (own["cohort"] == "all") & (own["protocol"] == "horizon")]
    # Both took i00 again, which ease shows and ranker doesn't.
    assert dict(zip(overall["recommender"], overall["value"], strict=True)) == {"ease": 1, "ranker": 0}


def test_a_single_recommender_has_nobody_to_be_compared_with(tables: Tables) -> None:
    _, comparisons = made(tables, lists_as_of(DATE, recommenders=("ease",)), BEFORE + AFTER)
    assert columns_of(comparisons) == sorted(BACKTEST_COMPARISONS.column_names)
    assert comparisons.empty


def test_a_date_on_which_nobody_took_anything_has_no_figure(tables: Tables) -> None:
    later = DATE + timedelta(days=56)
    metrics, _ = made(tables, lists_as_of(DATE, later), BEFORE + AFTER)
    assert set(metrics["as_of"].dropna()) == {pd.Timestamp(DATE)}


def test_no_lists_give_empty_tables(tables: Tables) -> None:
    metrics, comparisons = made(tables, lists_as_of(), BEFORE + AFTER)
    assert columns_of(metrics) == sorted(BACKTEST_METRICS.column_names)
    assert columns_of(comparisons) == sorted(BACKTEST_COMPARISONS.column_names)
    assert metrics.empty
    assert comparisons.empty


def test_dates_do_not_overlap_either_after_one_on_which_nobody_took_anything(tables: Tables) -> None:
    pairs = pd.DataFrame({"customer_id": ["A"], "item_id": ["i00"], "had_before": [True], "has_history": [True]})
    dates = [
        judged(
            tables(lists_as_of(DATE)),
            pairs.iloc[: 0 if week == 0 else 1],
            as_of=DATE + timedelta(weeks=week),
            horizon_days=28,
            depth=20,
        )
        for week in range(4)
    ]
    # The last three are a week apart, their horizons four.
    assert [one.as_of for one in non_overlapping(dates)] == [DATE + timedelta(weeks=3)]


@pytest.mark.parametrize("kind", ["view", "cart"])
def test_a_shop_without_purchases_is_judged_on_every_event(tables: Tables, kind: str) -> None:
    events = [(*event, kind) for event in BEFORE + AFTER]
    metrics, _ = made(tables, lists_as_of(DATE), events)
    assert (metrics.loc[metrics["metric"] == "hit_rate", "value"] == 1).any()


def test_the_next_basket_is_the_first_in_which_something_is_taken(tables: Tables) -> None:
    events = [("A", "x", "2024-03-01"), ("A", "y", "2024-03-05", "view"), ("A", "x", "2024-03-06")]
    found = next_basket_truth(tables(events_of(events)), tables(items_of("xy")), Window(DATE, 28))
    assert found["item_id"].tolist() == ["x"]
