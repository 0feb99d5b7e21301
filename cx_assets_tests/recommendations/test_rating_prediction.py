"""Predicted ratings, against cases by hand and a plain loop over dense arrays."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from numpy.typing import NDArray

import cx_assets
from cx_assets.matrices.interactions import EventWeights
from cx_assets.recommendations import rating_prediction
from cx_assets.recommendations.catalogue import contenders, recommenders
from cx_assets.recommendations.rating_prediction import (
    DampedMeans,
    PearsonNeighbours,
    Ratings,
    damped,
    rating_predictors,
)
from cx_assets.recommendations.recommender import build_training
from cx_assets.recommendations.rewind import Days
from cx_assets.table import Table

FOUR = {
    "Ann": {"x": 5, "y": 1},
    "Bob": {"x": 4, "y": 2, "z": 5},
    "Cem": {"x": 1, "y": 5, "z": 1},
    "Dee": {"x": 5, "y": 1, "z": 3},
}


def ratings(given: dict[str, dict[str, float]]) -> Ratings:
    rows = [(who, item, float(stars)) for who, those in given.items() for item, stars in those.items()]
    names = ("customer_id", "item_id", "rating")
    return Ratings.from_arrow(pa.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))))


def positions(*numbers: int) -> NDArray[np.intp]:
    return np.array(numbers, dtype=np.intp)


def test_a_prediction_is_the_own_mean_and_what_positive_neighbours_add_to_theirs() -> None:
    # Ann's mean is 3. Bob correlates by 4 / (sqrt(8) * sqrt(42 / 9)) and has z 4/3 above his mean; Dee correlates by 1
    # and has it at her mean; Cem's correlation is negative.
    bob = 4 / (np.sqrt(8) * np.sqrt(42 / 9))
    found = PearsonNeighbours().fit(ratings(FOUR)).predict(positions(0), positions(2))
    assert found == pytest.approx([3 + bob * (4 / 3) / (bob + 1)], abs=1e-6)
    assert found == pytest.approx([3.527526], abs=1e-5)


def test_damped_means_are_those_by_hand() -> None:
    known = ratings({"Ann": {"x": 5, "y": 3}, "Bob": {"x": 4}})
    x, y = 1 / 27, -1 / 26
    ann, bob = ((1 - x) + (-1 - y)) / 12, (0 - x) / 11
    asked = positions(0, 1, -1, 0), positions(0, 1, 0, -1)
    expected = {
        "global_mean": [4, 4, 4, 4],
        "item_mean": [4 + x, 4 + y, 4 + x, 4],
        "customer_mean": [4, 4, 4, 4],
        "biases": [4 + x + ann, 4 + y + bob, 4 + x, 4 + ann],
    }
    found = {one.name: one.fit(known).predict(*asked).tolist() for one in rating_predictors()[:4]}
    assert found == {name: pytest.approx(values) for name, values in expected.items()}


def test_a_customers_mean_is_drawn_to_that_of_all() -> None:
    known = ratings({"Ann": {"x": 5}, "Bob": {"x": 1, "y": 3}})
    found = DampedMeans(by_item=False).fit(known).predict(positions(0, 1), positions(0, 0))
    assert found == pytest.approx([3 + 2 / 11, 3 - 2 / 12])


def by_definition(values: NDArray[np.float64], k: int, customer: int, item: int) -> float:
    """One prediction, entry by entry; NaN is no rating, and no two correlations are equal."""
    rated = ~np.isnan(values)
    means = np.nanmean(values, axis=1)
    correlations = []
    for other in range(len(values)):
        shared = rated[customer] & rated[other]
        if other != customer and shared.sum() >= 2:
            a, b = values[customer] - means[customer], values[other] - means[other]
            lengths = np.sqrt(np.nansum(a**2) * np.nansum(b**2))
            correlations.append((float(np.sum((a * b)[shared]) / lengths), other))
    near = [(s, n) for s, n in sorted(correlations, reverse=True)[:k] if s > 0 and rated[n, item]]
    if not near:
        mean = np.nanmean(values)
        return float(mean + np.nansum(values[customer] - mean) / (10 + rated[customer].sum()))
    above = sum(s * (values[n, item] - means[n]) for s, n in near) / sum(s for s, _ in near)
    return float(means[customer] + above)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("k", [1, 4, 30])
def test_predictions_are_those_of_the_definition(seed: int, k: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(seed)
    values = np.where(rng.random((17, 12)) < 0.4, rng.uniform(1, 5, (17, 12)), np.nan)
    values[:, 0] = rng.uniform(1, 5, 17)  # nobody is without a rating
    customer, item = np.nonzero(~np.isnan(values))
    customers, items = (np.array([f"{i:02}" for i in range(size)], dtype=object) for size in values.shape)
    known = Ratings(customers, items, customer, item, values[customer, item])
    asked = rng.permutation(17 * 12)
    monkeypatch.setattr(rating_prediction, "BLOCK", 3)
    found = PearsonNeighbours(k).fit(known).predict(asked // 12, asked % 12)
    wanted = [by_definition(values, k, a // 12, a % 12) for a in asked.tolist()]
    np.testing.assert_allclose(found, wanted, atol=1e-5)


@pytest.mark.parametrize("predictor", rating_predictors(), ids=lambda one: one.name)
def test_a_scale_that_starts_at_0_is_predicted_like_any_other(predictor: rating_prediction.RatingPredictor) -> None:
    lower = {who: {item: stars - 1 for item, stars in those.items()} for who, those in FOUR.items()}
    asked = np.repeat(np.arange(4), 3), np.tile(np.arange(3), 4)
    usual = predictor.fit(ratings(FOUR)).predict(*asked)
    np.testing.assert_allclose(predictor.fit(ratings(lower)).predict(*asked), usual - 1, atol=1e-6)


def test_without_a_neighbour_who_rated_the_item_it_is_the_customers_damped_mean() -> None:
    known = ratings({**FOUR, "Eve": {"w": 2}})
    asked = positions(0, 4, -1, 0), positions(0, 1, 0, -1)  # only Eve rated w; Eve, nobody and nothing have neighbours
    found = PearsonNeighbours().fit(known).predict(*asked)
    np.testing.assert_array_equal(found, DampedMeans(by_item=False).fit(known).predict(*asked))


def test_predictions_are_clipped_to_the_ratings_that_are_known() -> None:
    known = ratings({"Ann": {"x": 2, "y": 4}})
    assert known.clipped(np.array([1.0, 3.0, 5.0])).tolist() == [2, 3, 4]


def test_neighbours_are_those_that_the_lists_are_made_by(tables: Callable[[pd.DataFrame], Table]) -> None:
    rng = np.random.default_rng(3)
    pairs = [(c, i) for c in range(30) for i in range(20) if rng.random() < 0.5]
    events = pd.DataFrame(pairs, columns=["customer", "item"]).assign(
        customer_id=lambda f: "c" + f["customer"].astype(str),
        item_id=lambda f: "i" + f["item"].astype(str),
        event_id=[f"e{n}" for n in range(len(pairs))],
        rating=rng.integers(1, 6, len(pairs)).astype(float),
        occurred_at=datetime(2024, 3, 1),
        event_type="rating",
        basket_id="b",
        quantity=1.0,
        value=0.0,
        store_id="s",
    )
    events["day"] = events["occurred_at"].dt.date
    items = pd.DataFrame({"item_id": [f"i{i}" for i in range(20)], "name": "film", "category": "all"})
    items["recommendable"] = True
    training = build_training(tables(events), items, as_of=datetime(2024, 3, 2), weights=EventWeights())
    known = Ratings.from_arrow(pa.Table.from_pandas(events[["customer_id", "item_id", "rating"]]))
    of_lists = training.similarities.customers("pearson").maximum(0).toarray()
    np.testing.assert_allclose(PearsonNeighbours().fit(known).near_.toarray(), of_lists, atol=1e-6)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_rating_that_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="1 ratings are not finite numbers"):
        ratings({"Ann": {"x": value, "y": 2}})


def test_nothing_to_learn_from_is_refused() -> None:
    none = pa.table({name: pa.array([], pa.string()) for name in ("customer_id", "item_id")})
    with pytest.raises(ValueError, match="no rating to learn from"):
        Ratings.from_arrow(none.append_column("rating", pa.array([], pa.float64())))


def test_no_damping_is_refused() -> None:
    with pytest.raises(ValueError, match="damping must be above 0"):
        damped(np.ones(1), positions(0), 1, 0.0)


def test_nothing_ranks_by_a_predicted_rating() -> None:
    offered = {one.name for one in [*recommenders(), *contenders(Days(28))]}
    assert offered.isdisjoint(one.name for one in rating_predictors())
    assert not [one for one in rating_predictors() if hasattr(one, "score")]
    root = Path(cx_assets.__file__).parent
    readers = {
        path.relative_to(root).as_posix()
        for path in root.rglob("*.py")
        if "rating_prediction import" in path.read_text("utf-8")
    }
    assert readers == {"evaluation/assets.py", "evaluation/rating_checks.py", "evaluation/rating_errors.py"}
