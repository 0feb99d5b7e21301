"""The published lists of a shop that is old enough for the ranker."""

from collections.abc import Iterator
from datetime import timedelta

import duckdb
import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_limits

from cx_assets.matrices.interactions import EventWeights
from cx_assets.recommendations.features import SOURCES
from cx_assets.recommendations.filters import Filters
from cx_assets.recommendations.lists import PublishedLists, published_lists
from cx_assets.recommendations.ranker import Ranker, RankerSettings
from cx_assets.recommendations.ranker_reasons import RankerReasons
from cx_assets.recommendations.recommender import Training, build_training
from cx_assets.recommendations.rewind import Days
from cx_assets.table import from_frame
from cx_assets_tests.recommendations.staples import START, staple_events, staple_items

AS_OF = START + timedelta(days=180)
PLACES = 8
NOTHING_POPULAR = pd.DataFrame({"segment": [], "rank": [], "item_id": [], "customers": []})


@pytest.fixture(scope="module")
def training() -> Iterator[Training]:
    events = staple_events()
    events = events[events["occurred_at"] < AS_OF]
    own = events["customer_id"] == "c000"
    last = events.loc[own, "basket_id"].iloc[-1]
    events = events[~own | (events["basket_id"] == last)]
    with duckdb.connect() as connection:
        yield build_training(
            from_frame(connection, events),
            staple_items(),
            as_of=AS_OF,
            weights=EventWeights(),
            customers=np.array(["newcomer"], dtype=object),
        )


@pytest.fixture(scope="module")
def ranker(training: Training) -> Ranker:
    with threadpool_limits(1):
        return Ranker(RankerSettings(horizon=Days(7), cuts=3, iterations=30, min_leaf=40)).fit(training)


def made(training: Training, ranker: Ranker, filters: Filters | None = None) -> PublishedLists:
    return published_lists(training, ranker, NOTHING_POPULAR, {}, filters, PLACES)


@pytest.fixture(scope="module")
def rows(training: Training, ranker: Ranker) -> pd.DataFrame:
    return made(training, ranker).rows.to_pandas()


def test_the_composed_list_is_the_best_of_the_two(rows: pd.DataFrame) -> None:
    halves = rows[rows["list"] != "both"].sort_values(["customer_id", "score"], ascending=[True, False])
    best = halves.groupby("customer_id")["score"].head(PLACES)
    both = rows[rows["list"] == "both"].sort_values(["customer_id", "rank"])["score"]
    assert both.to_numpy() == pytest.approx(best.to_numpy())


def test_the_composed_list_has_the_share_of_new_items_that_is_asked_for(training: Training, ranker: Ranker) -> None:
    found = made(training, ranker, Filters(min_new=3))
    rows = found.rows.to_pandas()
    new = rows[rows["list"] == "discovery"][["customer_id", "item_id"]].assign(new=True)
    both = rows[rows["list"] == "both"].merge(new, on=["customer_id", "item_id"], how="left")
    assert (both.groupby("customer_id")["new"].count() >= 3).all()
    assert found.gave_way > 0


def test_no_category_takes_more_places_than_it_may(training: Training, ranker: Ranker) -> None:
    found = made(training, ranker, Filters(per_category=2))
    rows = found.rows.to_pandas().merge(training.items[["item_id", "category"]], on="item_id")
    ranked = rows[rows["recommender"].str.startswith("ranker")]
    assert ranked.groupby(["customer_id", "list", "category"]).size().max() == 2
    assert found.capped > 0


def test_a_repeat_says_when_it_is_due_and_what_is_new_does_not(rows: pd.DataFrame) -> None:
    assert rows[rows["list"] == "repeat"]["due_on"].notna().mean() > 0.9
    assert rows[rows["list"] == "discovery"]["due_on"].isna().all()


def test_customers_of_whom_little_is_known_are_named_so(rows: pd.DataFrame) -> None:
    by = rows.groupby("customer_id")["recommender"].unique().map(set)
    assert by["c000"] == {"ranker_1_to_2_baskets"}
    assert by["c001"] == {"ranker"}
    assert by["newcomer"] == {"catalogue"}


def test_every_reason_tells_of_something_real(rows: pd.DataFrame) -> None:
    assert (rows["reason"].str.len() > 0).all()
    repeat = rows[rows["list"] == "repeat"]["reason"]
    assert repeat.str.match(r"(bought|seen) (once|twice|\d+ times)").all()
    discovery = rows[(rows["list"] == "discovery") & rows["recommender"].str.startswith("ranker")]["reason"]
    assert not discovery.str.contains(r"because you bought $|by 0 ", regex=True).any()


def test_every_source_has_words(training: Training, ranker: Ranker) -> None:
    found = ranker.features_.candidates(np.arange(10), before=False)
    reasons = RankerReasons(training, ranker.features_)
    for place, source in enumerate(SOURCES):
        pairs = np.flatnonzero(found.strength[:, place] > 0)[:5]
        said = reasons.discovery(np.full(len(pairs), place), found.customer[pairs], found.item[pairs])
        assert len(pairs) == 0 or all(isinstance(one, str) and one for one in said), source
    assert (found.strength > 0).any(axis=0).sum() >= 5


def test_neighbours_in_the_same_store_are_counted(training: Training, ranker: Ranker) -> None:
    store = SOURCES.index("store")
    found = ranker.features_.candidates(np.array([5]), before=False)
    item = int(found.item[found.strength[:, store].argmax()])
    own = training.history.chosen(training.history.customer == 5).store[0]
    near = training.history.chosen((training.history.store == own) & (training.history.age_days <= 28))
    expected = len(np.unique(near.customer[near.item == item]))
    reasons = RankerReasons(training, ranker.features_)
    said = reasons.discovery(np.array([store]), np.array([5]), np.array([item]))[0]
    assert said == f"bought by {expected} customer{'' if expected == 1 else 's'} of the same store in the last 28 days"
