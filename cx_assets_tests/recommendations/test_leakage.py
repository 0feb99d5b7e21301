"""No recommender sees anything at or after the as-of date, and one that does is caught."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Self

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

from cx_assets.evaluation.backtest import list_rows
from cx_assets.evaluation.judging import training_before
from cx_assets.evaluation.split import Window
from cx_assets.matrices.interactions import EventWeights
from cx_assets.recommendations.catalogue import contenders
from cx_assets.recommendations.recommender import Recommender, Training
from cx_assets.recommendations.rewind import Days
from cx_assets.rules.mining import RuleSettings
from cx_assets.table import from_frame
from cx_assets_tests.futures import other_future
from cx_assets_tests.recommendations.staples import DAYS, START, staple_events, staple_items

HORIZON = 28
AS_OF = START + timedelta(days=DAYS - HORIZON)
RULES = RuleSettings(min_support=0.01, max_size=2, min_customers=2, fdr=0.5)
NAMES = [one.name for one in contenders(Days(HORIZON))]
CHANGES = ("deleted", "permuted")


@dataclass(frozen=True)
class Shop:
    """What happened, and what may be learnt of it."""

    events: pd.DataFrame
    training: Training


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Several threads wait for each other longer than they work on so little, above all beside other tests."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="module")
def shops() -> Iterator[dict[str, Shop]]:
    """The shop as it was, with each other future, and with its events in another order."""
    whole = staple_events()
    frames = {"whole": whole, **{how: other_future(whole, AS_OF, how) for how in CHANGES}}
    frames["reordered"] = whole.sample(frac=1.0, random_state=3).reset_index(drop=True)
    with duckdb.connect() as connection:
        yield {
            how: Shop(
                events,
                training_before(
                    from_frame(connection, events), staple_items(), Window(AS_OF, HORIZON), EventWeights(), RULES
                ),
            )
            for how, events in frames.items()
        }


def lists_of(make: Callable[[Shop], Recommender], shop: Shop) -> pa.Table:
    """All lists of all customers."""
    everyone = np.arange(shop.training.shape[0])
    return list_rows(make(shop).fit(shop.training), shop.training, everyone, version="1")


def differing(
    make: Callable[[Shop], Recommender], shops: dict[str, Shop], changes: Sequence[str] = CHANGES
) -> list[str]:
    """The changes of the events that change any list in any bit."""
    whole = lists_of(make, shops["whole"])
    assert whole.num_rows > 0
    return [how for how in changes if digest(lists_of(make, shops[how])) != digest(whole)]


def digest(rows: pa.Table) -> list[Any]:
    """The rows with every score as its bits."""
    scores = rows["score"].to_numpy().view(np.uint32).tolist()
    return [scores, *(rows[name].to_pylist() for name in rows.column_names if name != "score")]


def named(name: str) -> Callable[[Shop], Recommender]:
    """A fresh recommender of the catalogue, whatever the shop."""
    return lambda _: next(one for one in contenders(Days(HORIZON)) if one.name == name)


@dataclass
class Cheat:
    """Scores what was bought at or after the as-of date: it was given the whole events table."""

    events: pd.DataFrame
    name: str = "cheat"
    scores_: csr_matrix = field(init=False, repr=False)

    def fit(self, training: Training) -> Self:
        index = training.interactions
        later = self.events[self.events["occurred_at"] >= training.as_of]
        rows, items = index.customer_positions(later["customer_id"]), index.item_positions(later["item_id"])
        known = (rows >= 0) & (items >= 0)
        ones = np.ones(int(known.sum()), dtype=np.float32)
        popular = np.tile(training.popularity.astype(np.float32) / 1000, (training.shape[0], 1))
        self.scores_ = csr_matrix(csr_matrix((ones, (rows[known], items[known])), training.shape) + popular)
        return self

    def score(self, customers: NDArray[np.intp]) -> csr_matrix:
        return self.scores_[customers]


def test_the_other_futures_are_others_and_the_past_is_the_same(shops: dict[str, Shop]) -> None:
    whole = shops["whole"].events
    past = whole[whole["occurred_at"] < AS_OF]
    assert len(past) < len(whole)
    for how in CHANGES:
        events = shops[how].events
        pd.testing.assert_frame_equal(events[events["occurred_at"] < AS_OF], past)
        assert not events.equals(whole)
    assert all(shop.training.rules is not None and len(shop.training.rules) for shop in shops.values())


@pytest.mark.parametrize("name", NAMES)
def test_no_list_changes_in_any_bit_with_another_future_or_another_order_of_events(
    shops: dict[str, Shop], name: str
) -> None:
    assert differing(named(name), shops, [*CHANGES, "reordered"]) == []


def test_a_recommender_that_was_given_the_whole_events_is_caught_by_the_same_comparison(
    shops: dict[str, Shop],
) -> None:
    assert differing(lambda shop: Cheat(shop.events), shops) == list(CHANGES)


def test_a_recommender_that_was_given_the_past_of_the_events_alone_is_not_caught(shops: dict[str, Shop]) -> None:
    def honest(shop: Shop) -> Recommender:
        return Cheat(shop.events[shop.events["occurred_at"] < shop.training.as_of])

    assert differing(honest, shops) == []
