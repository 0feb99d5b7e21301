"""Reasons say what really led to an item."""

import numpy as np
import pandas as pd

from cx_assets.recommendations.basket_rules import BasketRules
from cx_assets.recommendations.customer_knn import CustomerKnn
from cx_assets.recommendations.ease import Ease
from cx_assets.recommendations.explanation import Explainer
from cx_assets.recommendations.item_knn import Content, ItemKnn
from cx_assets.recommendations.popularity import Popularity
from cx_assets_tests.recommendations.samples import SHOP, items_of, trained

RULES = pd.DataFrame(
    {
        "antecedent": [["y"], ["x", "y"], ["z"]],
        "consequent": [["z"], ["z"], ["w"]],
        "confidence": [0.3, 0.5, 0.4],
        "lift": [1.5, 2.0, 3.24],
    }
)


def pairs(training, *wanted):
    """Positions of (customer, item) pairs."""
    customers, items = zip(*wanted, strict=True)
    return training.interactions.customer_positions(customers), training.interactions.item_positions(items)


def test_a_repeat_is_explained_by_how_often_and_when_last(tables):
    training = trained(tables)
    found = Explainer(training).repeat(*pairs(training, ("A", "x"), ("A", "y"), ("B", "z")))
    assert found == [
        "bought 3 times, about every day, last 8 days ago",
        "bought once, yesterday",
        "bought twice, last 2 days ago",
    ]


def test_a_repeat_is_due_after_the_customers_usual_gap_or_else_after_everyones(tables):
    rows = [("A", "x", "2024-01-01"), ("A", "x", "2024-01-05"), ("B", "x", "2024-01-02"), ("B", "y", "2024-01-02")]
    training = trained(tables, rows, items=items_of("xy"))
    due = Explainer(training).due(*pairs(training, ("A", "x"), ("B", "x"), ("B", "y")))
    assert np.datetime_as_string(due).tolist() == ["2024-01-09", "2024-01-06", "NaT"]


def test_the_items_of_the_largest_weights_are_named(tables):
    training = trained(tables, items=items_of("wxyz"))
    ease = Ease(l2=0.5, min_customers=1).fit(training)
    customers, items = pairs(training, ("A", "z"))
    had = training.interactions.item_positions(["x", "y"])
    weights = ease.weights(np.searchsorted(ease.pool_, items))[np.searchsorted(ease.pool_, had), 0]
    names = [("THE X", "THE Y")[i] for i in np.argsort(-weights) if weights[i] > 0]
    found = Explainer(training).discovery(ease, customers, items)
    assert found == [f"because you bought {' and '.join(names)}"]


def test_what_was_only_viewed_is_not_called_bought(tables):
    rows = [("A", "x", "2024-01-01"), ("A", "x", "2024-01-05", "view"), ("A", "y", "2024-01-02", "view")]
    training = trained(tables, rows, items=items_of("xy"))
    found = Explainer(training).repeat(*pairs(training, ("A", "x"), ("A", "y")))
    assert found == ["bought once, 10 days ago", "seen once, 9 days ago"]


def test_neighbours_who_had_the_item_are_counted(tables):
    training = trained(tables, [*SHOP, ("D", "x", "2024-01-01"), ("D", "w", "2024-01-01")])
    fitted = CustomerKnn().fit(training)
    found = Explainer(training).discovery(fitted, *pairs(training, ("A", "z"), ("B", "w")))
    # A is like B and D, of whom B has z; B is like A, C and D, of whom C and D have w.
    assert found == [
        "bought by 1 of the 2 customers most like this one",
        "bought by 2 of the 3 customers most like this one",
    ]


def test_the_items_that_contribute_most_are_named(tables):
    training = trained(tables)
    found = Explainer(training).discovery(ItemKnn().fit(training), *pairs(training, ("A", "z"), ("B", "w")))
    # x has the lower cosine to z but counts double: 2 * 0.378 against 0.598.
    assert found == ["because you bought THE X and THE Y", "because you bought THE Z"]


def test_items_alike_by_their_attributes_are_called_similar(tables):
    training = trained(tables, items=items_of("vwxyz", categories=["q", "q", "p", "p", "q"]))
    found = Explainer(training).discovery(Content().fit(training), *pairs(training, ("B", "w")))
    assert found == ["similar: because you bought THE Z"]


def test_the_applying_rule_of_the_highest_confidence_is_named(tables):
    training = trained(tables, rules=RULES)
    found = Explainer(training).discovery(BasketRules().fit(training), *pairs(training, ("B", "w"), ("A", "z")))
    assert found == ["often in the basket with THE Z (lift 3.2)", "often in the basket with THE X and THE Y (lift 2.0)"]


def test_what_is_not_personal_is_explained_by_popularity(tables):
    training = trained(tables)
    found = Explainer(training).discovery(Popularity().fit(training), *pairs(training, ("A", "z")))
    assert found == ["popular: bought by 2 customers"]


def test_nobody_is_said_to_have_bought_where_there_are_other_events_too(tables):
    training = trained(tables, [*SHOP, ("C", "x", "2024-01-01", "view")])
    found = Explainer(training).discovery(Popularity().fit(training), *pairs(training, ("A", "z")))
    assert found == ["popular: chosen by 2 customers"]


def test_no_pairs_have_no_reasons(tables):
    training = trained(tables, rules=RULES)
    nobody = np.array([], dtype=np.intp)
    for part in (CustomerKnn(), ItemKnn(), BasketRules(), Popularity()):
        assert Explainer(training).discovery(part.fit(training), nobody, nobody) == []
    assert Explainer(training).repeat(nobody, nobody) == []
