"""Errors of predicted ratings, and their laws: which ratings are asked about, the figures, and what the checks find."""

from collections.abc import Callable
from datetime import datetime, timedelta

import dagster as dg
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from cx_assets.evaluation import tables as declared
from cx_assets.evaluation.assets import rating_errors
from cx_assets.evaluation.config import EvaluationSettings
from cx_assets.evaluation.rating_checks import rating_errors_are_complete, rating_errors_are_possible
from cx_assets.evaluation.rating_errors import COLUMNS, error_rows, hold_back
from cx_assets.evaluation.split import Window
from cx_assets.recommendations.rating_prediction import DampedMeans, rating_predictors
from cx_assets.table import Table
from cx_assets_tests.evaluation.samples import shop_events

Tables = Callable[[pd.DataFrame], Table]
FIRST = datetime(2024, 3, 1)
WINDOW = Window(FIRST + timedelta(days=10), 10)
SETTINGS = EvaluationSettings(horizon_days=10, resamples=100)


def rated(*given: tuple[str, str, int, float | None]) -> pd.DataFrame:
    """Events (customer, item, day from 0, rating); without a rating it is a purchase."""
    frame = pd.DataFrame(given, columns=["customer_id", "item_id", "day", "rating"])
    frame["occurred_at"] = [FIRST + timedelta(days=int(day), hours=9) for day in frame["day"]]
    frame["day"] = frame["occurred_at"].dt.date
    frame["event_type"] = np.where(frame["rating"].notna(), "rating", "purchase")
    return frame.assign(rating=frame["rating"].astype("Float64"), quantity=1.0, value=0.0)


def library(customers: int = 12, items: int = 9, days: int = 20) -> pd.DataFrame:
    """Everybody rates everything, some day."""
    rng = np.random.default_rng(5)
    rows = [
        (f"c{c:02}", f"i{i}", int(rng.integers(days)), float(rng.integers(1, 6)))
        for c in range(customers)
        for i in range(items)
    ]
    return rated(*rows, ("c00", "tea", days - 1, None))


def made(tables: Tables, events: pd.DataFrame) -> pd.DataFrame:
    rows: pd.DataFrame = rating_errors(dg.build_asset_context(), tables(events), SETTINGS)
    return rows


def test_asked_are_new_pairs_of_customers_who_had_rated(tables: Tables) -> None:
    events = rated(
        ("ann", "x", 0, 5),
        ("ann", "x", 12, 1),  # rated again
        ("ann", "y", 12, 2),
        ("ann", "y", 13, 4),
        ("ann", "z", 20, 4),  # after the window
        ("bob", "x", 9, None),  # has history, but no rating to learn from
        ("bob", "y", 11, 3),
        ("cem", "y", 8, 1),
        ("cem", "new", 10, 0),
        ("cem", "x", 11, None),
    )
    held = hold_back(tables(events), WINDOW)
    assert held.asked.to_pylist() == [
        {"customer_id": "ann", "item_id": "y", "rating": 3},
        {"customer_id": "cem", "item_id": "new", "rating": 0},
    ]
    assert held.known.to_pylist() == [
        {"customer_id": "ann", "item_id": "x", "rating": 5},
        {"customer_id": "cem", "item_id": "y", "rating": 1},
    ]


def test_errors_are_those_by_hand(tables: Tables) -> None:
    events = rated(
        ("ann", "x", 0, 2), ("bob", "x", 0, 4), ("ann", "y", 11, 3), ("ann", "z", 11, 5), ("bob", "y", 11, 4)
    )
    rows = error_rows(hold_back(tables(events), WINDOW), [DampedMeans(False, False)], resamples=500, seed=0)
    # The mean is 3, so the errors are 0, -2 and -1; drawn alone, Ann has 0 and -2, Bob -1.
    assert rows.set_index("metric")["value"].to_dict() == pytest.approx({"rmse": np.sqrt(5 / 3), "mae": 1.0})
    assert rows[["ratings", "customers"]].to_numpy().tolist() == [[3, 2], [3, 2]]
    assert rows.loc[0, ["ci_low", "ci_high"]].tolist() == pytest.approx([1.0, np.sqrt(2)])


def test_a_clipped_prediction_cannot_leave_the_known_scale(tables: Tables) -> None:
    class Wild(DampedMeans):
        def predict(self, customers: NDArray[np.intp], items: NDArray[np.intp]) -> NDArray[np.float64]:
            return super().predict(customers, items) + 99

    events = rated(("ann", "x", 0, 2), ("bob", "x", 0, 4), ("ann", "y", 11, 3))
    rows = error_rows(hold_back(tables(events), WINDOW), [Wild()], resamples=100, seed=0)
    assert rows["value"].tolist() == [1, 1]


def test_what_happens_in_the_window_changes_no_prediction(tables: Tables) -> None:
    events = library()
    other = events.assign(rating=events["rating"].where(events["occurred_at"] < WINDOW.as_of, 1.0))
    known = [hold_back(tables(frame), WINDOW).known for frame in (events, other)]
    assert known[0].equals(known[1])


def test_the_asset_has_the_declared_columns_and_every_predictor(tables: Tables) -> None:
    rows = made(tables, library())
    assert sorted(rows.columns) == sorted(declared.RATING_ERRORS.column_names)
    named = {(one.name, metric) for one in rating_predictors() for metric in ("rmse", "mae")}
    assert set(zip(rows["predictor"], rows["metric"], strict=True)) == named
    assert set(rows["as_of"]) == {WINDOW.as_of}


def test_the_order_of_events_changes_nothing(tables: Tables) -> None:
    events = library()
    shuffled = events.sample(frac=1.0, random_state=3).reset_index(drop=True)
    pd.testing.assert_frame_equal(made(tables, events), made(tables, shuffled))


NOTHING_TO_PREDICT = {
    "no ratings": rated(("ann", "x", 0, None), ("ann", "y", 19, None)),
    "a shop of purchases": shop_events(4, 30),
    "no rating in the window": rated(("ann", "x", 0, 3), ("ann", "y", 19, None)),
    "none before it": rated(("ann", "x", 0, None), ("ann", "y", 19, 3)),
    "fewer days than the window": rated(("ann", "x", 0, 3), ("ann", "y", 1, 3)),
}


@pytest.mark.parametrize("events", NOTHING_TO_PREDICT.values(), ids=NOTHING_TO_PREDICT)
def test_with_nothing_to_predict_the_table_is_empty_and_keeps_its_laws(tables: Tables, events: pd.DataFrame) -> None:
    rows = made(tables, events)
    assert rows.empty
    assert set(rows.columns) == {*COLUMNS, "as_of", "horizon_days"}
    assert verdicts(tables, rows, events) == (True, True)


def verdicts(tables: Tables, rows: pd.DataFrame, events: pd.DataFrame) -> tuple[bool, bool]:
    """Whether the errors are possible, and whether they are complete."""
    typed = rows.astype({"as_of": "datetime64[us]", "ratings": "int64", "customers": "int64", "value": float})
    stored = tables(typed.astype({"ci_low": float, "ci_high": float, "predictor": "str", "metric": "str"}))
    possible = rating_errors_are_possible(stored, tables(events))
    complete = rating_errors_are_complete(stored, tables(events), SETTINGS)
    assert isinstance(possible, dg.AssetCheckResult)
    assert isinstance(complete, dg.AssetCheckResult)
    return possible.passed, complete.passed


def test_what_the_asset_makes_keeps_its_laws(tables: Tables) -> None:
    assert verdicts(tables, made(tables, library()), library()) == (True, True)


@pytest.mark.parametrize(
    "values",
    [
        {"value": float("nan")},
        {"value": float("inf"), "ci_high": float("inf")},
        {"value": -0.1, "ci_low": -0.2},
        {"ci_low": 3.0, "ci_high": 3.1},
        {"ci_high": 4.5},
        {"value": 0.1, "ci_low": 0.0},
        {"customers": 0},
        {"ratings": 1},
    ],
    ids=["nan", "infinite", "negative", "outside", "wider than the scale", "rmse below mae", "nobody", "too few"],
)
def test_an_error_that_cannot_be_is_found(tables: Tables, values: dict[str, float]) -> None:
    rows = made(tables, library())
    for name, value in values.items():
        rows.loc[0, name] = value
    assert rows.loc[0, "metric"] == "rmse"
    assert not verdicts(tables, rows, library())[0]


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows.drop(index=3),
        lambda rows: pd.concat([rows, rows.iloc[[3]]]),
        lambda rows: rows.loc[rows["predictor"] != "pearson_neighbours"],
        lambda rows: rows.loc[rows["metric"] != "mae"],
        lambda rows: rows.replace({"metric": {"mae": "mse"}}),
        lambda rows: rows.assign(ratings=rows["ratings"] + 1),
        lambda rows: rows.assign(customers=rows["customers"] - 1),
        lambda rows: rows.assign(as_of=rows["as_of"] - pd.Timedelta(days=1)),
        lambda rows: rows.iloc[:0],
    ],
    ids=["missing", "doubled", "no pearson", "no mae", "unknown", "other ratings", "other customers", "date", "empty"],
)
def test_errors_that_are_not_there_once_are_found(
    tables: Tables, change: Callable[[pd.DataFrame], pd.DataFrame]
) -> None:
    assert not verdicts(tables, change(made(tables, library())), library())[1]


def test_errors_where_there_was_nothing_to_predict_are_found(tables: Tables) -> None:
    rows = made(tables, library())
    assert verdicts(tables, rows, NOTHING_TO_PREDICT["no ratings"]) == (False, False)
