"""From judged lists to the rows of metrics and comparisons."""

from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from cx_assets.evaluation.beyond_accuracy import BEYOND_METRICS
from cx_assets.evaluation.figures import JudgedLists, comparison_rows, metric_rows
from cx_assets.evaluation.metrics import ACCURACY_METRICS

AS_OF = datetime(2024, 3, 1)
Row = tuple[str, str, str, int, list[str], list[bool]]

ROWS: list[Row] = [
    ("blend", "both", "a", 2, ["milk", "tea"], [True, True]),
    ("blend", "both", "b", 1, ["tea"], [True]),
    ("popularity", "both", "b", 1, ["milk", "bread"], [False, False]),
    ("popularity", "both", "a", 2, ["milk", "bread"], [True, False]),
    ("silent", "both", "a", 2, [], []),
    ("silent", "both", "b", 1, [], []),
]


def table_of(rows: list[Row], as_of: list[datetime] | None = None) -> pa.Table:
    columns = ["recommender", "list", "customer_id", "relevant", "items", "hits"]
    data: dict[str, Any] = {name: [row[i] for row in rows] for i, name in enumerate(columns)}
    schema = pa.schema(
        [
            *((name, pa.string()) for name in columns[:3]),
            *(("relevant", pa.int64()), ("items", pa.list_(pa.string())), ("hits", pa.list_(pa.bool_()))),
            *(("as_of", pa.timestamp("us")), ("horizon_days", pa.int32())),
        ]
    )
    return pa.table(data | {"as_of": as_of or [AS_OF] * len(rows), "horizon_days": [28] * len(rows)}, schema=schema)


def figures_of(rows: list[Row], ks: tuple[int, ...] = (1, 2)) -> pd.DataFrame:
    judged = JudgedLists.from_arrow(table_of(rows), depth=max(ks))
    had_by = pd.Series({"milk": 4, "bread": 2})
    return metric_rows(judged, ks, had_by=had_by, customers=4, catalogue=6, resamples=200, seed=0)


def value(frame: pd.DataFrame, recommender: str, metric: str, k: int) -> float:
    found = frame.query("recommender == @recommender and metric == @metric and k == @k")
    return float(found["value"].item())


def test_lists_of_unequal_length_in_any_order_become_arrays() -> None:
    judged = JudgedLists.from_arrow(table_of(ROWS[::-1]), depth=3)
    blend, popularity, silent = judged.lists
    assert (blend.recommender, popularity.recommender, silent.recommender) == ("blend", "popularity", "silent")
    assert blend.hit.tolist() == [[True, True, False], [True, False, False]]
    assert blend.relevant.tolist() == [2, 1]
    assert [judged.items[i] for i in blend.shown[0, :2]] == ["milk", "tea"]
    assert (blend.shown[1, 1:] == -1).all()
    assert (judged.as_of, judged.horizon_days) == (AS_OF, 28)


def test_the_figures_are_means_over_customers() -> None:
    frame = figures_of(ROWS)
    assert value(frame, "blend", "precision", 2) == pytest.approx((1 + 0.5) / 2)
    assert value(frame, "popularity", "recall", 2) == pytest.approx((0.5 + 0) / 2)
    assert value(frame, "blend", "coverage", 2) == pytest.approx(2 / 6)
    # milk is had by all (0 bits), tea by nobody (as by one of four: 2 bits): a sees (0 + 2) / 2, b sees 2
    assert value(frame, "blend", "novelty", 2) == pytest.approx(1.5)


def test_every_metric_is_there_once_and_novelty_not_for_who_shows_nothing() -> None:
    frame = figures_of(ROWS)
    assert not frame.duplicated(["recommender", "list", "metric", "k"]).any()
    assert set(frame.query("recommender == 'blend'")["metric"]) == {*ACCURACY_METRICS, *BEYOND_METRICS}
    assert set(frame.query("recommender == 'silent'")["metric"]) == {*ACCURACY_METRICS, "coverage"}
    assert (frame.query("recommender == 'silent'")["value"] == 0).all()


def test_every_interval_holds_its_figure() -> None:
    frame = figures_of(ROWS)
    assert (frame["ci_low"] <= frame["value"] + 1e-12).all()
    assert (frame["value"] <= frame["ci_high"] + 1e-12).all()


def test_a_difference_is_the_difference_of_the_figures() -> None:
    judged = JudgedLists.from_arrow(table_of(ROWS), depth=2)
    frame = comparison_rows(judged, (1, 2), recommender="blend", resamples=200, seed=0)
    metrics = figures_of(ROWS)
    assert set(frame["baseline"]) == {"popularity", "silent"}
    assert len(frame) == 2 * len(ACCURACY_METRICS) * 2
    for row in frame.itertuples():
        expected = value(metrics, "blend", row.metric, row.k) - value(metrics, row.baseline, row.metric, row.k)
        assert row.difference == pytest.approx(expected)


def test_lists_shorter_than_k_everywhere_are_still_judged_at_k() -> None:
    assert value(figures_of(ROWS, ks=(20,)), "blend", "precision", 20) == pytest.approx((2 / 20 + 1 / 20) / 2)


def test_no_list_gives_no_figure() -> None:
    assert figures_of([]).empty
    judged = JudgedLists.from_arrow(table_of([]), depth=2)
    assert comparison_rows(judged, (1,), recommender="blend", resamples=10, seed=0).empty


def test_recommenders_judged_on_other_customers_are_refused() -> None:
    with pytest.raises(ValueError, match="popularity was judged on other customers"):
        JudgedLists.from_arrow(table_of(ROWS[:3]), depth=2)


def test_lists_of_two_windows_are_refused() -> None:
    mixed = table_of(ROWS[:2], as_of=[AS_OF, datetime(2024, 4, 1)])
    with pytest.raises(ValueError, match="2 windows"):
        JudgedLists.from_arrow(mixed, depth=2)


def test_the_same_seed_gives_the_same_table() -> None:
    pd.testing.assert_frame_equal(figures_of(ROWS), figures_of(ROWS))


def test_all_recommenders_of_a_list_are_resampled_alike() -> None:
    twins = [(name, which, c, r, i, h) for name in ("one", "two") for _, which, c, r, i, h in ROWS[:2]]
    frame = figures_of(twins)
    one, two = (
        frame.query("recommender == @name")[["value", "ci_low", "ci_high"]].to_numpy() for name in ("one", "two")
    )
    assert np.array_equal(one, two)
