"""Random walks, factors and weighted item neighbours, against scores worked out by hand, formulas and a library."""

import math
import sys

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from cx_assets.recommendations.als import Als
from cx_assets.recommendations.chance import Chance
from cx_assets.recommendations.ranking import rank
from cx_assets.recommendations.recommender import Recommender, Training
from cx_assets.recommendations.rp3beta import Rp3Beta
from cx_assets.recommendations.weighted_knn import WeightedItemKnn, weighted
from cx_assets_tests.recommendations.samples import SHOP, items_of, scores_of, trained

ITEMS = [f"i{i:02d}" for i in range(20)]
METHODS = [
    Rp3Beta(min_customers=1),
    Als(factors=4, min_customers=1),
    WeightedItemKnn("tfidf", min_customers=1),
    WeightedItemKnn("bm25", min_customers=1),
]


def two_crowds(seed: int = 2) -> list[tuple[str, ...]]:
    """Sixty customers, half with five or six of the first ten items, half of the last ten, one to three times each."""
    random = np.random.default_rng(seed)
    return [
        (f"c{c:02d}", ITEMS[10 * (c % 2) + i], "2024-01-01")
        for c in range(60)
        for i in random.choice(10, size=random.integers(5, 7), replace=False)
        for _ in range(random.integers(1, 4))
    ]


def crowded(tables, rows=None) -> Training:
    return trained(tables, rows or two_crowds(), items=items_of(ITEMS))


def share_of_the_own_crowd(recommender: Recommender, training: Training) -> float:
    """Of the first three new items of every customer, those that customers of their kind have."""
    lists = rank(recommender.fit(training), training, np.arange(60), "discovery", 3)
    return float(((lists.item >= 10) == (lists.customer % 2 == 1)).mean())


def test_rp3beta_sums_the_walks_from_the_customers_items(tables):
    training = trained(tables)
    # A has x and y, B x, y and z, C z and w; x, y and z have two customers. From x to z and from y to z one walks over
    # B only: (1 / (2 * 3)) ** 0.8 / 2 ** 0.4. From x to y over A and B: ((1 / (2 * 2)) ** 0.8 + (1 / 6) ** 0.8) / same.
    over_a, over_b, held_back = 4**-0.8, 6**-0.8, 2**0.4
    both = (over_a + over_b) / held_back
    expected = {"x": both, "y": both, "z": 2 * over_b / held_back}
    assert scores_of(Rp3Beta(min_customers=1).fit(training), training, "A") == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("alpha", "beta", "neighbours"), [(0.8, 0.4, 100), (1, 0, 3), (0.5, 1.2, 3), (1.7, 0.3, 1)])
def test_rp3beta_equals_the_dense_formula(tables, alpha, beta, neighbours):
    training = crowded(tables)
    had = (training.counts.toarray() > 0).astype(float)
    to_customer = (had.T / had.sum(axis=0)[:, None]) ** alpha
    to_item = (had / had.sum(axis=1)[:, None]) ** alpha
    walks = to_customer @ to_item / had.sum(axis=0) ** beta
    np.fill_diagonal(walks, 0)
    near = np.argsort(-walks.round(12), axis=1, kind="stable")[:, :neighbours]
    kept = np.zeros_like(walks)
    np.put_along_axis(kept, near, np.take_along_axis(walks, near, axis=1), axis=1)
    found = Rp3Beta(alpha, beta, neighbours).fit(training).score(np.arange(60)).toarray()
    assert found == pytest.approx(had @ kept, rel=1e-5)


@pytest.mark.parametrize("recommender", [Rp3Beta(min_customers=2), WeightedItemKnn("tfidf", min_customers=2)])
def test_items_of_too_few_customers_are_neither_walked_over_nor_neighbours(tables, recommender):
    training = trained(tables)
    assert "w" not in scores_of(recommender.fit(training), training, "B")


def test_als_finds_the_crowd_of_a_customer_far_better_than_chance(tables):
    pytest.importorskip("implicit")
    training = crowded(tables)
    assert share_of_the_own_crowd(Als(factors=2), training) > 0.9
    # New to a customer are four or five items of their crowd and the ten of the other: about a third by chance.
    assert share_of_the_own_crowd(Chance(), training) < 0.5


def test_als_without_the_library_says_how_to_get_it(tables, monkeypatch):
    monkeypatch.setitem(sys.modules, "implicit.cpu.als", None)
    with pytest.raises(ImportError, match=r"pip install 'cx_assets\[als\]'"):
        Als().fit(trained(tables))


def test_weights_by_tf_idf_are_roots_of_counts_times_the_rarity_of_the_customer():
    # Four items by three customers, who have had 1, 2 and 4 of the items: log(4 / 2), log(4 / 3), and nothing.
    counts = csr_matrix(np.array([[4, 1, 1], [0, 0, 1], [0, 9, 1], [0, 0, 1]], dtype=np.float32))
    expected = [[2 * math.log(2), math.log(4 / 3), 0], [0] * 3, [0, 3 * math.log(4 / 3), 0], [0] * 3]
    found = weighted(counts, "tfidf")
    assert found.toarray() == pytest.approx(np.array(expected))
    assert found.nnz == 3
    assert counts.nnz == 7


def test_weights_by_bm25_level_off_and_hold_active_items_back():
    counts = csr_matrix(np.array([[4, 1, 1], [0, 0, 1], [0, 9, 1], [0, 0, 1]], dtype=np.float32))
    # Events per item 6, 1, 10, 1, on average 4.5. Length of the first: 0.2 + 0.8 * 6 / 4.5.
    length = 0.2 + 0.8 * 6 / 4.5
    expected = 4 * 101 / (100 * length + 4) * math.log(2)
    assert weighted(counts, "bm25")[0, 0] == pytest.approx(expected)


@pytest.mark.parametrize("weighting", ["tfidf", "bm25"])
def test_weights_are_those_of_the_library(tables, weighting):
    nearest_neighbours = pytest.importorskip("implicit.nearest_neighbours")
    counts = csr_matrix(crowded(tables).counts.T)
    expected = getattr(nearest_neighbours, f"{weighting}_weight")(counts.astype(float))
    assert weighted(counts, weighting).toarray() == pytest.approx(expected.toarray(), rel=1e-9)


def test_weighted_neighbours_are_shrunk_by_how_few_have_had_both(tables):
    # Four items; A has x twice and y, B x and y, C z. Each of A and B has had two: log(4 / 3); C one: log(4 / 2).
    rows = [("A", "x", "2024-01-01"), ("A", "x", "2024-01-02"), ("A", "y", "2024-01-01"), ("B", "x", "2024-01-01")]
    rows += [("B", "y", "2024-01-01"), ("C", "z", "2024-01-01"), ("C", "w", "2024-01-01"), ("D", "w", "2024-01-01")]
    training = trained(tables, rows)
    # x is (sqrt(2), 1) and y is (1, 1), in units of log(4 / 3); two customers have both.
    cosine = (math.sqrt(2) + 1) / (math.sqrt(3) * math.sqrt(2))
    expected = {"x": math.log(2) * cosine * 2 / 12, "y": math.log(3) * cosine * 2 / 12}
    found = scores_of(WeightedItemKnn("tfidf", shrinkage=10, min_customers=1).fit(training), training, "A")
    assert found == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("weighting", ["tfidf", "bm25"])
@pytest.mark.parametrize("neighbours", [2, 100])
def test_weighted_item_knn_equals_the_dense_formula(tables, weighting, neighbours):
    training = crowded(tables)
    counts = training.counts.toarray().astype(float)
    weights = weighted(csr_matrix(training.counts.T), weighting).toarray()
    lengths = np.linalg.norm(weights, axis=1)
    both = (counts > 0).T.astype(float) @ (counts > 0)
    similar = weights @ weights.T / np.outer(lengths, lengths) * both / (both + 10)
    np.fill_diagonal(similar, 0)
    near = np.argsort(-similar.round(9), axis=1, kind="stable")[:, :neighbours]
    kept = np.zeros_like(similar)
    np.put_along_axis(kept, near, np.take_along_axis(similar, near, axis=1), axis=1)
    found = WeightedItemKnn(weighting, neighbours=neighbours).fit(training).score(np.arange(60)).toarray()
    assert found == pytest.approx(np.log1p(counts) @ kept, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (Rp3Beta(alpha=0), "alpha must be above 0"),
        (Rp3Beta(beta=-1), "beta must be finite and not negative"),
        (Rp3Beta(neighbours=0), "neighbours must be at least 1"),
        (Rp3Beta(min_customers=0), "min_customers must be at least 1"),
        (Als(factors=0), "factors must be at least 1"),
        (Als(iterations=0), "iterations must be at least 1"),
        (Als(regularization=-1), "regularization must be finite and not negative"),
        (Als(alpha=float("inf")), "alpha must be above 0"),
        (WeightedItemKnn(weighting="log"), "weighting must be tfidf or bm25"),
        (WeightedItemKnn(shrinkage=-1), "shrinkage must not be negative"),
        (WeightedItemKnn(neighbours=0), "k must be at least 1"),
    ],
)
def test_attributes_that_mean_nothing_are_refused(tables, wrong, message):
    with pytest.raises(ValueError, match=message):
        wrong.fit(trained(tables))


@pytest.mark.parametrize("recommender", METHODS, ids=lambda one: one.name)
def test_the_same_events_in_another_order_give_the_same_bits(tables, recommender):
    pytest.importorskip("implicit")
    rows = two_crowds()
    shuffled = [rows[i] for i in np.random.default_rng(1).permutation(len(rows))]
    one = recommender.fit(crowded(tables)).score(np.arange(60))
    other = recommender.fit(crowded(tables, shuffled)).score(np.arange(60))
    assert one.dtype == np.float32
    assert one.nnz == other.nnz > 0
    assert one.toarray().tobytes() == other.toarray().tobytes()


@pytest.mark.parametrize("recommender", METHODS, ids=lambda one: one.name)
def test_a_customer_without_history_is_offered_nothing(tables, recommender):
    pytest.importorskip("implicit")
    training = trained(tables, customers=np.array(["Z"], dtype=object))
    assert scores_of(recommender.fit(training), training, "Z") == {}
    assert scores_of(recommender, training, "A") != {}


@pytest.mark.parametrize("recommender", [*METHODS, Rp3Beta(), Als(), WeightedItemKnn()], ids=lambda one: one.name)
@pytest.mark.parametrize("rows", [SHOP[:1], SHOP[4:7], [(c, "x", "2024-01-01") for c in "ABC"]])
def test_the_smallest_shops_are_managed(tables, recommender, rows):
    pytest.importorskip("implicit")
    training = trained(tables, rows)
    scores = recommender.fit(training).score(np.arange(training.shape[0]))
    assert scores.shape == training.shape
    assert np.isfinite(scores.data).all()
