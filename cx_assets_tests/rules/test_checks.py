import pandas as pd
import pytest

from cx_assets.rules import checks
from cx_assets.rules import tables as declared
from cx_assets.rules.baskets import category_baskets, item_baskets
from cx_assets.rules.config import RuleMining
from cx_assets.rules.mining import mine_itemsets, rules_from_itemsets
from cx_assets.table import Table, from_frame, sql
from cx_assets_tests.rules.shop import purchases

MINING = RuleMining(category_min_support=2, item_min_support=2, min_customers=2, fdr=0.5)


@pytest.fixture
def shop(tables):
    """Tables of a small shop, mined: itemsets, rules, events, items, as frames that a test may spoil."""
    baskets = {
        **{f"b{i}": (f"c{i % 5}", "abd") for i in range(6)},
        **{f"b{i}": (f"c{i % 7}", "ab") for i in range(6, 10)},
        **{f"b{i}": (f"c{i % 7}", "ad") for i in range(10, 12)},
        **{f"b{i}": (f"c{i % 9}", "e") for i in range(12, 40)},
    }
    events = purchases(baskets)
    items = pd.DataFrame({"item_id": list("abde"), "category": ["X", "Y", "Z", "Z"]})
    by_item = item_baskets(tables(events))
    by_level = {"category": category_baskets(by_item, tables(items)), "item": by_item}
    itemsets = {level: mine_itemsets(by_level[level], MINING.settings(level)) for level in by_level}
    rules = {level: rules_from_itemsets(itemsets[level], 40, MINING.settings(level)) for level in by_level}
    return {
        "frequent_itemsets": pd.concat([frame.assign(level=level) for level, frame in itemsets.items()]),
        "rules": pd.concat([frame.assign(level=level) for level, frame in rules.items()]),
        "events": events,
        "items": items,
    }


@pytest.fixture
def judge(tables):
    """The verdict of a check on frames."""
    return lambda check, frames, *names, **resources: check(
        **{name: tables(frames[name].reset_index(drop=True)) for name in names}, **resources
    )


def spoiled(shop, table, row, **values):
    """The shop with other values in one row of one table."""
    frame = shop[table].reset_index(drop=True)
    for column, value in values.items():
        cells = frame[column].tolist()
        cells[row] = value
        frame[column] = cells
    return {**shop, table: frame}


def parts(judge, shop):
    return judge(checks.itemsets_are_no_more_frequent_than_their_parts, shop, "frequent_itemsets")


def test_mined_itemsets_and_rules_pass_every_check(shop, judge):
    assert len(shop["rules"]) > 5
    assert parts(judge, shop).passed
    assert judge(checks.itemsets_have_enough_customers, shop, "frequent_itemsets", rule_mining=MINING).passed
    assert judge(checks.rules_keep_their_limits, shop, "rules", rule_mining=MINING).passed
    assert judge(checks.rules_say_more_than_shorter_ones, shop, "rules", "frequent_itemsets").passed
    assert judge(checks.rules_figures_match_baskets, shop, "rules", "events", "items", rule_mining=MINING).passed


def test_empty_tables_pass_every_check(shop, connection):
    from_none = {
        spec.name: Table(connection, "select " + ", ".join(f"null::{c.type} as {c.name}" for c in spec.columns))
        for spec in (declared.FREQUENT_ITEMSETS, declared.RULES)
    }
    empty = {name: sql("select * from t where false", t=table) for name, table in from_none.items()}
    shop = {name: from_frame(connection, shop[name]) for name in ("events", "items")}

    assert checks.itemsets_are_no_more_frequent_than_their_parts(empty["frequent_itemsets"]).passed
    assert checks.itemsets_have_enough_customers(empty["frequent_itemsets"], MINING).passed
    assert checks.rules_keep_their_limits(empty["rules"], MINING).passed
    assert checks.rules_say_more_than_shorter_ones(empty["rules"], empty["frequent_itemsets"]).passed
    assert checks.rules_figures_match_baskets(empty["rules"], shop["events"], shop["items"], MINING).passed


def test_an_itemset_that_is_more_frequent_than_a_part_is_found(shop, judge):
    pair = int((shop["frequent_itemsets"]["size"].reset_index(drop=True) == 2).idxmax())

    verdict = parts(judge, spoiled(shop, "frequent_itemsets", pair, baskets=39))

    assert not verdict.passed
    assert "more frequent than a part" in verdict.description


def test_an_itemset_whose_part_is_missing_is_found(shop, judge):
    lacking = shop["frequent_itemsets"].iloc[1:]

    assert not parts(judge, {**shop, "frequent_itemsets": lacking}).passed


@pytest.mark.parametrize("values", [{"customers": 1}, {"customers": 10_000}, {"support": 1.5}, {"size": 9}])
def test_an_itemset_with_an_impossible_figure_or_too_few_customers_is_found(shop, judge, values):
    wrong = spoiled(shop, "frequent_itemsets", 0, **values)

    verdict = judge(checks.itemsets_have_enough_customers, wrong, "frequent_itemsets", rule_mining=MINING)

    assert not verdict.passed
    assert verdict.metadata["broken"].value == 1


@pytest.mark.parametrize(
    "values",
    [
        {"confidence": 1.2},
        {"confidence": 0.01},
        {"q_value": 0.6},
        {"q_value": float("nan")},
        {"customers": 1},
        {"lift": float("inf")},
        {"consequent": ["X", "Y"]},
        {"level": "brand"},
    ],
    ids=str,
)
def test_a_rule_outside_its_limits_is_found(shop, judge, values):
    verdict = judge(checks.rules_keep_their_limits, spoiled(shop, "rules", 0, **values), "rules", rule_mining=MINING)

    assert not verdict.passed
    assert verdict.metadata["broken"].value == 1


def test_a_redundant_rule_is_found(shop, judge):
    # b is always with a: a adds nothing to b -> d.
    told = shop["rules"].iloc[[0]].assign(level="item", baskets=6, confidence=0.6, lift=3.0)
    told["antecedent"], told["consequent"] = [["a", "b"]], [["d"]]
    wrong = {**shop, "rules": pd.concat([shop["rules"], told])}

    verdict = judge(checks.rules_say_more_than_shorter_ones, wrong, "rules", "frequent_itemsets")

    assert not verdict.passed
    assert "redundant" in verdict.description


def test_a_rule_that_does_not_raise_the_odds_is_found(shop, judge):
    wrong = spoiled(shop, "rules", 0, lift=1.0)

    assert not judge(checks.rules_say_more_than_shorter_ones, wrong, "rules", "frequent_itemsets").passed


@pytest.mark.parametrize("figure", ["support", "confidence", "lift", "leverage", "conviction", "baskets", "customers"])
@pytest.mark.parametrize("row", [0, -1], ids=["category", "item"])
def test_a_figure_that_the_baskets_do_not_give_is_found(shop, judge, figure, row):
    value = shop["rules"][figure].fillna(7.0).iloc[row] + 1
    wrong = spoiled(shop, "rules", row % len(shop["rules"]), **{figure: value})

    verdict = judge(checks.rules_figures_match_baskets, wrong, "rules", "events", "items", rule_mining=MINING)

    assert not verdict.passed
    assert verdict.metadata["broken"].value == 1


def test_the_sample_is_the_same_every_time_and_as_large_as_promised(shop, judge, monkeypatch):
    monkeypatch.setattr(checks, "SAMPLE", 2)

    first = judge(checks.rules_figures_match_baskets, shop, "rules", "events", "items", rule_mining=MINING)

    assert first.metadata["rows"].value == 4
    assert first == judge(checks.rules_figures_match_baskets, shop, "rules", "events", "items", rule_mining=MINING)
