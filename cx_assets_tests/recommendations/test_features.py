"""Candidates of the ranker and what is told of each, on a shop small enough to work it out."""

import numpy as np
import pytest

from cx_assets.recommendations.customer_knn import CustomerKnn
from cx_assets.recommendations.ease import Ease
from cx_assets.recommendations.features import SOURCES, FeatureMaker
from cx_assets_tests.recommendations.samples import items_of, scores_of, trained

# As of January 11th. p had by B to F, q by A to E, n (not recommendable) by all six, s by A alone, t by F alone: only
# what five customers had is proposed anew.
ROWS = [
    *((customer, "p", "2024-01-05") for customer in "BCDEF"),
    *((customer, "q", "2024-01-08") for customer in "ABCDE"),
    *((customer, "n", "2024-01-09") for customer in "ABCDEF"),
    ("A", "s", "2024-01-01"),
    ("A", "s", "2024-01-04"),
    ("A", "s", "2024-01-09"),
    ("F", "t", "2024-01-10"),
]
IDS = "npqst"
# n and p are books, q and s tools, t is a toy.
CATEGORIES = ["books", "books", "tools", "tools", "toys"]


@pytest.fixture
def training(tables):
    return training_of(tables)


def training_of(tables, rows=ROWS, **given):
    items = items_of(IDS, hidden="n", categories=CATEGORIES)
    return trained(tables, rows, items=items, customers=np.array(["Z"], dtype=object), **given)


def pairs(training, found):
    """Customer and item ids of candidates."""
    index = training.interactions
    return [
        (str(index.customers[customer]), str(index.items[item]))
        for customer, item in zip(found.customer, found.item, strict=True)
    ]


def everyone(training):
    return np.arange(training.shape[0])


def told(training, customer, item):
    """All features of a candidate, by name."""
    found = FeatureMaker(training).candidates(training.interactions.customer_positions([customer]))
    row = pairs(training, found).index((customer, item))
    return dict(zip(found.names, found.features[row].tolist(), strict=True))


def test_candidates_are_what_was_had_and_what_enough_others_had(training):
    found = FeatureMaker(training).candidates(training.interactions.customer_positions(["A", "F"]))
    assert pairs(training, found) == [("A", "p"), ("A", "q"), ("A", "s"), ("F", "p"), ("F", "q"), ("F", "t")]


def test_candidates_are_ordered_by_customer_then_item_without_duplicates(training):
    found = FeatureMaker(training).candidates(everyone(training))
    keys = found.customer * training.shape[1] + found.item
    assert (np.diff(keys) > 0).all()


def test_what_was_had_is_marked_and_proposed_by_nobody_and_what_is_new_by_somebody(training):
    found = FeatureMaker(training).candidates(everyone(training))
    had = training.counts.toarray()[found.customer, found.item] > 0
    assert had.any()
    assert not had.all()
    assert found.had.tolist() == had.tolist()
    assert (found.sources.any(axis=1) == ~had).all()
    assert found.sources.shape == (len(had), len(SOURCES))


def test_what_may_not_be_recommended_is_nobodys_candidate_though_all_have_had_it(training):
    found = FeatureMaker(training).candidates(everyone(training))
    assert "n" not in {item for _, item in pairs(training, found)}


def test_new_candidates_and_those_had_before_may_be_asked_for_apart(training):
    maker = FeatureMaker(training)
    both, new, before = (
        maker.candidates(everyone(training), **asked) for asked in ({}, {"before": False}, {"new": False})
    )
    assert not new.had.any()
    assert before.had.all()
    assert sorted(pairs(training, new) + pairs(training, before)) == pairs(training, both)


def test_a_customer_without_a_history_is_offered_what_others_bought_of_late_and_nothing_else(tables):
    training = training_of(tables)
    found = FeatureMaker(training).candidates(training.interactions.customer_positions(["Z"]))
    assert pairs(training, found) == [("Z", "p"), ("Z", "q")]
    # One source each, and it is the same one.
    assert found.sources.sum() == 2
    assert (found.sources[0] == found.sources[1]).all()
    # Nothing was bought in the four weeks before the last day of February.
    long_ago = training_of(tables, as_of=np.datetime64("2024-02-29").astype(object))
    assert len(FeatureMaker(long_ago).candidates(long_ago.interactions.customer_positions(["Z"])).item) == 0


def test_candidates_and_features_of_a_customer_do_not_depend_on_who_else_is_asked_for(training):
    maker = FeatureMaker(training)
    whole = maker.candidates(everyone(training))
    for customer in everyone(training):
        alone = maker.candidates(np.array([customer]))
        rows = whole.customer == customer
        assert np.array_equal(alone.item, whole.item[rows])
        assert np.array_equal(alone.sources, whole.sources[rows])
        assert np.array_equal(alone.features, whole.features[rows], equal_nan=True)


def test_a_source_proposes_its_best_and_their_equals(tables):
    # Four items of five customers each who share nothing else: all alike to a stranger, w ahead by one customer.
    rows = [(f"{i}{n}", i, "2024-01-05") for i in "wxyz" for n in range(5)] + [("more", "w", "2024-01-05")]
    training = trained(tables, rows, items=items_of("wxyz"), customers=np.array(["Z"], dtype=object))
    stranger = training.interactions.customer_positions(["Z"])
    assert pairs(training, FeatureMaker(training, 1).candidates(stranger)) == [("Z", "w")]
    # The second place is shared by three.
    assert pairs(training, FeatureMaker(training, 2).candidates(stranger)) == [("Z", item) for item in "wxyz"]


def test_every_feature_has_a_name_of_its_own(training):
    found = FeatureMaker(training).candidates(everyone(training))
    assert found.features.shape == (len(found.item), len(found.names))
    assert len(set(found.names)) == len(found.names)
    assert found.features.dtype == np.float32
    assert not np.isinf(found.features).any()


def test_figures_of_the_pair_the_customer_and_the_item_are_told(training):
    found = told(training, "A", "s")
    # A had s 10, 7 and 2 days ago; A's baskets were 10, 7, 3 and 2 days ago; s has one customer.
    assert (found["times"], found["last_age"], found["gap"], found["gap_deviation"]) == (3, 2, 4, 1)
    assert found["customer_baskets"] == 4
    assert found["customer_gap"] == pytest.approx(8 / 3)
    assert (found["item_customers"], found["item_gap"], found["item_repurchase"]) == (1, 4, 1)


def test_what_is_due_is_told_by_what_passed_against_what_usually_passes(training):
    found = told(training, "A", "s")
    assert found["due"] == pytest.approx(2 / 4)
    assert found["due_by_item"] == pytest.approx(2 / 4)
    assert found["due_in_28"] == pytest.approx((2 + 28) / 4)
    assert found["lateness"] == pytest.approx((2 - 4) / 1)
    # In 3 of 4 baskets since the first time; the last one was one basket ago.
    assert found["basket_rate"] == pytest.approx(3 / 4)
    assert found["due_in_baskets"] == pytest.approx(1 * 3 / 4)
    assert found["span_share"] == pytest.approx((10 - 2) / 10)
    assert found["baskets_expected"] == pytest.approx(28 / (8 / 3))


def test_of_what_was_had_once_it_is_not_known_when_it_is_due(training):
    found = told(training, "A", "q")
    # Nobody had q twice, so the others don't tell either.
    assert np.isnan([found[name] for name in ("gap", "due", "due_by_item", "due_in_28", "lateness")]).all()
    # A's baskets since: of the 8th and the 9th.
    assert (found["times"], found["basket_rate"]) == (1, 1 / 2)


def test_of_what_is_new_nothing_of_the_pair_is_known_and_all_of_the_item(training):
    found = told(training, "A", "p")
    own = ("times", "last_age", "gap", "faded_14", "due", "basket_rate", "due_in_baskets", "stocked", "span_share")
    assert np.isnan([found[name] for name in own]).all()
    assert (found["item_customers"], found["item_customers_28"], found["customer_baskets"]) == (5, 5, 4)


def test_the_share_of_a_category_is_of_faded_times(training):
    faded = {item: sum(0.5 ** (age / 45) for age in ages) for item, ages in (("n", [2]), ("q", [3]), ("s", [10, 7, 2]))}
    tools = (faded["q"] + faded["s"]) / sum(faded.values())
    assert told(training, "A", "s")["category_share"] == pytest.approx(tools, rel=1e-6)
    assert told(training, "A", "q")["category_share"] == pytest.approx(tools, rel=1e-6)
    assert told(training, "A", "p")["category_share"] == pytest.approx(1 - tools, rel=1e-6)


def test_a_category_is_due_by_all_of_its_items_and_loyal_by_this_one(training):
    found = told(training, "A", "s")
    # Tools 10, 7, 3 and 2 days ago, so 8 days for three gaps, the last 2 days ago; three of four times it was s.
    assert found["category_due"] == pytest.approx(2 / (8 / 3))
    assert found["category_loyalty"] == pytest.approx(3 / 4)


def test_what_collaborative_sources_think_is_told_of_what_enough_others_had(training):
    found = told(training, "A", "p")
    ease = Ease().fit(training)
    dense = ease.dense(training.interactions.customer_positions(["A"]))[0]
    place = list(training.interactions.items[ease.pool_]).index("p")
    assert found["ease"] == pytest.approx(float(dense[place]), rel=1e-6)
    near = scores_of(CustomerKnn("cosine").fit(training), training, "A")
    assert found["neighbours"] == pytest.approx(near["p"], rel=1e-6)
    # p was had by all of them in the last four weeks, 6 days ago.
    assert found["neighbours_lately"] == pytest.approx(near["p"], rel=1e-6)
    assert found["neighbours_faded"] == pytest.approx(near["p"] * 0.5 ** (6 / 30), rel=1e-5)


def test_of_rare_items_sources_are_not_asked(training):
    found = told(training, "A", "s")
    assert np.isnan([found[name] for name in ("ease", "neighbours", "neighbours_lately", "neighbours_faded")]).all()


def test_where_every_item_is_rare_what_was_had_is_still_a_candidate(tables):
    training = training_of(tables, [row for row in ROWS if row[0] in "ABC"])
    found = FeatureMaker(training).candidates(everyone(training))
    # n may not be recommended.
    assert len(found.item) == (training.counts.toarray()[:, 1:] > 0).sum()
