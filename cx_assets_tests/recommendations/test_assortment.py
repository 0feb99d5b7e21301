"""What sells where a customer shops."""

from datetime import datetime

import numpy as np
import pandas as pd
import pytest

from cx_assets.matrices.interactions import EventWeights
from cx_assets.recommendations.assortment import number_of_stores, store_shares, takers_by_store
from cx_assets.recommendations.recommender import build_training
from cx_assets_tests.recommendations.samples import events_of, items_of, trained

AS_OF = datetime(2024, 3, 1)
ROWS = [
    ("ann", "tea", "2024-02-29", "north"),
    ("ann", "milk", "2024-02-29", "north"),
    ("ann", "tea", "2024-01-16", "south"),
    ("bob", "tea", "2024-02-28", "south"),
    ("bob", "tea", "2024-02-27", "south"),
    ("cem", "milk", "2024-02-20", None),
]


@pytest.fixture
def history(tables):
    events = events_of([row[:3] for row in ROWS]).assign(store_id=pd.Series([row[3] for row in ROWS], dtype="str"))
    items = items_of(["milk", "tea"])
    return build_training(tables(events), items, as_of=AS_OF, weights=EventWeights()).history


def test_a_customer_is_divided_among_stores_by_faded_events(history):
    shares = store_shares(history, 3).toarray()
    north, south = 2 * 0.5 ** (1 / 45), 0.5 ** (45 / 45)
    expected = [[0, north / (north + south), south / (north + south)], [0, 0, 1], [1, 0, 0]]
    np.testing.assert_allclose(shares, expected, rtol=1e-6)


def test_an_item_counts_a_customer_of_a_store_once(history):
    taken, visitors = takers_by_store(history, 28, (3, 2))
    # Without a store, north, south; milk, tea.
    assert taken.toarray().tolist() == [[1, 0], [1, 1], [0, 1]]
    assert visitors.tolist() == [1, 1, 1]


def test_what_is_longer_ago_does_not_count(history):
    taken, visitors = takers_by_store(history, 1, (3, 2))
    assert taken.toarray().tolist() == [[0, 0], [1, 1], [0, 0]]
    assert visitors.tolist() == [0, 1, 0]


def test_events_without_a_store_are_of_a_store_of_their_own(tables):
    history = trained(tables).history
    assert number_of_stores(history) == 1
    assert store_shares(history, 3).toarray().tolist() == [[1], [1], [1]]
