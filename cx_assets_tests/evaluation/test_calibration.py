"""What of each probability is taken, on places few enough to count, and the laws of the table."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import dagster as dg
import numpy as np
import pandas as pd
import pytest

from cx_assets.evaluation.calibration import (
    COLUMNS,
    Scored,
    calibration_rows,
    dates_apart,
    expected_error,
    scored_places,
)
from cx_assets.evaluation.config import EvaluationSettings
from cx_assets.evaluation.evidence_assets import calibration
from cx_assets.evaluation.evidence_checks import bins_hold_every_place, probabilities_are_possible
from cx_assets.evaluation.split import Window
from cx_assets.evaluation.tables import BACKTEST_LISTS, CALIBRATION
from cx_assets.table import Table
from cx_assets_tests.recommendations.samples import events_of, items_of

Tables = Callable[[pd.DataFrame], Table]
DATE = datetime(2024, 3, 4)
SETTINGS = EvaluationSettings(resamples=100)


def scored(scores: list[float], taken: list[int], customers: str | None = None) -> Scored:
    ids = list(customers or "A" * len(scores))
    return Scored(np.array(ids, dtype=object), np.array(scores), np.array(taken, dtype=bool))


def bins(*dates: Scored) -> pd.DataFrame:
    return calibration_rows([{"repeat": one} for one in dates], resamples=100, seed=0)


def test_the_bins_of_a_list_hold_equally_many_places_and_tell_what_was_foreseen_and_what_was_taken() -> None:
    # Twenty places of 0.01 to 0.20: of each two neighbours the higher one was taken, but of the lowest two none.
    found = bins(scored([n / 100 for n in range(1, 21)], [0, 0] + [0, 1] * 9))
    assert found["bin"].tolist() == list(range(1, 11))
    assert found["places"].tolist() == [2] * 10
    assert found["predicted"].tolist() == pytest.approx([0.015 + 0.02 * n for n in range(10)])
    assert found["taken"].tolist() == [0.0] + [0.5] * 9
    assert (found["lowest"].iloc[0], found["highest"].iloc[-1]) == (0.01, 0.2)


def test_places_of_equal_scores_are_in_one_bin() -> None:
    found = bins(scored([0.1] * 15 + [0.3] * 5, [0, 0, 1] * 5 + [1] * 5))
    assert found["places"].tolist() == [15, 5]
    assert found["taken"].tolist() == pytest.approx([1 / 3, 1])


def test_dates_are_pooled_and_a_customer_of_both_counts_once() -> None:
    found = bins(scored([0.1, 0.1], [0, 1], "AB"), scored([0.1, 0.1], [0, 0], "AC"))
    row = found.iloc[0]
    assert (row["places"], row["taken"], row["customers"], row["dates"]) == (4, 0.25, 3, 2)


def test_the_expected_error_is_the_mean_gap_over_places() -> None:
    # 15 places of 0.1 of which a third was taken, and 5 of 0.3 which all were.
    rows = bins(scored([0.1] * 15 + [0.3] * 5, [0, 0, 1] * 5 + [1] * 5))
    assert expected_error(rows) == pytest.approx((15 * (1 / 3 - 0.1) + 5 * 0.7) / 20)
    assert np.isnan(expected_error(rows.head(0)))


def test_the_interval_draws_customers_with_all_their_places() -> None:
    one = bins(scored([0.5] * 8, [1, 0] * 4))
    assert (one["ci_low"].iloc[0], one["ci_high"].iloc[0]) == (0.5, 0.5)
    # Two customers, one of whom took all: a draw has one of them, the other, or both.
    two = bins(scored([0.5] * 8, [1] * 4 + [0] * 4, "AAAABBBB"))
    assert (two["ci_low"].iloc[0], two["taken"].iloc[0], two["ci_high"].iloc[0]) == (0, 0.5, 1)


def test_scores_that_are_the_probabilities_have_hardly_an_error() -> None:
    random = np.random.default_rng(0)
    scores = random.beta(1, 4, size=50_000)
    rows = bins(scored(scores.tolist(), (random.random(50_000) < scores).tolist()))
    assert expected_error(rows) < 0.01
    assert expected_error(bins(scored((scores / 2).tolist(), (random.random(50_000) < scores).tolist()))) > 0.08


BEFORE = [(c, i, "2024-03-01") for c in "AB" for i in "xy"]
AFTER = [("A", "x", "2024-03-05"), ("A", "z", "2024-03-31"), ("A", "y", "2024-04-02")]


def lists(*dates: datetime) -> pd.DataFrame:
    """Places of everybody by the ranker and by another, on some dates."""
    rows = [
        (date, recommender, "repeat", customer, rank, item, score, "7")
        for date in dates
        for recommender in ("ranker", "ease")
        for customer in "AB"
        for rank, (item, score) in enumerate((("x", 0.75), ("y", 0.25)), start=1)
    ]
    frame = pd.DataFrame(rows, columns=BACKTEST_LISTS.column_names)
    kinds = {c.name: "str" for c in BACKTEST_LISTS.columns if c.type == "varchar"}
    return frame.astype(kinds | {"as_of": "datetime64[us]", "rank": "int32", "score": "float32"})


def test_places_of_customers_who_took_nothing_count_and_what_came_after_the_horizon_does_not(tables: Tables) -> None:
    events, items = tables(events_of(BEFORE + AFTER)), tables(items_of("xyz"))
    found = scored_places(tables(lists(DATE)), events, items, Window(DATE, 28), "ranker")["repeat"]
    assert found.customer.tolist() == ["A", "A", "B", "B"]
    assert found.score.tolist() == [0.75, 0.25, 0.75, 0.25]
    assert found.taken.tolist() == [True, False, False, False]


def made(tables: Tables, *dates: datetime) -> pd.DataFrame:
    events, items = tables(events_of(BEFORE + AFTER)), tables(items_of("xyz"))
    rows = calibration(dg.build_asset_context(), tables(lists(*dates)), events, items, SETTINGS)
    assert isinstance(rows, pd.DataFrame)
    return rows


def test_the_asset_goes_over_the_dates_whose_horizons_do_not_overlap(tables: Tables) -> None:
    earlier = [DATE - timedelta(days=days) for days in (28, 7)]
    assert dates_apart(tables(lists(*earlier, DATE)), "ranker", 28) == [earlier[0], DATE]
    rows = made(tables, *earlier, DATE)
    assert sorted(rows.columns) == sorted(CALIBRATION.column_names) == sorted(COLUMNS)
    assert (rows["dates"] == 2).all()
    assert rows["places"].sum() == 8


def test_without_lists_the_table_has_its_columns_and_no_row(tables: Tables) -> None:
    rows = made(tables)
    assert rows.empty
    assert rows.columns.tolist() == COLUMNS


def holds(tables: Tables, rows: pd.DataFrame) -> bool:
    return bool(probabilities_are_possible(tables(rows)).passed)


def add_up(tables: Tables, rows: pd.DataFrame) -> Any:
    return bins_hold_every_place(tables(rows), tables(lists(DATE)), SETTINGS)


def test_what_the_asset_makes_keeps_its_laws(tables: Tables) -> None:
    rows = made(tables, DATE)
    assert holds(tables, rows)
    assert add_up(tables, rows).passed


@pytest.mark.parametrize(
    ("column", "value"),
    [("highest", 1.5), ("lowest", -0.1), ("predicted", 0.9), ("taken", 1.01), ("ci_low", np.nan), ("bin", 4)],
)
def test_a_bin_that_can_not_be_is_found(tables: Tables, column: str, value: float) -> None:
    rows = made(tables, DATE)
    rows[column] = rows[column].where(rows.index != len(rows) - 1, value)
    assert not holds(tables, rows)


def test_a_place_that_is_in_no_bin_is_missed(tables: Tables) -> None:
    rows = made(tables, DATE)
    broken = add_up(tables, rows.assign(places=rows["places"] - 1))
    assert not broken.passed
    assert "1 of 1 lists have other places than their bins" in broken.description
    assert not add_up(tables, rows.head(0)).passed
