"""What the report reads from the tables of the stages."""

from collections.abc import Callable

import pandas as pd
import pytest

from cx_assets.evaluation.report_data import (
    customers_in,
    customers_with,
    examples_of,
    quality_of,
    recommendable_items,
    rules_of,
    segments_of,
)
from cx_assets.table import Table, sql

Tables = Callable[[pd.DataFrame], Table]
RULE = ["level", "antecedent", "consequent", "confidence", "lift", "customers"]


@pytest.fixture
def items(tables: Tables) -> Table:
    frame = pd.DataFrame({"item_id": ["a", "a2", "b", "c"], "name": ["APPLE", "APPLE (RED)", "BREAD", "COAL"]})
    return tables(frame.assign(category=["X", "X", "Y", "Z"], recommendable=[True, False, True, False]))


def none_of(table: Table) -> Table:
    return sql("select * from t where false", t=table)


def test_raw_rows_are_clean_rejected_or_duplicates(tables: Tables) -> None:
    clean = tables(pd.DataFrame({"copies": [1, 1, 2, 1, 1, 1]}))
    rejected = tables(pd.DataFrame({"reason": ["no item", "no customer", "no item"]}))
    withdrawn = tables(pd.DataFrame({"outcome": ["returned", "return", "reduced"]}))
    quality = quality_of(clean, rejected, none_of(withdrawn))
    assert [count for _, count in quality.flow] == [10, 1, 3, 6]
    assert quality.rejected == [("no item", 2), ("no customer", 1)]
    assert [count for _, count in quality_of(clean, rejected, withdrawn).flow] == [12, 1, 3, 2, 6]


def test_segments_come_largest_first_with_what_sets_them_apart(tables: Tables) -> None:
    profiles = tables(
        pd.DataFrame(
            {
                "segment_id": [1, 2],
                "segment": ["few", "many"],
                "customers": [3, 7],
                "share_of_value": [0.6, 0.4],
                "traits": [["spends more", "comes often"], []],
                "top_categories": [["tea", "jam", "bun", "ham"], ["ale"]],
            }
        )
    )
    found = segments_of(profiles)
    assert found["name"].tolist() == ["many", "few"]
    assert found["apart"].tolist() == ["", "spends more; comes often"]
    assert found["categories"].tolist() == ["ale", "tea, jam, bun"]
    assert segments_of(none_of(profiles)).empty


def test_rules_come_by_lift_with_names_for_items_and_nothing_told_twice(tables: Tables, items: Table) -> None:
    rules = tables(
        pd.DataFrame(
            [
                ("item", ["a"], ["b"], 0.5, 2.0, 9),
                ("item", ["a", "c"], ["b"], 0.6, 3.0, 5),
                ("item", ["a"], ["a2"], 0.9, 9.0, 9),
                ("item", ["b"], ["a"], 0.4, 2.0, 9),
                ("item", ["b"], ["c"], 0.4, 1.2, 9),
                ("item", ["b", "c"], ["a"], 0.4, 1.1, 9),
                ("category", ["a"], ["tea"], 0.4, 1.5, 9),
            ],
            columns=RULE,
        )
    )
    found = rules_of(rules, items)
    assert found[["level", "antecedent", "consequent"]].to_numpy().tolist() == [
        ["category", "a", "tea"],
        ["item", "APPLE + COAL", "BREAD"],
        ["item", "BREAD", "APPLE"],
        ["item", "BREAD", "COAL"],
    ]
    assert rules_of(none_of(rules), items).empty


def test_the_example_of_a_segment_is_its_middle_customer(tables: Tables, items: Table) -> None:
    interactions = tables(
        pd.DataFrame(
            [("low", "a", 1), ("mid", "a", 2), ("mid", "b", 3), ("top", "a", 9), ("sole", "c", 1)],
            columns=["customer_id", "item_id", "events"],
        )
    )
    segments = tables(
        pd.DataFrame(
            [("low", 1, "S"), ("mid", 1, "S"), ("top", 1, "S"), ("sole", 2, "T"), ("never", -1, "no history")],
            columns=["customer_id", "segment_id", "segment"],
        )
    )
    lists = tables(
        pd.DataFrame(
            [("mid", "repeat", 1, "b", "had it"), ("mid", "discovery", 1, "c", "new"), ("low", "repeat", 1, "a", "x")],
            columns=["customer_id", "list", "rank", "item_id", "reason"],
        )
    )
    first, second = examples_of(lists, interactions, segments, items)
    assert (first["customer_id"], first["segment"], first["had"]) == ("mid", "S", ["BREAD", "APPLE"])
    assert first["repeat"] == [{"item": "BREAD", "reason": "had it"}]
    assert first["discovery"] == [{"item": "COAL", "reason": "new"}]
    assert (second["customer_id"], second["repeat"], second["discovery"]) == ("sole", [], [])
    assert examples_of(lists, none_of(interactions), segments, items) == []


def test_customers_are_counted_once_however_often_they_act(tables: Tables, items: Table) -> None:
    events = tables(pd.DataFrame({"customer_id": ["x", "x", "y"], "item_id": ["a", "a", "a"]}))
    assert customers_with(events).to_dict() == {"a": 2}
    assert customers_in(events) == 2
    assert recommendable_items(items) == 2
