"""Laws of scoring missing-value policies and of choosing one."""

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score, roc_auc_score

from cx_assets.evaluation.imputation import ColumnScores, macro_f1, score_column
from cx_assets.evaluation.imputation_choice import choose
from cx_assets.evaluation.missingness import area, foretold
from cx_assets.sections import Attribute

pytestmark = pytest.mark.whole

ROWS = 400


def scored(columns: dict[str, Any], column: str, **declared: dict[str, Any]) -> ColumnScores:
    size = len(next(iter(columns.values())))
    frame = pd.DataFrame({"customer_id": [f"c{i:04}" for i in range(size)], "has_events": True, **columns})
    attributes = {name: Attribute.model_validate({"expression": name, **declared.get(name, {})}) for name in columns}
    return score_column(frame, attributes, column, key="customer_id")


def gappy(values: Any, missing: Any) -> list[Any]:
    """Values with null where they are missing."""
    return [None if gap else value for value, gap in zip(values, missing, strict=True)]


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(11)


def test_a_forest_is_recommended_where_another_column_foretells_the_value(random: np.random.Generator) -> None:
    town = random.choice(["a", "b", "c", "d"], ROWS)
    region = np.where(random.random(ROWS) < 0.9, np.char.upper(town), "A")
    found = scored({"region": gappy(region, np.arange(ROWS) % 4 == 0), "town": town}, "region")
    choice = choose(found)
    assert choice.policy.policy == "predict"
    assert choice.reason == "Surely better than mode, and nothing does better."
    assert found.scores["predict"].figures["accuracy"].low > 0.8 > found.scores["mode"].figures["accuracy"].high


def test_a_forest_is_not_recommended_where_what_it_would_go_by_is_missing_with_the_value(
    random: np.random.Generator,
) -> None:
    town = random.choice(["a", "a", "a", "b", "c"], ROWS)
    gaps = np.arange(ROWS) % 4 == 0
    found = scored({"region": gappy(np.char.upper(town), gaps), "town": gappy(town, gaps)}, "region")
    assert found.scores["predict"].figures["accuracy"].value <= found.scores["mode"].figures["accuracy"].value
    assert choose(found).policy.policy == "mode"


def test_where_nothing_beats_the_mode_it_is_said(random: np.random.Generator) -> None:
    plan = random.choice(["basic", "gold"], ROWS, p=[0.8, 0.2])
    found = scored({"plan": gappy(plan, random.random(ROWS) < 0.2), "noise": random.choice(list("xyz"), ROWS)}, "plan")
    choice = choose(found)
    assert choice.policy.policy == "mode"
    assert choice.reason.startswith("Nothing beats the mode")


def test_a_value_that_would_mostly_be_wrong_is_better_called_unknown(random: np.random.Generator) -> None:
    colour = random.choice(["red", "blue", "green"], ROWS, p=[0.4, 0.35, 0.25])
    choice = choose(scored({"colour": gappy(colour, random.random(ROWS) < 0.2)}, "colour"))
    assert (choice.policy.policy, choice.policy.value) == ("constant", "unknown")
    assert re.fullmatch(
        "mode scores best, but [56][0-9] of 100 values that mode fills in would be wrong: 'unknown' claims nothing\\.",
        choice.reason,
    )


def test_the_reason_to_call_a_value_unknown_is_told_of_the_policy_that_scores_best(
    random: np.random.Generator,
) -> None:
    town = random.choice(["a", "b", "c", "d"], ROWS)
    colour = np.where(random.random(ROWS) < 0.3, np.char.upper(town), random.choice(list("ABCD"), ROWS))
    found = scored({"colour": gappy(colour, np.arange(ROWS) % 5 == 0), "town": town}, "colour")
    accuracy = {name: score.figures["accuracy"].value for name, score in found.scores.items()}
    assert 0.5 > accuracy["predict"] > accuracy["mode"] > accuracy["constant"] == 0
    choice = choose(found)
    wrong = f"{100 * (1 - accuracy['predict']):.0f} of 100 values that predict fills in would be wrong"
    assert (choice.policy.policy, choice.policy.value) == ("constant", "unknown")
    assert choice.reason == f"predict scores best, but {wrong}: 'unknown' claims nothing."


def test_that_a_simpler_policy_is_not_surely_worse_than_the_best_is_said_of_these_two(
    random: np.random.Generator,
) -> None:
    found = scored({"colour": gappy(random.choice(list("abc"), 60), np.arange(60) % 5 == 0),
        "noise": random.choice(list("xyz"), 60)}, "colour")  # fmt: skip
    mode, predict = found.scores["mode"], found.scores["predict"]
    ahead = replace(predict, loss=np.where(np.arange(found.held_out) == np.argmax(mode.loss), 0.0, mode.loss))
    choice = choose(replace(found, scores={**found.scores, "predict": ahead}))
    assert choice.policy.policy == "constant"
    assert choice.reason.startswith("predict scores best and mode is simpler and not surely worse, but ")


def test_of_skewed_numbers_the_median_is_off_by_its_own_spread_and_the_mean_by_more(
    random: np.random.Generator,
) -> None:
    price = random.lognormal(2, 1.2, ROWS)
    found = scored({"price": gappy(price, random.random(ROWS) < 0.1)}, "price", price={"type": "double",
        "missing": {"policy": "mean"}})  # fmt: skip
    assert found.scores["median"].figures["mae"].value == pytest.approx(1, abs=0.01)
    assert found.scores["mean"].figures["rmse"].value == pytest.approx(1, abs=0.01)
    assert found.scores["mean"].figures["mae"].value > 1.1
    choice = choose(found)
    assert choice.policy.policy == "median"
    assert choice.reason == "There is nothing to learn a prediction from, and nothing simpler beats the median."


def test_the_constant_of_numbers_is_scored_only_where_the_manifest_has_one(random: np.random.Generator) -> None:
    age = gappy(random.integers(20, 60, ROWS).astype(float), np.arange(ROWS) % 10 == 0)
    zero = {"type": "double", "missing": {"policy": "constant", "value": 0}}
    median = {"type": "double", "missing": {"policy": "median"}}
    assert list(scored({"age": age}, "age", age=zero).scores) == ["constant", "median", "mean", "mode", "predict"]
    assert list(scored({"age": age}, "age", age=median).scores) == ["median", "mean", "mode", "predict"]


def test_with_too_few_known_values_the_present_policy_is_kept() -> None:
    choice = choose(scored({"plan": ["a"] * 29 + [None]}, "plan"))
    assert choice.policy.policy == "constant"
    assert choice.reason == "29 known values are too few to judge by (30)."


def test_the_same_seed_gives_the_same_scores_in_any_order_of_rows(random: np.random.Generator) -> None:
    age, size = random.integers(20, 60, ROWS).astype(float), random.choice(["s", "l"], ROWS)
    frame = pd.DataFrame({"customer_id": [f"c{i:04}" for i in range(ROWS)], "has_events": True, "size": size})
    frame["age"] = np.where(np.arange(ROWS) % 5 == 0, np.nan, age)
    attributes = {
        "size": Attribute(expression="size"),
        "age": Attribute.model_validate({"expression": "age", "type": "double", "missing": {"policy": "mean"}}),
    }
    one, other = (
        score_column(rows, attributes, "age", key="customer_id")
        for rows in (frame, frame.sample(frac=1.0, random_state=3))
    )
    for policy, score in one.scores.items():
        assert score.figures == other.scores[policy].figures


PAIRS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=40)


@settings(max_examples=50)
@given(PAIRS)
def test_macro_f1_is_that_of_scikit_learn_over_the_true_categories(pairs: list[tuple[int, int]]) -> None:
    true, filled = np.array(pairs).T
    expected = f1_score(true, filled, labels=np.unique(true), average="macro", zero_division=0)
    assert macro_f1(true, filled, 5) == pytest.approx(expected)


SCORED = st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=4, max_size=60)


@settings(max_examples=50)
@given(SCORED)
def test_the_area_is_that_of_scikit_learn_and_inside_its_interval(rows: list[tuple[int, bool]]) -> None:
    scores, positive = np.array([r[0] for r in rows], dtype=float), np.array([r[1] for r in rows])
    if 2 <= positive.sum() <= len(rows) - 2:
        found = area(scores, positive)
        assert found.value == pytest.approx(roc_auc_score(positive, scores))
        assert 0 <= found.low <= found.value + 1e-8
        assert found.value - 1e-8 <= found.high <= 1


def test_the_interval_of_an_area_holds_the_true_one_as_often_as_it_says() -> None:
    """Two normals a standard deviation apart: the area is the normal distribution at 1 / sqrt 2, 0.7602."""
    random = np.random.default_rng(4)
    held = 0
    for _ in range(300):
        scores = np.concatenate([random.normal(1, 1, 60), random.normal(0, 1, 80)])
        found = area(scores, np.arange(140) < 60)
        held += found.low <= 0.7602 <= found.high
    assert 0.91 <= held / 300 <= 0.98


def test_activity_foretells_gaps_that_only_the_quiet_have_and_not_those_of_chance(random: np.random.Generator) -> None:
    events = random.integers(0, 50, ROWS)
    known = pd.DataFrame({"events": events})
    quiet = foretold(known, events + random.normal(0, 5, ROWS) < 15)
    chance = foretold(known, random.random(ROWS) < 0.3)
    assert quiet is not None
    assert quiet.notable
    assert chance is not None
    assert not chance.notable
