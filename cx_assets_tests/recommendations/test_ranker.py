"""The ranker on a shop with a rhythm: staples every 7 or 14 days, and what is popular now and then."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import duckdb
import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_limits

from cx_assets.matrices.interactions import EventWeights
from cx_assets.recommendations.blend import Blend
from cx_assets.recommendations.ranker import Ranker, RankerSettings
from cx_assets.recommendations.ranking import rank
from cx_assets.recommendations.recommender import Training, build_training
from cx_assets.recommendations.rewind import Baskets, Days
from cx_assets.recommendations.sparse import at
from cx_assets.table import from_frame
from cx_assets_tests.recommendations.samples import listed, trained
from cx_assets_tests.recommendations.staples import (
    CUSTOMERS,
    START,
    rhythm,
    staple_events,
    staple_items,
    staples,
)

AS_OF = START + timedelta(days=180)
SETTINGS = RankerSettings(horizon=Days(7), cuts=4, iterations=60, min_leaf=40)
EVERYONE = np.arange(CUSTOMERS)


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Several threads wait for each other longer than they work on so little, above all beside other tests."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="module")
def events() -> pd.DataFrame:
    return staple_events()


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        yield opened


def training_at(connection: duckdb.DuckDBPyConnection, events: pd.DataFrame, as_of: datetime) -> Training:
    return build_training(from_frame(connection, events), staple_items(), as_of=as_of, weights=EventWeights())


@pytest.fixture(scope="module")
def training(connection: duckdb.DuckDBPyConnection, events: pd.DataFrame) -> Training:
    return training_at(connection, events, AS_OF)


@pytest.fixture(scope="module")
def fitted(training: Training) -> Ranker:
    return Ranker(SETTINGS).fit(training)


def test_scores_are_probabilities_of_candidates_that_may_be_recommended(fitted: Ranker, training: Training) -> None:
    scores = fitted.score(EVERYONE)
    assert scores.shape == training.shape
    assert (scores.data >= 0).all()
    assert (scores.data <= 1).all()
    assert scores.data.max() > 0.5
    assert training.recommendable[scores.indices].all()


def test_probabilities_add_up_to_about_what_is_taken(training: Training, events: pd.DataFrame) -> None:
    # Smaller trees: larger ones learn the drawn examples of sixty customers by heart, and foresee more for all others.
    fitted = Ranker(replace(SETTINGS, iterations=30, leaves=3)).fit(training)
    end = AS_OF + timedelta(days=7)
    later = events[(events["occurred_at"] >= AS_OF) & (events["occurred_at"] < end)]
    took = later[["customer_id", "item_id"]].drop_duplicates()
    foreseen = float(fitted.score(EVERYONE).data.sum())
    # Drawing the examples that weren't taken must not change how likely they are.
    assert 0.8 * len(took) < foreseen < 1.25 * len(took)


def last_days(events: pd.DataFrame, customer: int, item: int) -> int:
    """Days since a customer's last purchase of an item."""
    own = events[
        (events["customer_id"] == f"c{customer:03d}")
        & (events["item_id"] == f"i{item:02d}")
        & (events["occurred_at"] < AS_OF)
    ]
    return (AS_OF.date() - own["day"].max()).days


def test_what_is_due_within_the_week_ranks_above_what_was_just_bought(
    fitted: Ranker, training: Training, events: pd.DataFrame
) -> None:
    index = training.interactions
    higher = []
    for customer in (c for c in range(CUSTOMERS) if rhythm(c) == 14):
        by_age = sorted(staples(customer), key=lambda item: last_days(events, customer, item))
        just_bought, due = by_age
        # The younger was bought at most four days ago, so comes again in ten at the earliest, give or take one.
        if last_days(events, customer, just_bought) <= 4:
            row = index.customer_positions([f"c{customer:03d}"])
            items = index.item_positions([f"i{item:02d}" for item in (due, just_bought)])
            one, other = at(fitted.score(row), np.zeros(2, dtype=int), items)
            higher.append(one > other)
    assert len(higher) > 10
    assert all(higher)


def test_everybodys_repeats_begin_with_their_staples(fitted: Ranker, training: Training) -> None:
    lists = listed(rank(fitted, training, EVERYONE, "repeat", 2), training)
    weekly = [c for c in range(CUSTOMERS) if rhythm(c) == 7]
    right = [set(lists[f"c{c:03d}"]) == {f"i{item:02d}" for item in staples(c)} for c in weekly]
    assert np.mean(right) > 0.95


def test_the_same_input_gives_the_same_lists_to_the_bit(fitted: Ranker, training: Training) -> None:
    again = Ranker(SETTINGS).fit(training)
    one, other = (rank(ranker, training, EVERYONE, "both", 20) for ranker in (fitted, again))
    for name in ("customer", "rank", "item", "score"):
        assert getattr(one, name).tobytes() == getattr(other, name).tobytes()


def test_lists_do_not_depend_on_who_else_is_asked_for(fitted: Ranker, training: Training) -> None:
    whole = listed(rank(fitted, training, EVERYONE, "both", 20), training)
    parts = listed(rank(fitted, training, EVERYONE, "both", 20, block=7), training)
    assert whole == parts


def test_a_training_too_short_to_learn_from_is_ranked_by_the_blend(
    connection: duckdb.DuckDBPyConnection, events: pd.DataFrame
) -> None:
    training = training_at(connection, events, START + timedelta(days=20))
    fitted = Ranker(replace(SETTINGS, horizon=Days(28))).fit(training)
    ranked = rank(fitted, training, EVERYONE, "both", 20)
    assert listed(ranked, training) == listed(rank(Blend().fit(training), training, EVERYONE, "both", 20), training)
    assert 0 < ranked.score.min() <= ranked.score.max() < 1


def test_a_horizon_of_one_basket_is_learnt_too(training: Training) -> None:
    fitted = Ranker(replace(SETTINGS, horizon=Baskets(), cuts=2, iterations=20)).fit(training)
    scores = fitted.score(EVERYONE)
    assert 0.2 < scores.data.max() <= 1


def test_a_customer_without_a_history_is_offered_what_is_popular(
    connection: duckdb.DuckDBPyConnection, events: pd.DataFrame
) -> None:
    training = build_training(
        from_frame(connection, events),
        staple_items(),
        as_of=AS_OF,
        weights=EventWeights(),
        customers=np.array(["new"], dtype=object),
    )
    fitted = Ranker(replace(SETTINGS, cuts=1, iterations=5)).fit(training)
    new = training.interactions.customer_positions(["new"])
    assert fitted.score(new).nnz > 0
    assert np.isfinite(fitted.score(new).data).all()


def test_a_shop_in_which_every_item_is_rare_is_ranked_too(tables) -> None:
    training = trained(tables)
    scores = Ranker(SETTINGS).fit(training).score(np.arange(3))
    assert scores.nnz == training.counts.nnz
