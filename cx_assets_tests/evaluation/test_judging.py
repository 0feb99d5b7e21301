"""Judging recommenders on days that they haven't seen, and the leaks that this must not have."""

import dataclasses
import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Self

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from cx_assets.evaluation.judging import judge, training_before
from cx_assets.evaluation.split import Window, last_window, truth
from cx_assets.matrices.interactions import EventWeights
from cx_assets.recommendations.ranking import rank
from cx_assets.recommendations.recommender import Training, build_training
from cx_assets.rules.mining import RuleSettings, mine_item_rules
from cx_assets.table import Table
from cx_assets_tests.evaluation.samples import shop_events, shop_items
from cx_assets_tests.futures import other_future

Tables = Callable[[pd.DataFrame], Table]
RULES = RuleSettings(min_support=0.02, max_size=2, min_customers=2, min_confidence=0.1, fdr=0.2)


@dataclasses.dataclass
class Told:
    """A recommender that offers what it's told: scores by (customer, item)."""

    scores: dict[tuple[str, str], float]
    name: str = "told"

    def fit(self, training: Training) -> Self:
        index = training.interactions
        rows, items = (
            index.customer_positions(c for c, _ in self.scores),
            index.item_positions(i for _, i in self.scores),
        )
        values = np.array(list(self.scores.values()), dtype=np.float32)
        self.matrix_ = csr_matrix((values, (rows, items)), shape=training.shape)
        return self

    def score(self, customers: NDArray[np.intp]) -> csr_matrix:
        return self.matrix_[customers]


def digest(thing: Any) -> str:
    """A fingerprint of all that an object holds, to the bit."""
    if type(thing).__module__.startswith("cx_assets"):
        parts = [f"{name}={digest(value)}" for name, value in sorted(vars(thing).items())]
    elif isinstance(thing, csr_matrix):
        parts = [str(thing.shape), *(digest(array) for array in (thing.data, thing.indices, thing.indptr))]
    elif isinstance(thing, pd.DataFrame):
        parts = [thing.to_json(orient="split", double_precision=15, date_format="iso")]
    elif isinstance(thing, np.ndarray):
        parts = [str(thing.dtype), repr(thing.tolist()) if thing.dtype == object else thing.tobytes().hex()]
    else:
        parts = [repr(thing)]
    return hashlib.sha256("|".join(parts).encode()).hexdigest()


@pytest.mark.parametrize("how", ["deleted", "permuted"])
def test_what_happens_from_the_as_of_date_on_changes_no_bit_of_the_training_data(tables: Tables, how: str) -> None:
    events, items = shop_events(), shop_items()
    window = last_window(tables(events), 28)
    other = other_future(events, window.as_of, how)
    assert len(other) < len(events) or not other.equals(events)
    first, second = (training_before(tables(frame), items, window, EventWeights(), RULES) for frame in (events, other))
    assert first.rules is not None
    assert len(first.rules) > 0
    assert digest(first) == digest(second)


@pytest.mark.parametrize("how", ["deleted", "permuted"])
@pytest.mark.parametrize("leak", ["events", "rules"])
def test_a_planted_leak_is_caught_by_the_same_comparison(tables: Tables, how: str, leak: str) -> None:
    events, items = shop_events(), shop_items()
    window = last_window(tables(events), 28)

    def leaking(frame: pd.DataFrame) -> Training:
        table = tables(frame)
        as_of = window.as_of + timedelta(days=7) if leak == "events" else window.as_of
        return build_training(table, items, as_of=as_of, weights=EventWeights(), rules=mine_item_rules(table, RULES))

    assert digest(leaking(events)) != digest(leaking(other_future(events, window.as_of, how)))


def test_an_item_that_only_events_of_the_window_name_is_not_in_the_catalogue_that_is_learnt_from(
    tables: Tables,
) -> None:
    events = shop_events()
    window = last_window(tables(events), 28)
    later = events.iloc[[-1]].assign(item_id="new", event_id="e-new")
    assert later["occurred_at"].iloc[0] >= window.as_of
    stranger = shop_items().iloc[[0]].assign(item_id="new", in_master=False)
    items = pd.concat([shop_items(), stranger], ignore_index=True)
    training = training_before(tables(pd.concat([events, later])), items, window, EventWeights(), RULES)
    assert "new" not in training.items["item_id"].tolist()
    assert len(training.items) == len(shop_items())


def test_training_data_that_reach_into_the_window_are_refused(tables: Tables) -> None:
    events, items = tables(shop_events()), shop_items()
    window = last_window(events, 28)
    leaking = build_training(events, items, as_of=window.end, weights=EventWeights())
    with pytest.raises(ValueError, match="a leak: the training data reach up to"):
        judge([Told({})], leaking, truth(events, tables(items), window), window, depth=20)


def judged(tables: Tables, scores: dict[tuple[str, str], float], depth: int = 3) -> pd.DataFrame:
    """Lists from given scores: c000 has had i00 and i01 and takes i00 and i02 in the window; c001 takes nothing."""
    moments = [("2024-02-01", "c000", "i00"), ("2024-02-01", "c000", "i01"), ("2024-02-01", "c001", "i00")]
    moments += [("2024-02-01", "c002", "i03"), ("2024-03-02", "c002", "i03")]
    moments += [("2024-03-02", "c000", "i00"), ("2024-03-02", "c000", "i02"), ("2024-03-02", "new", "i00")]
    frame = pd.DataFrame(moments, columns=["occurred_at", "customer_id", "item_id"])
    frame["occurred_at"] = pd.to_datetime(frame["occurred_at"]).astype("datetime64[us]")
    frame = frame.assign(
        day=frame["occurred_at"].dt.date,
        event_type="purchase",
        basket_id="b",
        quantity=1.0,
        value=1.0,
        rating=pd.array([None] * len(frame), dtype="Float64"),
        store_id=pd.array([None] * len(frame), dtype="str"),
    )
    items = shop_items(5, not_recommendable=("i04",))
    events, window = tables(frame), Window(datetime(2024, 3, 1), 7)
    training = training_before(events, items, window, EventWeights(), RULES)
    pairs = truth(events, tables(items), window)
    return judge([Told(scores)], training, pairs, window, depth=depth).rows.to_pandas()


def one(rows: pd.DataFrame, which: str, customer: str) -> tuple[int, list[str], list[bool]]:
    row = rows.loc[(rows["list"] == which) & (rows["customer_id"] == customer)].iloc[0]
    return int(row["relevant"]), list(row["items"]), [bool(hit) for hit in row["hits"]]


SCORES = {("c000", f"i0{n}"): 5.0 - n for n in range(5)}


def test_shown_items_are_marked_by_what_the_customer_took_in_the_window(tables: Tables) -> None:
    rows = judged(tables, SCORES)
    assert one(rows, "both", "c000") == (2, ["i00", "i01", "i02"], [True, False, True])
    assert one(rows, "repeat", "c000") == (1, ["i00", "i01"], [True, False])
    assert one(rows, "discovery", "c000") == (1, ["i02", "i03"], [True, False])


def test_only_customers_with_history_and_something_to_find_are_judged(tables: Tables) -> None:
    rows = judged(tables, SCORES)
    who = {which: sorted(rows.loc[rows["list"] == which, "customer_id"]) for which in ("repeat", "discovery", "both")}
    assert who == {"repeat": ["c000", "c002"], "discovery": ["c000"], "both": ["c000", "c002"]}


def test_a_customer_who_is_offered_nothing_is_judged_on_an_empty_list(tables: Tables) -> None:
    assert one(judged(tables, SCORES), "both", "c002") == (1, [], [])


def test_every_row_says_as_of_when_it_was_made_and_how_long_it_was_judged(tables: Tables) -> None:
    rows = judged(tables, SCORES)
    assert set(rows["as_of"]) == {pd.Timestamp(2024, 3, 1)}
    assert set(rows["horizon_days"]) == {7}


def test_nobody_to_judge_gives_no_rows_and_fits_nothing(tables: Tables) -> None:
    events, items = tables(shop_events(3, 20)), shop_items()
    window = Window(datetime(2025, 1, 1), 28)
    training = training_before(events, items, window, EventWeights(), RULES)
    result = judge([Told({})], training, truth(events, tables(items), window), window, depth=20)
    assert result.rows.num_rows == 0
    assert result.seconds == {}


def test_more_customers_than_are_scored_at_once_each_get_their_own_list(tables: Tables) -> None:
    events, items = tables(shop_events(300, 40)), shop_items()
    window = last_window(events, 14)
    training = training_before(events, items, window, EventWeights(), RULES)
    favourite = {(c, f"i{n % 24:02d}"): 1.0 for n, c in enumerate(training.interactions.customers)}
    rows = judge([Told(favourite)], training, truth(events, tables(items), window), window, depth=20).rows.to_pandas()
    both = rows.loc[rows["list"] == "both"]
    assert len(both) > 256
    assert [(c, i[0]) for c, i in zip(both["customer_id"], both["items"], strict=True)] == [
        pair for pair in favourite if pair[0] in set(both["customer_id"])
    ]


def test_the_list_of_both_is_what_ranking_all_candidates_gives(tables: Tables) -> None:
    events, items = tables(shop_events(30)), shop_items()
    window = last_window(events, 28)
    training = training_before(events, items, window, EventWeights(), RULES)
    random = np.random.default_rng(2)
    tied = {(c, i): float(random.integers(0, 4)) for c in training.interactions.customers for i in items["item_id"]}
    rows = judge([Told(tied)], training, truth(events, tables(items), window), window, depth=6).rows.to_pandas()
    both = rows.loc[rows["list"] == "both"]
    positions = training.interactions.customer_positions(both["customer_id"])
    whole = rank(Told(tied).fit(training), training, positions, "both", 6)
    assert len(both) > 20
    assert training.interactions.items[whole.item].tolist() == [item for shown in both["items"] for item in shown]
