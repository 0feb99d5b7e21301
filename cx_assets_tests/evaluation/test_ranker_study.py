"""What the ranker is without each of its parts, on a shop with a rhythm, and the laws of the study's table."""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import dagster as dg
import duckdb
import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_limits

from cx_assets.evaluation.evidence_checks import (
    sources_find_no_more_than_all_of_them,
    the_study_is_complete,
)
from cx_assets.evaluation.feature_groups import GROUPS, grouped
from cx_assets.evaluation.figures import JudgedLists
from cx_assets.evaluation.judging import judge, training_before
from cx_assets.evaluation.metrics import accuracy
from cx_assets.evaluation.ranker_study import (
    ALL_SOURCES,
    COLUMNS,
    FULL,
    HAD_BEFORE,
    OTHER_SEED,
    SEEDS,
    candidate_rows,
    learnt_without,
    parts_of,
    quicker,
    study,
)
from cx_assets.evaluation.shortlists import Shortlists, ndcg_of, shortlists
from cx_assets.evaluation.split import Window, truth
from cx_assets.matrices.interactions import EventWeights
from cx_assets.recommendations.examples import ByKind
from cx_assets.recommendations.features import SOURCES, FeatureMaker
from cx_assets.recommendations.ranker import Ranker, RankerSettings, learnt
from cx_assets.recommendations.rewind import Days
from cx_assets.rules.mining import RuleSettings
from cx_assets.table import Table, from_frame
from cx_assets_tests.recommendations.staples import DAYS, START, staple_events, staple_items

pytestmark = pytest.mark.whole

WINDOW = Window(START + timedelta(days=DAYS - 14), 14)
SETTINGS = RankerSettings(horizon=Days(14), cuts=2, negatives=0.5, iterations=8, min_leaf=20)
LISTS = {"repeat", "discovery", "both"}


@dataclass(frozen=True)
class Made:
    given: Shortlists
    events: pd.DataFrame
    rows: pd.DataFrame
    log: list[str]

    def row(self, kind: str, which: str, name: str, measure: str) -> pd.Series:
        own = self.rows[(self.rows["kind"] == kind) & (self.rows["list"] == which)]
        (found,) = [row for _, row in own[(own["name"] == name) & (own["measure"] == measure)].iterrows()]
        return found


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Several threads wait for each other longer than they work on so little, above all beside other tests."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="module")
def made() -> Made:
    events, items, log = staple_events(), staple_items(), list[str]()
    with duckdb.connect() as connection:
        table = from_frame(connection, events)
        training = training_before(table, items, WINDOW, EventWeights(), RuleSettings(0.02, 2, 2))
        given = shortlists(training, truth(table, from_frame(connection, items), WINDOW), WINDOW)
    rows = study(given, SETTINGS, resamples=100, seed=0, log=log.append)
    return Made(given, events, rows, log)


@pytest.fixture(scope="module")
def examples(made: Made) -> ByKind:
    return Ranker(SETTINGS).examples(made.given.training)


@pytest.fixture(scope="module")
def full(made: Made, examples: ByKind) -> Ranker:
    return Ranker(SETTINGS).learn(made.given.training, made.given.maker, examples)


def test_lists_of_candidates_that_are_made_once_are_those_of_the_ranker_itself(made: Made, full: Ranker) -> None:
    given = made.given
    ranker = Ranker(SETTINGS).fit(given.training)
    own = JudgedLists.from_arrow(judge([ranker], given.training, given.pairs, given.window, depth=10).rows, 10).lists
    found = ndcg_of(given, map(full.probabilities, given.blocks))
    assert set(found) == LISTS
    for one in own:
        assert np.array_equal(found[one.which], accuracy(one.hit, one.relevant, [10])["ndcg", 10])


def test_the_candidates_of_a_source_are_counted_and_what_they_find(made: Made) -> None:
    # Two new items of each source, so that sources differ and nobody proposes everything.
    maker = FeatureMaker(made.given.training, 2)
    few = replace(made.given, maker=maker, blocks=[maker.candidates(made.given.customers)])
    told = {
        (name, measure): value
        for _, which, name, measure, value, *_ in candidate_rows(few, resamples=100, seed=0)
        if which == "discovery"
    }
    past, later = (made.events[made.events["occurred_at"] < WINDOW.as_of], made.events)
    had = set(zip(past["customer_id"], past["item_id"], strict=True))
    taken = {pair for pair in zip(later["customer_id"], later["item_id"], strict=True) if pair[1] != "i25"} - had
    judged = sorted({customer for customer, _ in taken})
    index, (block,) = made.given.training.interactions, few.blocks
    pairs = [(str(index.customers[c]), str(index.items[i])) for c, i in zip(block.customer, block.item, strict=True)]

    def share(found: set[tuple[str, str]]) -> float:
        own = [(sum(c == one for c, _ in taken & found), sum(c == one for c, _ in taken)) for one in judged]
        return float(np.mean([hits / all_of_them for hits, all_of_them in own]))

    proposed = {s: {pairs[row] for row in np.flatnonzero(block.sources[:, n])} for n, s in enumerate(SOURCES)}
    everything = set[tuple[str, str]]().union(*proposed.values())
    assert 0 < share(everything) < 1
    assert told[ALL_SOURCES, "recall"] == pytest.approx(share(everything))
    for source in SOURCES:
        others = set[tuple[str, str]]().union(*(proposed[other] for other in SOURCES if other != source))
        shown = len([pair for pair in proposed[source] if pair[0] in judged]) / len(judged)
        assert told[source, "candidates"] == pytest.approx(shown)
        assert told[source, "recall"] == pytest.approx(share(proposed[source]))
        assert told[source, "lost"] == pytest.approx(share(everything) - share(others))
    assert max(told[source, "lost"] for source in SOURCES) > 0


def test_what_all_sources_find_is_at_least_what_each_finds_and_all_that_was_had_is_a_candidate(made: Made) -> None:
    together = made.row("candidates", "discovery", ALL_SOURCES, "recall")["value"]
    for source in SOURCES:
        recall, lost = (made.row("candidates", "discovery", source, name)["value"] for name in ("recall", "lost"))
        assert 0 <= lost <= recall <= together <= 1
    assert made.row("candidates", "repeat", HAD_BEFORE, "recall")["value"] == 1


def test_the_full_ranker_is_the_mean_of_seeds_and_what_a_part_adds_is_its_lead(
    made: Made, examples: ByKind, full: Ranker
) -> None:
    given = made.given

    def ndcg(models: dict[bool, Any]) -> dict[str, np.ndarray]:
        ranker = copy.copy(full)
        ranker.models_ = {**full.models_, **models}
        return ndcg_of(given, map(ranker.probabilities, given.blocks))

    seeds = [replace(SETTINGS, seed=SETTINGS.seed + number) for number in range(SEEDS)]
    models = [{had: learnt(some, had, one) for had, some in examples.items()} for one in seeds]
    names = given.blocks[0].names
    own_history = [names.index(name) for name in grouped(names)["own history"]]
    blind = learnt_without(examples[True], True, own_history, SETTINGS)
    whole, half = [ndcg(own) for own in models], [ndcg({True: own[True]}) for own in models]
    without = ndcg({True: blind})
    for which in LISTS:
        mean = np.mean([one[which].mean() for one in whole])
        assert made.row("ablation", which, FULL, "ndcg")["value"] == pytest.approx(mean)
        # Of new items nothing is known that the customer did with them: that model is the first seed's throughout.
        mean = np.mean([one[which].mean() for one in half])
        added = made.row("ablation", which, "features: own history", "added")
        assert added["value"] == pytest.approx(mean - without[which].mean())
        assert added["ci_low"] <= added["value"] <= added["ci_high"]


def test_a_source_changes_nothing_of_items_had_before_so_their_list_is_not_asked(made: Made) -> None:
    ablation = made.rows[made.rows["kind"] == "ablation"]
    assert set(ablation.loc[ablation["name"].str.startswith("source: "), "list"]) == {"discovery", "both"}
    assert set(ablation.loc[ablation["name"] == OTHER_SEED, "list"]) == LISTS


def test_without_a_source_its_score_is_not_looked_at_and_the_model_of_items_had_before_is_the_same(
    made: Made, examples: ByKind, full: Ranker
) -> None:
    part = parts_of(made.given, full)[0]
    assert part.name == "source: ease"
    assert [SOURCES[place] for place in part.sources or ()] == [source for source in SOURCES if source != "ease"]
    assert part.touched == (False,)
    model = learnt_without(examples[False], False, part.columns, SETTINGS)
    (place,) = part.columns
    assert made.given.blocks[0].names[place] == "ease"
    assert model is not None
    assert full.models_[False] is not None
    assert place in full.models_[False].columns
    assert place not in model.columns


def test_what_is_not_offered_stands_in_no_list(made: Made) -> None:
    given = made.given
    perfect = [np.ones(len(block.item), dtype=np.float32) for block in given.blocks]
    nothing = ndcg_of(given, [np.full_like(scores, np.nan) for scores in perfect])
    assert set(nothing) == LISTS
    assert not any(values.any() for values in nothing.values())
    no_new = [np.where(block.had, s, np.float32(np.nan)) for block, s in zip(given.blocks, perfect, strict=True)]
    some, every = ndcg_of(given, no_new), ndcg_of(given, perfect)
    assert not some["discovery"].any()
    assert every["discovery"].any()
    assert np.array_equal(some["repeat"], every["repeat"])


def test_a_group_that_a_model_never_looked_at_leaves_it_as_it_is(made: Made, full: Ranker) -> None:
    touched = {part.name: set(part.touched) for part in parts_of(made.given, full)}
    assert touched["features: own history"] == {True}
    assert touched["features: item"] == {True, False}


def test_the_study_learns_from_fewer_dates_in_fewer_trees_that_count_for_more() -> None:
    found = quicker(RankerSettings(cuts=4, iterations=300, learning_rate=0.05))
    assert (found.cuts, found.iterations, found.learning_rate) == (2, 50, pytest.approx(0.3))
    assert quicker(SETTINGS) == SETTINGS


def test_a_model_is_blind_to_what_is_left_out_and_sees_the_rest(made: Made, examples: ByKind) -> None:
    names = made.given.blocks[0].names
    own = grouped(names)["own history"] + grouped(names)["due"]
    model = learnt_without(examples[True], True, [names.index(name) for name in own], SETTINGS)
    assert model is not None
    assert not {names[column] for column in model.columns} & set(own)
    everything = learnt_without(examples[True], True, [], SETTINGS)
    assert everything is not None
    assert set(model.columns) == set(everything.columns) - {names.index(name) for name in own}


def test_each_fit_is_told_with_its_seconds(made: Made) -> None:
    assert len(made.log) == 3 + len(SOURCES) + len(GROUPS)
    assert made.log[1].startswith("full, 4 seeds, after ")


def test_where_nobody_can_be_judged_there_is_no_row(made: Made) -> None:
    empty = shortlists(made.given.training, made.given.pairs.head(0), WINDOW)
    rows = study(empty, SETTINGS, resamples=100, seed=0, log=print)
    assert rows.empty
    assert rows.columns.tolist() == COLUMNS


# The laws

Verdict = Callable[[Any, pd.DataFrame], dg.AssetCheckResult]


@pytest.fixture
def verdict(tables: Callable[[pd.DataFrame], Table]) -> Verdict:
    lists = pd.DataFrame({"as_of": pd.Series([WINDOW.as_of, WINDOW.as_of - timedelta(7)], dtype="datetime64[us]")})

    def judged(check: Any, rows: pd.DataFrame) -> dg.AssetCheckResult:
        given = {"backtest_lists": tables(lists)} if check is the_study_is_complete else {}
        found = check(ranker_study=tables(rows), **given)
        assert isinstance(found, dg.AssetCheckResult)
        return found

    return judged


@pytest.fixture
def stored(made: Made) -> pd.DataFrame:
    return made.rows.assign(as_of=np.datetime64(WINDOW.as_of, "us"), version="7")


def test_the_study_keeps_its_laws(verdict: Verdict, stored: pd.DataFrame) -> None:
    for check in (sources_find_no_more_than_all_of_them, the_study_is_complete):
        found = verdict(check, stored)
        assert found.passed, found.description


@pytest.mark.parametrize(
    ("name", "measure", "value"),
    [("ease", "recall", 1.2), (ALL_SOURCES, "recall", 0.0), ("ease", "lost", 1.1), (ALL_SOURCES, "candidates", 1.0)],
)
def test_a_source_that_finds_more_than_all_together_is_found(
    verdict: Verdict, stored: pd.DataFrame, name: str, measure: str, value: float
) -> None:
    at = (stored["name"] == name) & (stored["measure"] == measure)
    assert at.sum() == 1
    stored.loc[at, "value"] = value
    assert not verdict(sources_find_no_more_than_all_of_them, stored).passed


@pytest.mark.parametrize("left", ["name == 'ease'", "name == 'features: due'", "name == 'full' and list == 'both'"])
def test_a_part_that_is_missing_is_missed(verdict: Verdict, stored: pd.DataFrame, left: str) -> None:
    assert not verdict(the_study_is_complete, stored.query(f"not ({left})")).passed


@pytest.mark.parametrize("change", [{"value": 1.5, "ci_high": 2.0}, {"value": -1.0}, {"ci_high": np.nan}])
def test_a_figure_that_can_not_be_is_found(verdict: Verdict, stored: pd.DataFrame, change: dict[str, float]) -> None:
    at = (stored["name"] == "features: due") & (stored["list"] == "both")
    stored.loc[at, list(change)] = list(change.values())
    assert "1 of" in str(verdict(the_study_is_complete, stored).description)


def test_a_study_of_another_date_is_found(verdict: Verdict, stored: pd.DataFrame) -> None:
    other = stored.assign(as_of=np.datetime64(WINDOW.as_of - timedelta(7), "us"))
    assert not verdict(the_study_is_complete, other).passed
