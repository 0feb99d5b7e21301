"""From scores to lists: who may be in them, in which order."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from cx_assets.recommendations.personal_frequency import PersonalFrequency
from cx_assets.recommendations.popularity import Popularity
from cx_assets.recommendations.ranking import rank, top
from cx_assets_tests.recommendations.samples import items_of, listed, trained


def of_a(training, scores, which, k=4):
    """The list of customer A for scores of w, x, y, z."""
    matrix = csr_matrix(np.array([scores], dtype=np.float32))
    return listed(top(matrix, training, np.array([0]), which, k), training).get("A", [])


def test_repeat_holds_what_was_had_and_discovery_the_rest(tables):
    training = trained(tables)
    assert of_a(training, [4, 3, 2, 1], "repeat") == ["x", "y"]
    assert of_a(training, [4, 3, 2, 1], "discovery") == ["w", "z"]
    assert of_a(training, [4, 3, 2, 1], "both") == ["w", "x", "y", "z"]


def test_equal_scores_are_ordered_by_popularity_then_id(tables):
    # x, y and z have two customers each, w has one.
    assert of_a(trained(tables), [1, 1, 1, 1], "both") == ["x", "y", "z", "w"]


def test_equals_at_the_end_of_a_list_are_cut_by_the_same_order(tables):
    assert of_a(trained(tables), [1, 1, 1, 2], "both", k=2) == ["z", "x"]


def test_what_is_not_recommendable_is_in_no_list(tables):
    training = trained(tables, items=items_of("wxyz", hidden="xz"))
    assert of_a(training, [4, 3, 2, 1], "both") == ["w", "y"]


def test_a_list_ends_where_the_candidates_do(tables):
    training = trained(tables)
    scores = csr_matrix((np.array([1.0], np.float32), ([0], [3])), shape=(1, 4))
    lists = top(scores, training, np.array([0]), "discovery", 20)
    assert (lists.rank.tolist(), lists.score.tolist()) == ([1], [1.0])


def test_a_customer_who_has_had_everything_has_an_empty_discovery_list(tables):
    training = trained(tables, [("A", i, "2024-01-01") for i in "wxyz"])
    lists = rank(Popularity().fit(training), training, np.array([0]), "discovery", 20)
    assert len(lists.item) == 0


def test_lists_do_not_depend_on_how_many_customers_are_scored_at_once(tables):
    random = np.random.default_rng(0)
    rows = [(f"c{random.integers(9)}", f"i{random.integers(30):02d}", "2024-01-01") for _ in range(150)]
    training = trained(tables, rows, items=items_of([f"i{i:02d}" for i in range(30)]))
    fitted = Popularity().fit(training)
    everyone = np.arange(training.shape[0])
    one, other = (rank(fitted, training, everyone, "discovery", 20, block=block) for block in (2, 100))
    assert listed(one, training) == listed(other, training)


def test_popularity_misses_nothing_for_a_customer_who_has_had_all_that_is_popular(tables):
    ids = [f"i{i:03d}" for i in range(300)]
    popular = [(f"c{c}", i, "2024-01-01") for c in range(3) for i in ids[:200]]
    rare = [("d", i, "2024-01-01") for i in ids[200:]]
    training = trained(tables, popular + rare, items=items_of(ids))
    lists = rank(Popularity().fit(training), training, np.array([0]), "discovery", 20)
    assert listed(lists, training) == {"c0": ids[200:220]}


def test_lists_of_no_customers_are_empty(tables):
    training = trained(tables)
    empty = rank(PersonalFrequency().fit(training), training, np.array([], dtype=int), "both", 20)
    assert len(empty.item) == 0


@pytest.mark.parametrize(
    ("scores", "which", "k", "complaint"),
    [
        ([1, 1, 1, 1], "both", 0, "k must be at least 1"),
        ([1, 1, 1, 1], "either", 5, "which must be"),
        ([1, np.nan, 1, 1], "both", 5, "not a finite number"),
    ],
)
def test_what_makes_no_sense_is_refused(tables, scores, which, k, complaint):
    with pytest.raises(ValueError, match=complaint):
        of_a(trained(tables), scores, which, k)
