"""A training cut at an earlier instant is the one that would have been built then, and says what was taken next."""

from datetime import datetime, timedelta

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cx_assets.matrices.interactions import EventWeights
from cx_assets.recommendations.history import History
from cx_assets.recommendations.recommender import build_training
from cx_assets.recommendations.rewind import Baskets, Days, rewound
from cx_assets.table import from_frame
from cx_assets_tests.recommendations.samples import AS_OF, events_of, items_of, trained

ITEMS = "wxyz"
DAYS_BACK = 30

# Days before the as-of date (1 is yesterday), who, what, which visit of the day, what type.
MOMENTS = st.tuples(
    st.integers(1, DAYS_BACK),
    st.sampled_from("ABC"),
    st.sampled_from("xyz"),
    st.integers(0, 1),
    st.sampled_from(["purchase", "purchase", "view"]),
)


def shop_of(moments: list[tuple[int, str, str, int, str]]) -> pd.DataFrame:
    """Events with two baskets a day at most, the later one with an hour of its own."""
    rows = [(who, what, f"{AS_OF - timedelta(days=ago):%Y-%m-%d}", kind) for ago, who, what, _, kind in moments]
    visit = np.array([visit for *_, visit, _ in moments])
    events = events_of(rows)
    events["basket_id"] += pd.Series(visit, dtype="str")
    events["occurred_at"] += pd.to_timedelta(visit, unit="h").astype("timedelta64[us]")
    return events.assign(quantity=1.0 + np.arange(len(events)) % 3, value=0.25 * np.arange(len(events)))


def same_history(one: History, other: History) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in History.__dataclass_fields__)


def pairs_of(events: pd.DataFrame, start: datetime, end: datetime) -> set[tuple[str, str]]:
    inside = events[(events["occurred_at"] >= start) & (events["occurred_at"] < end)]
    counted = inside[inside["event_type"] == "purchase"]
    return set(zip(counted["customer_id"], counted["item_id"], strict=True))


def taken_of(past: object) -> set[tuple[str, str]]:
    index, taken = past.training.interactions, past.taken.tocoo()
    return {(str(index.customers[c]), str(index.items[i])) for c, i in zip(taken.row, taken.col, strict=True)}


def known_to(past: object) -> list[str]:
    return list(past.training.interactions.customers[past.known])


def had(past: object, customer: str) -> list[tuple[str, float, int]]:
    """A customer's history: item, age in days, baskets ago."""
    history, index = past.training.history, past.training.interactions
    own = history.customer == index.customer_positions([customer])[0]
    return [
        (str(index.items[item]), float(age), int(ago))
        for item, age, ago in zip(history.item[own], history.age_days[own], history.baskets_ago[own], strict=True)
    ]


@settings(max_examples=40)
@given(st.lists(MOMENTS, min_size=1, max_size=25), st.integers(1, 9), st.integers(1, 3))
def test_rewinding_days_gives_the_training_that_was_built_then_and_what_was_bought_next(
    moments: list[tuple[int, str, str, int, str]], number: int, steps: int
) -> None:
    # One event older than any cut and one purchase, so that there is a training then and purchases are what counts.
    events = shop_of([(DAYS_BACK + 1, "A", "x", 0, "purchase"), *moments])
    items = items_of(ITEMS, hidden="y")
    with duckdb.connect() as connection:
        table = from_frame(connection, events)
        training = build_training(table, items, as_of=AS_OF, weights=EventWeights())
        customers = training.interactions.customers
        cut = AS_OF - timedelta(days=steps * number)
        then = build_training(table, items, as_of=cut, weights=EventWeights(), customers=customers)
    past = rewound(training, Days(number), steps)
    assert past.training.as_of == cut
    assert same_history(past.training.history, then.history)
    assert (past.training.counts != then.counts).nnz == 0
    assert past.training.popularity.tolist() == then.popularity.tolist()
    near = past.training.similarities.customers("cosine") != then.similarities.customers("cosine")
    assert near.nnz == 0
    taken = pairs_of(events, cut, cut + timedelta(days=number))
    assert taken_of(past) == taken
    known = set(events.loc[events["occurred_at"] < cut, "customer_id"])
    assert set(known_to(past)) == known


def test_an_event_on_the_first_day_of_the_horizon_is_taken_and_one_of_the_day_before_is_history(tables):
    # As of January 11th two days back is the 9th.
    rows = [("A", "x", "2024-01-08"), ("A", "y", "2024-01-09"), ("A", "z", "2024-01-10")]
    past = rewound(trained(tables, rows), Days(2))
    assert had(past, "A") == [("x", 1, 1)]
    assert taken_of(past) == {("A", "y"), ("A", "z")}


def test_what_came_after_the_horizon_is_not_taken(tables):
    rows = [("A", "x", "2024-01-06"), ("A", "y", "2024-01-08"), ("A", "z", "2024-01-10")]
    # Two steps of two days: as of the 7th, and the horizon ends with the 8th.
    past = rewound(trained(tables, rows), Days(2), 2)
    assert (past.training.as_of, taken_of(past)) == (datetime(2024, 1, 7), {("A", "y")})


def test_a_view_in_the_horizon_is_not_taken_where_there_are_purchases(tables):
    rows = [("A", "x", "2024-01-01"), ("A", "y", "2024-01-10", "view")]
    past = rewound(trained(tables, rows), Days(2))
    assert (taken_of(past), known_to(past)) == (set(), ["A"])


def test_every_event_is_taken_where_nobody_ever_buys(tables):
    rows = [("A", "x", "2024-01-01", "view"), ("A", "y", "2024-01-10", "view"), ("B", "y", "2024-01-10", "cart")]
    past = rewound(trained(tables, rows), Days(2))
    assert taken_of(past) == {("A", "y"), ("B", "y")}
    # B had no history then.
    assert known_to(past) == ["A"]


def test_what_was_taken_twice_or_more_than_once_a_day_counts_once(tables):
    rows = [("A", "x", "2024-01-01"), ("A", "x", "2024-01-09"), ("A", "x", "2024-01-09"), ("A", "x", "2024-01-10")]
    assert rewound(trained(tables, rows), Days(2)).taken.data.tolist() == [1.0]


BASKETS = [
    ("A", "x", "2024-01-01"),
    ("A", "x", "2024-01-04"),
    ("A", "y", "2024-01-04"),
    ("A", "y", "2024-01-09"),
    ("B", "x", "2024-01-02"),
    ("B", "z", "2024-01-05"),
    ("C", "w", "2024-01-06"),
]


def test_ages_before_a_basket_are_counted_up_to_its_day_and_every_customer_has_another(tables):
    past = rewound(trained(tables, BASKETS), Baskets())
    # A's last basket was on the 9th: the 1st is 8 days before it, the 4th is 5. B's was on the 5th.
    assert had(past, "A") == [("x", 8, 2), ("x", 5, 1), ("y", 5, 1)]
    assert had(past, "B") == [("x", 3, 1)]
    assert taken_of(past) == {("A", "y"), ("B", "z"), ("C", "w")}


def test_a_customer_with_too_few_baskets_is_not_judged(tables):
    training = trained(tables, BASKETS)
    # C has one basket and so no history before it; two back, B has none either.
    assert known_to(rewound(training, Baskets())) == ["A", "B"]
    assert known_to(rewound(training, Baskets(), 2)) == ["A"]


def test_two_baskets_back_the_last_one_is_forgotten(tables):
    past = rewound(trained(tables, BASKETS), Baskets(), 2)
    # A's basket before the last was on the 4th; the 1st is 3 days before it, and the basket of the 9th is in nothing.
    assert had(past, "A") == [("x", 3, 1)]
    assert taken_of(past) == {("A", "x"), ("A", "y"), ("B", "x")}
    assert past.training.counts.toarray().tolist() == [[0, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]


def test_a_last_basket_of_views_alone_is_not_judged_where_there_are_purchases(tables):
    rows = [*BASKETS, ("A", "z", "2024-01-10", "view")]
    past = rewound(trained(tables, rows), Baskets())
    assert (taken_of(past), known_to(past)) == ({("B", "z"), ("C", "w")}, ["B"])


def test_a_basket_across_midnight_begins_on_its_first_day(tables):
    events = events_of([("A", "x", "2024-01-01"), ("A", "y", "2024-01-08"), ("A", "z", "2024-01-09")])
    events["basket_id"] = ["one", "two", "two"]
    training = build_training(tables(events), items_of(ITEMS), as_of=AS_OF, weights=EventWeights())
    past = rewound(training, Baskets())
    # The 1st is 7 days before the 8th.
    assert had(past, "A") == [("x", 7, 1)]
    assert taken_of(past) == {("A", "y"), ("A", "z")}


def test_customers_and_items_keep_their_places_also_without_a_history(tables):
    training = trained(tables, BASKETS)
    past = rewound(training, Baskets(), 5)
    assert past.training.shape == training.shape
    assert past.training.counts.nnz == past.taken.nnz == 0


def test_rules_and_ratings_that_know_the_future_are_not_handed_on(tables):
    rules = pd.DataFrame({"antecedent": [["x"]], "consequent": [["y"]], "confidence": [0.5], "lift": [2.0]})
    past = rewound(trained(tables, BASKETS, rules=rules), Days(2))
    assert past.training.rules is None
    assert past.training.ratings is None


def test_what_was_once_asked_of_the_later_training_is_not_what_the_earlier_one_answers(tables):
    training = trained(tables, BASKETS)
    assert training.popularity.tolist() == [1, 2, 1, 1]
    assert training.purchases.sum() == 7
    past = rewound(training, Days(7)).training
    # Before the 4th: A had x, B had x.
    assert past.popularity.tolist() == [0, 2, 0, 0]
    assert past.purchases.sum() == 2


def test_less_than_one_step_is_refused(tables):
    with pytest.raises(ValueError, match="steps must be at least 1; it is 0"):
        rewound(trained(tables, BASKETS), Days(2), 0)


@pytest.mark.parametrize(
    "moments",
    [
        # Before the 9th: "one" last on the 1st, "two" on the 5th, so "two" is the last basket then.
        [("x", "2024-01-01", "one"), ("y", "2024-01-05", "two"), ("z", "2024-01-09", "one")],
        # Before the 9th there are two baskets; the third, of the 9th, must not leave a gap.
        [
            ("x", "2024-01-01", "one"),
            ("y", "2024-01-03", "two"),
            ("z", "2024-01-09", "three"),
            ("x", "2024-01-10", "two"),
        ],
    ],
    ids=["order", "gap"],
)
def test_a_basket_that_goes_on_after_the_cut_is_counted_as_it_was_known_then(tables, moments):
    events = events_of([("A", item, day) for item, day, _ in moments])
    events["basket_id"] = [basket for *_, basket in moments]
    given_to = {"weights": EventWeights(), "items": items_of(ITEMS)}
    later, then = (
        build_training(tables(events), as_of=as_of, **given_to) for as_of in (AS_OF, AS_OF - timedelta(days=2))
    )
    assert same_history(rewound(later, Days(2)).training.history, then.history)
