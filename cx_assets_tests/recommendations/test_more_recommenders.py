"""Recommenders by frequency, baskets and segments, against scores worked out by hand and dense formulas."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from cx_assets.matrices.interactions import EventWeights
from cx_assets.recommendations.own_baskets import basket_counts, once_per_basket
from cx_assets.recommendations.personal_frequency import PersonalFrequency
from cx_assets.recommendations.personal_then_popular import PersonalThenPopular
from cx_assets.recommendations.ranking import rank
from cx_assets.recommendations.recommender import Training, build_training
from cx_assets.recommendations.segment_popularity import SEGMENTS, SegmentPopularity, segments, thirds
from cx_assets.recommendations.tifu_knn import TifuKnn
from cx_assets.recommendations.up_cf import UpCf
from cx_assets_tests.recommendations.samples import AS_OF, SHOP, events_of, items_of, listed, scores_of, trained

METHODS = [PersonalFrequency(basket_decay=0.5), PersonalThenPopular(), SegmentPopularity(), TifuKnn(), UpCf()]
ITEMS = [f"i{i:02d}" for i in range(12)]


def random_shop(seed: int = 5, customers: int = 15) -> list[tuple[str, ...]]:
    """Customers with one to nine baskets of one to four of the items, each basket on a day of its own."""
    random = np.random.default_rng(seed)
    return [
        (f"c{c:02d}", ITEMS[i], f"2024-01-{day:02d}")
        for c in range(customers)
        for day in range(1, 2 + int(random.integers(9)))
        for i in random.choice(len(ITEMS), size=random.integers(1, 5), replace=False, p=np.arange(1, 13) / 78)
    ]


def baskets_of(training: Training) -> list[list[np.ndarray]]:
    """For each customer the baskets from the oldest to the newest, each as a row of 0 and 1 over the items."""
    history, (customers, items) = training.history, training.shape
    found: list[list[np.ndarray]] = []
    for customer in range(customers):
        own = history.chosen(history.customer == customer)
        rows = np.zeros((own.baskets_ago.max(initial=0), items))
        rows[len(rows) - own.baskets_ago, own.item] = 1
        found.append(list(rows))
    return found


def test_an_item_of_the_last_basket_counts_more(tables):
    training = trained(tables)
    # A's baskets: x, x, x, y. y was in the last (1), x in the three before it (1/2 + 1/4 + 1/8).
    assert scores_of(PersonalFrequency(basket_decay=0.5).fit(training), training, "A") == {"x": 0.875, "y": 1}


def test_what_has_faded_over_many_baskets_is_still_offered_again(tables):
    training = trained(tables, [("A", "x", "2024-01-01"), *(("A", "y", f"2024-01-0{day}") for day in range(2, 10))])
    found = scores_of(PersonalFrequency(basket_decay=1e-30).fit(training), training, "A")
    assert found == {"x": np.finfo(np.float32).tiny, "y": 1}


@pytest.mark.parametrize("decay", [0, 1, -0.5, float("nan")])
def test_a_basket_decay_that_is_not_between_zero_and_one_is_refused(tables, decay):
    with pytest.raises(ValueError, match="basket_decay must be between 0 and 1"):
        PersonalFrequency(basket_decay=decay).fit(trained(tables))


def test_fading_by_days_and_by_baskets_at_once_is_refused(tables):
    with pytest.raises(ValueError, match="exclude each other"):
        PersonalFrequency(10, 0.5).fit(trained(tables))


def test_the_name_of_personal_frequency_says_how_it_fades():
    names = [one.name for one in (PersonalFrequency(), PersonalFrequency(9), PersonalFrequency(basket_decay=0.9))]
    assert names == ["personal_frequency", "personal_frequency_decayed", "personal_frequency_by_baskets"]


def test_a_basket_of_two_days_holds_its_items_once(tables):
    events = events_of([("A", "x", "2024-01-01"), ("A", "x", "2024-01-02"), ("A", "y", "2024-01-02")])
    events["basket_id"] = "one"
    training = build_training(tables(events), items_of("xy"), as_of=AS_OF, weights=EventWeights())
    entries = once_per_basket(training.history)
    assert (entries.item.tolist(), entries.baskets_ago.tolist()) == ([0, 1], [1, 1])
    assert basket_counts(entries, 1).tolist() == [1]


def test_own_items_come_before_all_popular_ones(tables):
    training = trained(tables)
    # x and y are A's own, 3 events and 1. New: z of 2 customers and w of 1, over twice the highest, 2 * 2.
    found = scores_of(PersonalThenPopular().fit(training), training, "A")
    assert found == {"x": 3, "y": 1, "z": 0.5, "w": 0.25}


def test_own_items_rank_first_however_popular_the_others_are(tables):
    rows = [*[(f"c{i:02d}", "x", "2024-01-01") for i in range(30)], ("A", "w", "2024-01-01")]
    training = trained(tables, rows)
    lists = rank(PersonalThenPopular().fit(training), training, np.array([0]), "both", 4)
    assert listed(lists, training) == {"A": ["w", "x"]}


def test_popularity_counts_within_the_segment(tables):
    rows = [
        *[(c, i, "2024-01-10") for c, i in [("A", "x"), ("B", "x"), ("B", "y"), ("C", "y"), ("C", "x")]],
        *[(c, "z", "2024-01-02") for c in "DEF"],
    ]
    training = trained(tables, rows)
    # All have one basket, so all are in the middle third by frequency. By recency A, B, C have ranks 4 to 6 and the
    # middle of them 5, of six: the last third begins above 4. So they are one segment, D, E and F another.
    assert [SEGMENTS[i] for i in segments(training)] == ["lately, sometimes"] * 3 + ["long ago, sometimes"] * 3
    assert scores_of(SegmentPopularity().fit(training), training, "A") == {"x": 3, "y": 2}
    assert scores_of(SegmentPopularity().fit(training), training, "D") == {"z": 3}


def test_the_scores_of_a_segment_do_not_depend_on_who_else_is_asked_for(tables):
    training = trained(tables, random_shop(), items=items_of(ITEMS))
    fitted = SegmentPopularity().fit(training)
    together = fitted.score(np.array([7, 0, 3, 11])).toarray()
    assert together.tolist() == [fitted.score(np.array([one])).toarray()[0].tolist() for one in (7, 0, 3, 11)]
    assert fitted.score(np.array([], dtype=int)).shape == (0, len(ITEMS))


def test_thirds_are_equally_large_and_put_equals_together():
    assert thirds(np.array([6.0, 1, 5, 2, 4, 3])).tolist() == [2, 0, 2, 0, 1, 1]
    assert thirds(np.ones(4)).tolist() == [1] * 4
    assert thirds(np.array([1.0, 1, 1, 1, 2, 3])).tolist() == [0, 0, 0, 0, 2, 2]
    assert thirds(np.array([])).tolist() == []


def test_a_customer_without_history_is_offered_what_is_popular_among_all(tables):
    training = trained(tables, customers=np.array(["Z"], dtype=object))
    expected = {"w": 1, "x": 2, "y": 2, "z": 2}
    assert scores_of(SegmentPopularity().fit(training), training, "Z") == expected
    expected = {"w": 0.25, "x": 0.5, "y": 0.5, "z": 0.5}
    assert scores_of(PersonalThenPopular().fit(training), training, "Z") == expected


@pytest.mark.parametrize("recommender", [PersonalFrequency(basket_decay=0.5), TifuKnn(), UpCf()])
def test_without_history_methods_of_own_baskets_offer_nothing_and_others_do_not_change(tables, recommender):
    alone, training = trained(tables), trained(tables, customers=np.array(["0"], dtype=object))
    assert scores_of(recommender.fit(training), training, "0") == {}
    with_them = recommender.score(np.array([1, 2, 3])).toarray()
    assert with_them.tolist() == recommender.fit(alone).score(np.arange(3)).toarray().tolist()


def test_tifu_knn_mixes_the_faded_baskets_of_the_customer_and_of_the_nearest(tables):
    training = trained(tables)
    # Two groups. A's newest: x, then y: x 0.5 / 2, y 1 / 2. A's older: x, x: 0.5 * (0.5 + 1) / 2. Over two groups that
    # is x 0.3125, y 0.25. B's groups are z and x, y, z: z 0.75, x 0.25, y 0.25. C's are w and z: w 0.5, z 0.25. Squared
    # distances from A: B 0.0039 + 0.5625 = 0.566, C 0.0977 + 0.0625 + 0.0625 + 0.25 = 0.473. So C is A's neighbour.
    fitted = TifuKnn(groups=2, within_decay=0.5, group_decay=0.5, neighbours=1, alpha=0.7).fit(training)
    expected = {"x": 0.7 * 0.3125, "y": 0.7 * 0.25, "z": 0.3 * 0.25, "w": 0.3 * 0.5}
    assert scores_of(fitted, training, "A") == pytest.approx(expected, rel=1e-6)


def tifu_vector(baskets: list[np.ndarray], groups: int, within: float, between: float) -> np.ndarray:
    """The vector of one customer; numpy's cut gives the earlier groups one more, so it is done backwards."""
    cut = [part for part in np.array_split(np.array(baskets)[::-1], groups) if len(part)]
    means = [(within ** np.arange(len(part)) @ part) / len(part) for part in cut]
    return between ** np.arange(len(cut)) @ np.array(means) / len(cut)


@pytest.mark.parametrize(("neighbours", "alpha"), [(1, 0.5), (4, 0.7), (300, 0.2), (4, 1.0), (4, 0.0)])
def test_tifu_knn_equals_the_dense_formula(tables, monkeypatch, neighbours, alpha):
    # Blocks of four customers.
    monkeypatch.setattr("cx_assets.recommendations.tifu_knn.DISTANCES_AT_ONCE", 60)
    training = trained(tables, random_shop(), items=items_of(ITEMS))
    vectors = np.array([tifu_vector(one, 4, 0.9, 0.6) for one in baskets_of(training)])
    distances = np.linalg.norm(vectors[:, None] - vectors[None], axis=2).round(9)
    np.fill_diagonal(distances, np.inf)
    near = np.argsort(distances, axis=1, kind="stable")[:, : min(neighbours, len(vectors) - 1)]
    expected = alpha * vectors + (1 - alpha) * vectors[near].mean(axis=1)
    found = TifuKnn(4, 0.9, 0.6, neighbours, alpha).fit(training).score(np.arange(len(vectors)))
    assert found.toarray() == pytest.approx(expected, abs=1e-6)
    assert (found.data > 0).all()


def test_up_cf_adds_the_shares_of_those_with_the_same_items(tables):
    training = trained(tables)
    # Shares of the last two baskets: A x 1/2, y 1/2; B x 1/2, y 1/2, z 1; C w 1/2, z 1/2. A has 2 items, B 3, both 2.
    like = (2 / (2**0.25 * 3**0.75)) ** 10
    expected = {"x": 0.5 + like / 2, "y": 0.5 + like / 2, "z": like}
    assert scores_of(UpCf(last_baskets=2).fit(training), training, "A") == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("neighbours", "alpha"), [(3, 0.25), (100, 0.25), (3, 1.0), (100, 0.0), (3, 0.5)])
def test_up_cf_equals_the_dense_formula(tables, neighbours, alpha):
    training = trained(tables, random_shop(), items=items_of(ITEMS))
    had = (training.counts.toarray() > 0).astype(float)
    sizes = had.sum(axis=1)
    similar = had @ had.T / (sizes[:, None] ** alpha * sizes ** (1 - alpha))
    ordered = similar - np.diag(np.full(len(had), np.inf))
    near = np.argsort(-ordered.round(9), axis=1, kind="stable")[:, : min(neighbours, len(had) - 1)]
    kept = np.eye(len(had), dtype=bool)
    np.put_along_axis(kept, near, values=True, axis=1)
    shares = np.array([np.mean(one[-4:], axis=0) for one in baskets_of(training)])
    expected = (np.where(kept, similar, 0) ** 3) @ shares
    found = UpCf(4, alpha, locality=3, neighbours=neighbours).fit(training).score(np.arange(len(had)))
    assert found.toarray() == pytest.approx(expected, abs=1e-6)
    assert (found.data > 0).all()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (TifuKnn(groups=0), "groups must be at least 1"),
        (TifuKnn(neighbours=0), "neighbours must be at least 1"),
        (TifuKnn(within_decay=0), "within_decay must be above 0 and at most 1"),
        (TifuKnn(group_decay=1.1), "group_decay must be above 0 and at most 1"),
        (TifuKnn(alpha=float("nan")), "alpha must be from 0 to 1"),
        (UpCf(last_baskets=0), "last_baskets must be at least 1"),
        (UpCf(neighbours=0), "neighbours must be at least 1"),
        (UpCf(alpha=-0.1), "alpha must be from 0 to 1"),
        (UpCf(locality=0), "locality must be above 0"),
    ],
)
def test_attributes_that_mean_nothing_are_refused(tables, wrong, message):
    with pytest.raises(ValueError, match=message):
        wrong.fit(trained(tables))


@pytest.mark.parametrize("recommender", METHODS, ids=lambda one: one.name)
def test_the_same_events_in_another_order_give_the_same_bits(tables, recommender):
    rows = random_shop()
    shuffled = [rows[i] for i in np.random.default_rng(1).permutation(len(rows))]

    def scores(of: list[tuple[str, ...]]) -> csr_matrix:
        training = trained(tables, of, items=items_of(ITEMS))
        return recommender.fit(training).score(np.arange(training.shape[0]))

    one, other = scores(rows), scores(shuffled)
    assert one.dtype == np.float32
    assert one.nnz == other.nnz > 0
    assert one.toarray().tobytes() == other.toarray().tobytes()


@pytest.mark.parametrize("recommender", METHODS, ids=lambda one: one.name)
@pytest.mark.parametrize("rows", [SHOP[:1], SHOP[4:7], [(c, "x", "2024-01-01") for c in "ABC"]])
def test_the_smallest_shops_are_managed(tables, recommender, rows):
    training = trained(tables, rows)
    scores = recommender.fit(training).score(np.arange(training.shape[0]))
    assert scores.shape == training.shape
    assert (scores.data > 0).all()
