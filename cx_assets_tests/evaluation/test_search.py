"""Choosing settings on days before the test window, and nothing that lies later has a say in it."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pandas as pd
import pytest
from rich.console import Console
from threadpoolctl import threadpool_limits

from cx_assets.evaluation import search
from cx_assets.evaluation.config import EvaluationSettings
from cx_assets.evaluation.evidence_checks import (
    the_best_trial_is_chosen,
    the_days_of_a_search_end_before_the_test,
)
from cx_assets.evaluation.search_assets import SearchConfig, search_trials
from cx_assets.evaluation.tables import SEARCH_TRIALS
from cx_assets.evaluation.terminal import trials as trials_on_screen
from cx_assets.matrices.config import InteractionWeights
from cx_assets.recommendations.ranker import RankerSettings
from cx_assets.rules.config import RuleMining
from cx_assets.table import from_frame
from cx_assets_tests.futures import other_future
from cx_assets_tests.recommendations.staples import DAYS, START, staple_events, staple_items

pytestmark = pytest.mark.whole

HORIZON = 14
TEST_DAY = START + timedelta(days=DAYS - 2 * HORIZON)
SMALL = {"cuts": 1, "negatives": 0.5, "min_leaf": 20}
TRIALS = {
    "one tree": {**SMALL, "iterations": 1},
    "a few": {**SMALL, "iterations": 12},
    "a few again": {**SMALL, "iterations": 12},
    "other examples": {**SMALL, "negatives": 0.3, "iterations": 3},
}
KEY = ["as_of", "trial", "list"]


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Several threads wait for each other longer than they work on so little, above all beside other tests."""
    with threadpool_limits(1):
        yield


def searched(events: pd.DataFrame, context: Any = None, **config: Any) -> pd.DataFrame:
    """What the asset makes of some events."""
    asked = {"first_test_day": f"{TEST_DAY:%Y-%m-%d}", "cuts": 2, "trials": TRIALS} | config
    with duckdb.connect() as connection:
        rows = search_trials(
            context or dg.build_asset_context(),
            SearchConfig(**asked),
            events=from_frame(connection, events),
            items=from_frame(connection, staple_items()),
            evaluation_settings=EvaluationSettings(horizon_days=HORIZON, resamples=100),
            interaction_weights=InteractionWeights(),
            rule_mining=RuleMining(),
        )
    assert isinstance(rows, pd.DataFrame)
    return rows


@pytest.fixture(scope="module")
def events() -> pd.DataFrame:
    return staple_events()


@pytest.fixture(scope="module")
def found(events: pd.DataFrame) -> pd.DataFrame:
    return searched(events)


def test_every_trial_is_judged_on_every_cut_and_list_and_has_their_mean(found: pd.DataFrame) -> None:
    assert sorted(found.columns) == sorted(SEARCH_TRIALS.column_names)
    cuts = [pd.Timestamp(TEST_DAY - timedelta(days=HORIZON * n)) for n in (2, 1)]
    lists = ("repeat", "discovery", "both")
    assert set(found[KEY].dropna().itertuples(index=False, name=None)) == {
        (cut, trial, which) for cut in cuts for trial in TRIALS for which in lists
    }
    means = found[found["as_of"].isna()].set_index(["trial", "list"])["ndcg"]
    by_cut = found[found["as_of"].notna()].groupby(["trial", "list"])["ndcg"].mean()
    assert means.to_dict() == pytest.approx(by_cut.to_dict())
    assert found["ndcg"].between(0, 1).all()


def test_trials_that_differ_in_more_than_the_trees_learn_from_examples_of_their_own(events: pd.DataFrame) -> None:
    few = {**SMALL, "iterations": 5}
    trials = {"plain": few, "alike": {**few, "balance": 1.0}}
    both = searched(events, cuts=1, trials=trials)
    alone = searched(events, cuts=1, trials={"alike": trials["alike"]})
    own = both[both["trial"] == "alike"]
    assert own["ndcg"].tolist() == alone["ndcg"].tolist()


def test_the_settings_are_told_in_full(found: pd.DataFrame) -> None:
    told = json.loads(found.loc[found["trial"] == "a few", "settings"].iloc[0])
    assert told["iterations"] == 12
    assert set(told) == set(RankerSettings.__dataclass_fields__)
    assert told["horizon"] == "Days(number=14)"


def test_the_trial_with_the_highest_sum_is_chosen_and_of_equals_the_first(found: pd.DataFrame) -> None:
    means = found[found["as_of"].isna()].set_index(["trial", "list"])["ndcg"]
    sums = {name: means[name, "both"] + means[name, "discovery"] for name in TRIALS}
    assert sums["a few"] == sums["a few again"]
    assert set(found.loc[found["chosen"], "trial"]) == {max(sums, key=lambda name: sums[name])}


def test_of_equals_the_first_is_best_whatever_repeats_say() -> None:
    rows = [("b", "both", 0.4), ("b", "discovery", 0.1), ("a", "both", 0.3), ("a", "discovery", 0.2)]
    means = pd.DataFrame([*rows, ("a", "repeat", 0.9)], columns=["trial", "list", "ndcg"])
    assert search.best(means, ["a", "b"]) == "a"
    assert search.best(means, ["b", "a"]) == "b"


@pytest.mark.parametrize("how", ["deleted", "permuted"])
def test_nothing_that_happens_in_the_test_window_changes_any_row(
    events: pd.DataFrame, found: pd.DataFrame, how: str
) -> None:
    other = other_future(events, TEST_DAY, how)
    assert not other.equals(events)
    pd.testing.assert_frame_equal(searched(other), found)


def test_what_happens_before_the_test_window_does_change_them(events: pd.DataFrame, found: pd.DataFrame) -> None:
    # The comparison above would be worth nothing if the rows were the same whatever happens.
    other = other_future(events, TEST_DAY - timedelta(days=7), "deleted")
    assert not searched(other).equals(found)


def test_a_cut_whose_horizon_reaches_into_the_test_window_is_refused(events: pd.DataFrame) -> None:
    late = TEST_DAY - timedelta(days=HORIZON - 1)
    with pytest.raises(dg.Failure) as refused:
        searched(events, validation_dates=[f"{late:%Y-%m-%d}"])
    assert str(refused.value.description) == (
        f"the validation cut {late:%Y-%m-%d} can't be used: its horizon of 14 days ends on "
        f"{TEST_DAY + timedelta(days=1):%Y-%m-%d}, within the test window, which begins on {TEST_DAY:%Y-%m-%d}. "
        f"Choose cuts up to {TEST_DAY - timedelta(days=HORIZON):%Y-%m-%d}."
    )


@pytest.mark.parametrize(
    ("config", "complaint"),
    [
        ({"trials": {}}, "there is nothing to try"),
        ({"trials": {"x": {"moons": 3}}}, "trial 'x': 'moons' is no setting of the ranker that a trial may change"),
        ({"trials": {"x": {"horizon": 3}}}, "'horizon' is no setting"),
        ({"first_test_day": "monday"}, "Invalid isoformat string: 'monday'"),
        ({"cuts": 40}, "no event lies before the validation cut"),
    ],
)
def test_what_can_not_be_tried_is_refused_with_a_reason(
    events: pd.DataFrame, config: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(dg.Failure) as refused:
        searched(events, **config)
    assert complaint in str(refused.value.description)


def test_the_test_window_is_the_last_five_horizons_from_a_monday_on() -> None:
    assert search.first_test_day(datetime(2018, 1, 1), 28) == datetime(2017, 8, 14)
    # 140 days before a Wednesday are a Wednesday; the window begins with the Monday before it.
    assert search.first_test_day(datetime(2018, 1, 3), 28) == datetime(2017, 8, 14)
    windows = search.validation_windows(datetime(2017, 8, 14), 28, 3)
    assert [f"{window.as_of:%m-%d}" for window in windows] == ["05-22", "06-19", "07-17"]
    assert windows[-1].end == datetime(2017, 8, 14)


def test_every_trial_that_ships_is_one_of_settings_that_there_are() -> None:
    base = RankerSettings()
    settings = search.tried(base, search.DEFAULT_TRIALS)
    assert settings["as it is"] == base
    assert len({search.as_json(one) for one in settings.values()}) == len(search.DEFAULT_TRIALS)
    assert isinstance(search.tried(base, {"x": {"l2": 3}})["x"].l2, float)


def test_seconds_are_told_beside_the_table_and_each_trial_in_the_log(events: pd.DataFrame) -> None:
    context = dg.build_asset_context()
    searched(events, context, cuts=1, trials={"one tree": TRIALS["one tree"]})
    told = context.get_output_metadata("result")
    assert told is not None
    assert "seconds" in told["trials"].value
    assert told["cuts"] == f"{TEST_DAY - timedelta(days=HORIZON):%Y-%m-%d}"


def test_the_trials_are_shown_with_the_chosen_one_marked(found: pd.DataFrame, tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "working.duckdb")) as connection:
        connection.execute("create schema evaluation")
        connection.execute(SEARCH_TRIALS.ddl())
        connection.register("given", found)
        connection.execute(f"insert into {SEARCH_TRIALS.qualified} by name select * from given")
    output = StringIO()
    Console(file=output, width=120).print(trials_on_screen(tmp_path / "working.duckdb"))
    shown = output.getvalue()
    assert f"mean of 2 cuts before {TEST_DAY:%Y-%m-%d}" in shown
    assert shown.count("(chosen)") == 1
    assert all(name in shown for name in TRIALS)


# The laws

Verdict = Callable[[Any, pd.DataFrame], dg.AssetCheckResult]


@pytest.fixture
def verdict(tables: Any) -> Verdict:
    return lambda check, rows: check(search_trials=tables(rows))


def test_a_search_keeps_its_laws(verdict: Verdict, found: pd.DataFrame) -> None:
    for check in (the_best_trial_is_chosen, the_days_of_a_search_end_before_the_test):
        told = verdict(check, found)
        assert told.passed, told.description


def test_a_cut_within_the_test_window_is_found(verdict: Verdict, found: pd.DataFrame) -> None:
    earlier = pd.Timestamp(TEST_DAY - timedelta(days=1))
    assert not verdict(the_days_of_a_search_end_before_the_test, found.assign(first_test_day=earlier)).passed


def worst(rows: pd.DataFrame) -> str:
    means = rows[rows["as_of"].isna() & rows["list"].isin(search.CRITERION)]
    return str(means.groupby("trial")["ndcg"].sum().idxmin())


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda rows: rows.assign(chosen=True), "one trial is to be chosen"),
        (lambda rows: rows.assign(chosen=False), "one trial is to be chosen"),
        (lambda rows: rows.assign(chosen=rows["trial"] == worst(rows)), "better than"),
        (lambda rows: rows.drop(index=rows.index[0]), "not judged on every cut and list"),
        (lambda rows: rows.assign(ndcg=rows["ndcg"].where(rows["as_of"].isna(), 0.0)), "another mean on both"),
    ],
)
def test_a_choice_that_is_none_is_found(
    verdict: Verdict, found: pd.DataFrame, change: Callable[[pd.DataFrame], pd.DataFrame], problem: str
) -> None:
    told = verdict(the_best_trial_is_chosen, change(found))
    assert not told.passed
    assert problem in str(told.metadata["examples"].value)
