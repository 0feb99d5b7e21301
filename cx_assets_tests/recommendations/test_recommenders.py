"""Each recommender against scores worked out by hand, on the shop of three customers and four items."""

import math

import numpy as np
import pandas as pd
import pytest

from cx_assets.recommendations.basket_rules import BasketRules, rule_book
from cx_assets.recommendations.blend import Blend, BlendWeights
from cx_assets.recommendations.catalogue import recommenders
from cx_assets.recommendations.chance import Chance
from cx_assets.recommendations.customer_knn import CustomerKnn
from cx_assets.recommendations.item_knn import Content, ItemKnn
from cx_assets.recommendations.personal_frequency import PersonalFrequency
from cx_assets.recommendations.popularity import Popularity, RecentPopularity
from cx_assets.recommendations.ranking import rank
from cx_assets_tests.recommendations.samples import SHOP, items_of, listed, scores_of, trained

LN2 = math.log(2)
RULES = pd.DataFrame(
    {
        "antecedent": [["x", "y"], ["y"], ["z"]],
        "consequent": [["z"], ["z"], ["w"]],
        "confidence": [0.5, 0.3, 0.4],
        "lift": [2.0, 1.5, 3.2],
    }
)
# Log counts in units of ln 2: A (x 2, y 1), B (x 1, y 1, z log2 3), C (z 1, w 1).
A_LIKE_B = 3 / math.sqrt(5) / math.sqrt(2 + math.log2(3) ** 2)
B_LIKE_C = math.log2(3) / math.sqrt(2 + math.log2(3) ** 2) / math.sqrt(2)


def test_popularity_counts_distinct_customers_and_not_events(tables):
    training = trained(tables)
    assert scores_of(Popularity().fit(training), training, "A") == {"w": 1, "x": 2, "y": 2, "z": 2}


def test_recent_popularity_counts_the_customers_of_the_last_days_only(tables):
    training = trained(tables)
    assert scores_of(RecentPopularity(days=5).fit(training), training, "A") == {"w": 1, "y": 1, "z": 1}


def test_recent_popularity_refuses_a_window_of_no_days(tables):
    with pytest.raises(ValueError, match="days must be at least 1"):
        RecentPopularity(days=0).fit(trained(tables))


def test_personal_frequency_counts_the_customers_own_events(tables):
    training = trained(tables)
    assert scores_of(PersonalFrequency().fit(training), training, "A") == {"x": 3, "y": 1}


def test_decayed_personal_frequency_halves_with_every_half_life(tables):
    training = trained(tables)
    expected = {"x": 0.5**1.0 + 0.5**0.9 + 0.5**0.8, "y": 0.5**0.1}
    assert scores_of(PersonalFrequency(10).fit(training), training, "A") == pytest.approx(expected, rel=1e-6)


def test_what_has_faded_below_the_smallest_number_is_still_offered_again(tables):
    training = trained(tables, [("A", "x", "1990-01-01")])
    assert scores_of(PersonalFrequency(1).fit(training), training, "A")["x"] > 0


@pytest.mark.parametrize("half_life", [0, -1, float("nan")])
def test_a_half_life_that_is_not_above_zero_is_refused(tables, half_life):
    with pytest.raises(ValueError, match="half_life_days must be above 0"):
        PersonalFrequency(half_life).fit(trained(tables))


def test_equal_personal_frequencies_are_ordered_by_popularity_then_id(tables):
    rows = [("A", "x", "2024-01-01"), ("A", "w", "2024-01-01"), ("A", "z", "2024-01-01"), ("B", "z", "2024-01-01")]
    training = trained(tables, rows)
    lists = rank(PersonalFrequency().fit(training), training, np.array([0]), "repeat", 3)
    assert listed(lists, training) == {"A": ["z", "w", "x"]}


def test_customer_knn_sums_the_similarities_of_the_neighbours_who_had_it(tables):
    training = trained(tables)
    fitted = CustomerKnn("cosine").fit(training)
    assert scores_of(fitted, training, "A") == pytest.approx(dict.fromkeys("xyz", A_LIKE_B), rel=1e-6)
    expected = {"x": A_LIKE_B, "y": A_LIKE_B, "z": B_LIKE_C, "w": B_LIKE_C}
    assert scores_of(fitted, training, "B") == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("method", ["cosine", "pearson"])
def test_customer_knn_equals_the_dense_formula(tables, method):
    random = np.random.default_rng(3)
    counts = random.poisson(0.7, size=(12, 9))
    rows = [(f"c{c:02d}", f"i{i}", "2024-01-01") for c, i in np.argwhere(counts) for _ in range(counts[c, i])]
    training = trained(tables, rows, items=items_of([f"i{i}" for i in range(9)]))
    logs = np.log1p(training.counts.toarray().astype(float))
    had = logs > 0
    if method == "pearson":
        logs = np.where(had, logs - (logs.sum(1) / had.sum(1))[:, None], 0)
    lengths = np.linalg.norm(logs, axis=1)
    outer = np.outer(lengths, lengths)
    # A row of equal counts has no variance; rounding leaves 1e-16 of it.
    similar = np.divide(logs @ logs.T, outer, out=np.zeros_like(outer), where=outer > 1e-9)
    if method == "pearson":
        similar[(had.astype(int) @ had.T.astype(int)) < 2] = 0
    np.fill_diagonal(similar, 0)
    expected = np.maximum(similar, 0) @ had
    found = CustomerKnn(method).fit(training).score(np.arange(12)).toarray()
    assert found == pytest.approx(expected, abs=1e-5)


def test_item_knn_sums_cosines_with_the_customers_items_by_their_log_counts(tables):
    training = trained(tables)
    z_length = math.sqrt(math.log2(3) ** 2 + 1)
    x_like_z, y_like_z = math.log2(3) / math.sqrt(5) / z_length, math.log2(3) / math.sqrt(2) / z_length
    found = scores_of(ItemKnn().fit(training), training, "A")
    assert found["z"] == pytest.approx(2 * LN2 * x_like_z + LN2 * y_like_z, rel=1e-6)
    assert "w" not in found


def test_items_of_too_few_customers_have_no_item_neighbours(tables):
    training = trained(tables, min_customers=2)
    assert "w" not in scores_of(ItemKnn().fit(training), training, "B")
    assert "z" in scores_of(ItemKnn().fit(training), training, "A")


def test_content_offers_what_is_described_alike_also_if_nobody_has_had_it(tables):
    items = items_of("vwxyz", categories=["q", "q", "p", "p", "q"])
    training = trained(tables, items=items)
    fitted = Content().fit(training)
    assert scores_of(fitted, training, "A") == pytest.approx({"x": LN2, "y": 2 * LN2}, rel=1e-6)
    expected = {"v": 2 * LN2, "w": LN2, "z": LN2}
    assert scores_of(fitted, training, "C") == pytest.approx(expected, rel=1e-6)


def test_a_filled_in_attribute_makes_no_items_alike(tables):
    items = items_of("wxyz", categories=list("abcd")).assign(brand="common", brand_imputed=True)
    training = trained(tables, items=items)
    assert Content().fit(training).score(np.arange(3)).nnz == 0


def test_rules_give_the_highest_confidence_of_those_whose_whole_antecedent_was_had(tables):
    training = trained(tables, rules=RULES)
    fitted = BasketRules().fit(training)
    assert scores_of(fitted, training, "A") == pytest.approx({"z": 0.5})
    assert scores_of(fitted, training, "B") == pytest.approx({"z": 0.5, "w": 0.4})
    assert scores_of(fitted, training, "C") == pytest.approx({"w": 0.4})


def test_without_rules_the_rules_recommender_offers_nothing(tables):
    training = trained(tables)
    assert BasketRules().fit(training).score(np.arange(3)).nnz == 0


def test_a_rule_about_an_unknown_item_is_refused():
    with pytest.raises(ValueError, match="not in the catalogue"):
        rule_book(RULES, np.array(["w", "x", "y"], dtype=object))


def test_random_scores_of_a_pair_do_not_depend_on_the_other_data(tables):
    all_of_it = trained(tables)
    less = trained(tables, [row for row in SHOP if row[0] == "A"], items=items_of("wxy"))
    whole = scores_of(Chance().fit(all_of_it), all_of_it, "A")
    part = scores_of(Chance().fit(less), less, "A")
    assert part == {item: whole[item] for item in part}
    assert whole != scores_of(Chance(seed=1).fit(all_of_it), all_of_it, "A")


def test_random_lists_reach_every_item_about_equally_often(tables):
    rows = [(f"c{i:04d}", "i00", "2024-01-01") for i in range(2000)]
    training = trained(tables, rows, items=items_of([f"i{i:02d}" for i in range(21)]))
    lists = rank(Chance().fit(training), training, np.arange(2000), "discovery", 20)
    assert (np.bincount(lists.item, minlength=21)[1:] == 2000).all()
    assert len(set(lists.item[lists.rank == 1])) > 15


def test_the_blend_adds_faded_counts_and_the_neighbours_choice(tables):
    training = trained(tables)
    weights = BlendWeights(10, 1, customer_knn=1, item_knn=0, content=0, rules=0, popularity=0, discovery_scale=0.1)
    found = scores_of(Blend(weights).fit(training), training, "A")
    expected = {"x": 0.5**1.0 + 0.5**0.9 + 0.5**0.8 + 1, "y": 0.5**0.1 + 1, "z": 0.1}
    assert found == pytest.approx(expected, rel=1e-6)


def test_the_blend_scales_every_part_by_its_best_new_item(tables):
    training = trained(tables, [*SHOP, ("D", "x", "2024-01-01")], rules=RULES)
    weights = BlendWeights(10, 0, customer_knn=0, item_knn=0, content=0, rules=2, popularity=1, discovery_scale=1)
    found = scores_of(Blend(weights).fit(training), training, "A")
    # z is the most popular new item (2 customers, w 1) and the only one of a rule.
    assert (found["z"], found["w"]) == pytest.approx((2 + 1, 0.5), rel=1e-6)


@pytest.mark.parametrize("wrong", [{"item_knn": -0.1}, {"half_life_days": 0.0}, {"rules": float("nan")}])
def test_blend_weights_that_mean_nothing_are_refused(wrong):
    with pytest.raises(ValueError, match=f"BlendWeights.{next(iter(wrong))}"):
        BlendWeights(**wrong)


def test_the_recommenders_have_names_of_their_own_and_say_what_they_do():
    names = [one.name for one in recommenders()]
    assert len(set(names)) == len(names)
    assert names[-1] == "ranker"
    assert all(type(one).__doc__ for one in recommenders())


@pytest.mark.parametrize("recommender", recommenders(), ids=lambda one: one.name)
def test_every_recommender_is_indifferent_to_the_order_of_the_rows(tables, recommender):
    random = np.random.default_rng(1)
    shuffled = [SHOP[i] for i in random.permutation(len(SHOP))]
    items = items_of("wxyz")
    one = trained(tables, rules=RULES, items=items)
    other = trained(tables, shuffled, rules=RULES.iloc[::-1], items=items.iloc[::-1])
    first = recommender.fit(one).score(np.arange(3))
    second = recommender.fit(other).score(np.arange(3))
    assert (first != second).nnz == 0


@pytest.mark.parametrize("recommender", recommenders(), ids=lambda one: one.name)
@pytest.mark.parametrize(
    "rows",
    [[("A", "x", "2024-01-01")], [(c, "x", "2024-01-01") for c in "ABC"], [("A", i, "2024-01-01") for i in "wxyz"]],
    ids=["one event", "an item that everyone has", "a customer who has everything"],
)
def test_every_recommender_manages_the_smallest_shops(tables, recommender, rows):
    training = trained(tables, rows)
    customers = np.arange(training.shape[0])
    scores = recommender.fit(training).score(customers)
    assert scores.shape == training.shape
    assert np.isfinite(scores.data).all()
    lists = rank(recommender, training, customers, "discovery", 20)
    had = {(c, i) for c, i, *_ in rows}
    assert not {(c, i) for c, shown in listed(lists, training).items() for i in shown} & had


@pytest.mark.parametrize("recommender", recommenders(), ids=lambda one: one.name)
def test_a_customer_without_history_is_no_error_for_any_recommender(tables, recommender):
    training = trained(tables, customers=np.array(["Z"], dtype=object))
    position = training.interactions.customer_positions(["Z"])
    assert recommender.fit(training).score(position).shape == (1, 4)
