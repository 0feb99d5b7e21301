"""Dense scores as candidates: all that was had, and the best of the rest with their equals."""

import numpy as np
import pytest

from cx_assets.recommendations.ranking import best_and_had, top
from cx_assets_tests.recommendations.samples import items_of, listed, trained

POOL = np.arange(4)


def offered(training, scores, depth=100, pool=POOL, customers=(0,)):
    """Item ids and scores of the first customer's candidates; A has had x and y, w and z are new."""
    values = np.tile(np.array(scores, dtype=np.float32), (len(customers), 1))
    found = best_and_had(values, pool, training, np.array(customers), depth)
    row = found[0]
    return dict(zip(training.interactions.items[row.indices], row.data.tolist(), strict=True))


def test_all_that_was_had_and_all_that_is_new_are_offered_where_there_are_places_enough(tables):
    assert offered(trained(tables), [1, 2, 3, 4]) == {"w": 1, "x": 2, "y": 3, "z": 4}


def test_only_the_best_of_what_is_new_are_offered(tables):
    # A has had x and y; of w and z the better is z.
    assert offered(trained(tables), [1, 0, 0, 2], depth=1) == {"x": 0, "y": 0, "z": 2}


def test_equals_of_the_last_place_are_all_offered(tables):
    training = trained(tables, [("A", "x", "2024-01-01"), ("B", "w", "2024-01-01"), ("B", "z", "2024-01-01")])
    # New to A: w 5, y 3, z 3; two places.
    assert offered(training, [5, 0, 3, 3], depth=2) == {"w": 5, "x": 0, "y": 3, "z": 3}
    # With one place there is no tie.
    assert offered(training, [5, 0, 3, 3], depth=1) == {"w": 5, "x": 0}


def test_what_is_not_recommendable_is_not_offered_anew_and_takes_no_place(tables):
    training = trained(tables, items=items_of("wxyz", hidden="z"))
    assert offered(training, [1, 0, 0, 9], depth=1) == {"w": 1, "x": 0, "y": 0}


def test_what_was_had_is_offered_whatever_its_score_and_takes_no_place(tables):
    training = trained(tables, items=items_of("wxyz", hidden="x"))
    # Had before, so x is a candidate though it may not be recommended: `top` leaves it out of every list.
    assert offered(training, [1, 9, 9, 2], depth=1) == {"x": 9, "y": 9, "z": 2}
    assert offered(training, [1, -9, -9, 2], depth=1) == {"x": -9, "y": -9, "z": 2}


def test_scores_of_zero_and_below_are_candidates(tables):
    assert offered(trained(tables), [0, 0, 0, -1]) == {"w": 0, "x": 0, "y": 0, "z": -1}


def test_what_is_outside_the_pool_is_not_offered_even_if_had(tables):
    # The pool is x and z.
    assert offered(trained(tables), [1, 2], pool=np.array([1, 3])) == {"x": 1, "z": 2}


def test_an_empty_pool_offers_nothing(tables):
    training = trained(tables)
    assert best_and_had(np.zeros((3, 0), np.float32), np.array([], dtype=int), training, np.arange(3)).nnz == 0


def test_every_customer_has_a_row_of_their_own(tables):
    training = trained(tables)
    scores = np.array([[4, 3, 2, 1], [1, 2, 3, 4]], dtype=np.float32)
    # C has had w and z, A x and y; one new item each.
    found = best_and_had(scores, POOL, training, np.array([2, 0]), 1)
    assert found.toarray().tolist() == [[4, 3, 0, 1], [0, 2, 3, 4]]


@pytest.mark.parametrize("which", ["repeat", "discovery", "both"])
@pytest.mark.parametrize("seed", range(5))
def test_lists_up_to_the_depth_are_those_of_all_scores(tables, which, seed):
    random = np.random.default_rng(seed)
    ids = [f"i{i:02d}" for i in range(30)]
    rows = [(f"c{c}", ids[i], "2024-01-01") for c, i in np.argwhere(random.random((8, 30)) < 0.3)]
    training = trained(tables, rows, items=items_of(ids, hidden="i03 i07"))
    # Few different scores, so that there are ties at every place.
    scores = random.integers(0, 4, size=(8, 30)).astype(np.float32)
    some = best_and_had(scores, np.arange(30), training, np.arange(8), 5)
    every = best_and_had(scores, np.arange(30), training, np.arange(8), 30)
    lists = [listed(top(found, training, np.arange(8), which, 5), training) for found in (some, every)]
    assert lists[0] == lists[1]
