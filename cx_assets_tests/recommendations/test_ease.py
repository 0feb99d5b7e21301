"""EASE against the textbook's dense formula, from the side of the customers and from that of the items."""

import tracemalloc

import numpy as np
import pytest

from cx_assets.recommendations.ease import Ease, TooLargeError
from cx_assets.recommendations.ranking import rank
from cx_assets.recommendations.sparse import filled
from cx_assets_tests.recommendations.samples import items_of, listed, scores_of, trained


def textbook(had, l2):
    """Steck (2019), the listing of section 3.1: X B with B = P / -diag(P), P = (X'X + l2 I)^-1, diagonal 0."""
    inverse = np.linalg.inv(had.T @ had + l2 * np.eye(had.shape[1]))
    weights = inverse / -np.diag(inverse)
    np.fill_diagonal(weights, 0)
    return had @ weights


def random_shop(customers, items, seed=0):
    """Events in which every customer has about a third of the items, the first item for certain."""
    random = np.random.default_rng(seed)
    had = random.random((customers, items)) < 1 / 3
    had[:, 0] = True
    return [(f"c{c:03d}", f"i{i:03d}", "2024-01-01") for c, i in np.argwhere(had)]


def shop_training(tables, customers, items):
    return trained(tables, random_shop(customers, items), items=items_of([f"i{i:03d}" for i in range(items)]))


@pytest.mark.parametrize(("customers", "items", "dual"), [(7, 19, True), (19, 7, False), (9, 9, True)])
@pytest.mark.parametrize("l2", [0.5, 20.0])
def test_scores_are_those_of_the_textbook_whichever_side_is_smaller(tables, customers, items, dual, l2):
    training = shop_training(tables, customers, items)
    fitted = Ease(l2=l2, min_customers=1).fit(training)
    assert fitted.dual_ is dual
    had = training.had.toarray().astype(np.float64)[:, fitted.pool_]
    found = fitted.dense(np.arange(customers))
    assert found == pytest.approx(textbook(had, l2), abs=2e-5)


def test_customers_without_events_change_the_side_that_is_inverted_and_no_score(tables):
    few = shop_training(tables, 7, 19)
    silent = np.array([f"d{i:03d}" for i in range(30)], dtype=object)
    items = items_of([f"i{i:03d}" for i in range(19)])
    many = trained(tables, random_shop(7, 19), items=items, customers=silent)
    dual, primal = (Ease(l2=3.0, min_customers=1).fit(training) for training in (few, many))
    assert (dual.dual_, primal.dual_) == (True, False)
    everyone = np.arange(7)
    assert dual.dense(everyone) == pytest.approx(primal.dense(everyone), abs=2e-5)


@pytest.mark.parametrize(("customers", "items"), [(7, 19), (19, 7)])
def test_the_contributions_of_what_a_customer_has_had_sum_to_the_score(tables, customers, items):
    training = shop_training(tables, customers, items)
    fitted = Ease(l2=3.0, min_customers=1).fit(training)
    columns = np.array([1, 4, 5])
    summed = training.had[:, fitted.pool_] @ fitted.weights(columns)
    assert summed == pytest.approx(fitted.dense(np.arange(customers))[:, columns], abs=1e-5)


def test_a_block_of_customers_has_the_scores_of_all_of_them_at_once(tables):
    training = shop_training(tables, 7, 19)
    fitted = Ease(l2=3.0, min_customers=1).fit(training)
    assert fitted.dense(np.array([5, 2])) == pytest.approx(fitted.dense(np.arange(7))[[5, 2]], abs=1e-6)


def test_two_items_that_go_together_speak_for_each_other(tables):
    # A and B have x and y, C has x alone: X'X + I = [[4, 2], [2, 3]], its inverse [[3, -2], [-2, 4]] / 8.
    # B's weight of x for y is -(-2 / 8) / (4 / 8) = 0.5, of y for x it is -(-2 / 8) / (3 / 8) = 2 / 3.
    rows = [(c, i, "2024-01-01") for c, i in ("Ax", "Ay", "Bx", "By", "Cx")]
    training = trained(tables, rows, items=items_of("xy"))
    fitted = Ease(l2=1.0, min_customers=1).fit(training)
    assert scores_of(fitted, training, "A") == pytest.approx({"x": 2 / 3, "y": 1 / 2}, abs=1e-6)
    assert scores_of(fitted, training, "C") == pytest.approx({"x": 0, "y": 1 / 2}, abs=1e-6)


def test_how_often_an_item_was_had_does_not_matter(tables):
    rows = [(c, i, "2024-01-01") for c, i in ("Ax", "Ay", "Bx", "By", "Cx")]
    once, often = (trained(tables, some, items=items_of("xy")) for some in (rows, rows * 3))
    scores = [Ease(l2=1.0, min_customers=1).fit(training).dense(np.arange(3)) for training in (once, often)]
    assert np.array_equal(*scores)


def test_items_of_too_few_customers_are_left_out(tables):
    # x has three customers, y two, z one.
    rows = [(c, i, "2024-01-01") for c, i in ("Ax", "Ay", "Bx", "By", "Cx", "Cz")]
    training = trained(tables, rows, items=items_of("xyz"))
    fitted = Ease(l2=1.0, min_customers=2).fit(training)
    assert scores_of(fitted, training, "C").keys() == {"x", "y"}
    # As if z did not exist.
    alone = trained(tables, rows[:-1], items=items_of("xy"))
    assert fitted.dense(np.arange(3)) == pytest.approx(
        Ease(l2=1.0, min_customers=2).fit(alone).dense(np.arange(3)), abs=1e-6
    )


def test_where_every_item_is_rare_nothing_is_offered(tables):
    assert Ease().fit(trained(tables)).score(np.arange(3)).nnz == 0


def test_candidates_hold_what_was_had_and_the_best_of_the_rest(tables):
    training = shop_training(tables, 7, 19)
    fitted = Ease(l2=3.0, min_customers=1).fit(training)
    scores, dense = fitted.score(np.arange(7)), fitted.dense(np.arange(7))
    assert filled(scores, 1.0).toarray()[training.counts.toarray() > 0].all()
    # Every list is the order of the dense scores.
    for which, mine in (("repeat", training.counts.toarray() > 0), ("discovery", training.counts.toarray() == 0)):
        lists = listed(rank(fitted, training, np.arange(7), which, 5), training)
        for row, customer in enumerate(training.interactions.customers):
            pool = [i for i in np.argsort(-dense[row], kind="stable") if mine[row, fitted.pool_[i]]]
            assert lists[customer] == [f"i{fitted.pool_[i]:03d}" for i in pool[:5]]


def test_what_is_not_recommendable_speaks_for_others_and_is_not_offered_anew(tables):
    rows = [(c, i, "2024-01-01") for c, i in ("Ax", "Ay", "Bx", "By", "Cx", "Dy")]
    training = trained(tables, rows, items=items_of("xy", hidden="x"))
    fitted = Ease(l2=1.0, min_customers=1).fit(training)
    assert scores_of(fitted, training, "C")["y"] > 0
    assert "x" not in scores_of(fitted, training, "D")


@pytest.mark.parametrize("l2", [0, -1, float("nan")])
def test_a_strength_that_is_not_above_zero_is_refused(tables, l2):
    with pytest.raises(ValueError, match="l2 must be above 0"):
        Ease(l2=l2).fit(trained(tables))


@pytest.mark.parametrize(("customers", "items", "side"), [(7, 19, "7 customers"), (19, 7, "7 items")])
def test_what_would_need_too_much_memory_is_refused_with_the_side_that_is_too_large(tables, customers, items, side):
    training = shop_training(tables, customers, items)
    # Three matrices of 8 bytes: 3 * 8 * 7 * 7 = 1,176 bytes are above 1e-6 GiB = 1,074 bytes.
    with pytest.raises(TooLargeError, match=f"for {side} squared is above the allowed 1e-06 GiB. Raise max_gib"):
        Ease(min_customers=1, max_gib=1e-6).fit(training)
    # And 1.2e-6 GiB = 1,288 bytes are enough.
    assert Ease(min_customers=1, max_gib=1.2e-6).fit(training).dense(np.arange(1)).shape[0] == 1


def test_what_would_need_too_much_memory_is_refused_before_anything_of_that_size_is_made(tables):
    ids = [f"i{i:05d}" for i in range(12_000)]
    rows = [(f"c{i:05d}", item, "2024-01-01") for i, item in enumerate(ids)]
    training = trained(tables, rows, items=items_of(ids))
    tracemalloc.start()
    # 3 * 8 * 12,000 ** 2 bytes are 3.2 GiB.
    with pytest.raises(TooLargeError, match=r"ease: 3\.2 GiB for 12,000 customers squared"):
        Ease(min_customers=1, max_gib=1.0).fit(training)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 * 2**20
