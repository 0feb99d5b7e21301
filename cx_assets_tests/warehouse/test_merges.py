"""Laws of merging customers: who, into whom, on all days of events, and back again."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from shutil import copyfile
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cx_assets.dataset import load_dataset
from cx_assets.manifest import ManifestError
from cx_assets.table import Table
from cx_assets.warehouse.duplicates import find_merges, with_since
from cx_assets.warehouse.renaming import misnamed
from cx_assets_tests.registered_twice import MASTERS, RULE, registered_twice, write_registered_twice
from cx_assets_tests.runs import error_of, failed, load_shop, opened, rows, tamper
from cx_assets_tests.shop import TINY

pytestmark = pytest.mark.whole


def told(*keys: tuple[str, str, int]) -> pd.DataFrame:
    names = ["customer_id", "key_kind", "key"]
    return pd.DataFrame(keys, columns=names).astype(dict.fromkeys(names[:2], "str"))


def pairs(merges: pd.DataFrame) -> list[tuple[str, str, str]]:
    return list(merges.itertuples(index=False, name=None))


def test_customers_with_a_common_key_become_the_one_with_the_smallest_number() -> None:
    merges = find_merges(told(("10", "email", 1), ("9", "email", 1), ("7", "email", 2)), at_most=4)
    assert pairs(merges) == [("10", "9", "email")]


def test_merging_goes_on_from_key_to_key_and_tells_the_kinds_that_each_shares() -> None:
    merges = find_merges(
        told(("a", "email", 1), ("b", "email", 1), ("b", "phone", 5), ("c", "phone", 5), ("d", "phone", 6)), at_most=4
    )
    assert pairs(merges) == [("b", "a", "email+phone"), ("c", "a", "phone")]


def test_the_same_number_in_two_kinds_of_keys_is_no_common_key() -> None:
    assert find_merges(told(("a", "email", 1), ("b", "phone", 1)), at_most=4).empty


def test_a_key_of_more_customers_than_allowed_merges_nobody_but_their_other_keys_do() -> None:
    crowd = [(name, "phone", 1) for name in "abcde"]
    merges = find_merges(told(*crowd, ("d", "email", 1), ("e", "email", 1)), at_most=4)
    assert pairs(merges) == [("e", "d", "email")]
    assert len(find_merges(told(*crowd), at_most=5)) == 4


KEYS = st.sets(
    st.tuples(st.sampled_from("abcdefgh"), st.sampled_from(["email", "phone"]), st.integers(1, 4)), max_size=14
)


@settings(max_examples=40)
@given(KEYS, st.integers(2, 4), st.randoms(use_true_random=False))
def test_merges_are_the_connected_customers_in_any_order_of_delivery(
    keys: set[tuple[str, str, int]], at_most: int, random: Any
) -> None:
    group = {name: {name} for name, _, _ in keys}
    for kind, key in sorted({(kind, key) for _, kind, key in keys}):
        sharing = sorted(name for name, *rest in keys if rest == [kind, key])
        if len(sharing) <= at_most:
            joined = set().union(*(group[name] for name in sharing))
            group.update(dict.fromkeys(joined, joined))
    shuffled = list(keys)
    random.shuffle(shuffled)
    found = find_merges(told(*shuffled), at_most=at_most)
    expected = {name: min(members) for name, members in group.items() if name != min(members)}
    assert dict(zip(found["customer_id"], found["merged_into"], strict=True)) == expected


def test_a_merge_that_stood_before_keeps_its_date_and_a_new_one_has_todays() -> None:
    before = pd.DataFrame(
        {"customer_id": ["b", "c"], "merged_into": ["a", "a"], "since": pd.to_datetime(["2024-01-01", "2024-01-02"])}
    )
    merges = pd.DataFrame({"customer_id": ["b", "c"], "merged_into": ["a", "x"], "key_kind": ["email", "email"]})
    since = with_since(merges, before, datetime(2024, 5, 1))["since"]
    assert since.tolist() == [pd.Timestamp("2024-01-01"), pd.Timestamp("2024-05-01")]


TABLES = {
    "warehouse.events": "event_id",
    "warehouse.customers": "customer_id",
    "warehouse.baskets": "customer_id, basket_id",
    "warehouse.campaign_targets": "customer_id",
    "warehouse.campaign_responses": "customer_id",
}


@dataclass(frozen=True)
class Merging:
    """A shop, its databases without the rule and with it, and what the checks of either run complained of."""

    folder: Path
    apart: Path
    merged: Path
    told_apart: dict[str, str]
    told_merged: dict[str, str]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Merging:
    folder = tmp_path_factory.mktemp("merging")
    write_registered_twice(folder)
    apart, merged = folder / "apart.duckdb", folder / "merged.duckdb"
    told = [
        failed(load_shop(database, registered_twice(folder, rule), checked=True))
        for database, rule in ((apart, ""), (merged, RULE))
    ]
    return Merging(folder, apart, merged, *told)


def contents(database: Path) -> dict[str, list[tuple[Any, ...]]]:
    return {table: rows(database, f"select * from {table} order by {key}") for table, key in TABLES.items()}


def test_later_stages_see_one_customer(shop: Merging) -> None:
    assert rows(shop.merged, "select customer_id, merged_into, key_kind from warehouse.customer_merges") == [
        ("a2", "a1", "email+phone"),
        ("a3", "a1", "phone"),
    ]
    who = "select distinct customer_id from {} where customer_id like 'a%'"
    for table in TABLES:
        assert rows(shop.merged, who.format(table)) == [("a1",)], table
    assert rows(shop.merged, "select customer_id, copies from warehouse.campaign_responses") == [("a1", 2)]


def test_the_customer_who_stays_keeps_what_is_known_of_it_and_takes_the_rest_from_the_others(shop: Merging) -> None:
    found = rows(shop.merged, "select city, age, age_imputed from warehouse.customers where customer_id = 'a1'")
    assert found == [("Ulm", 30.0, False)]


def test_an_event_keeps_the_delivered_id_and_its_own(shop: Merging) -> None:
    query = "select event_id, coalesce(delivered_customer_id, customer_id) from warehouse.events order by event_id"
    assert rows(shop.merged, query) == rows(shop.apart, query)


def test_purchases_of_one_person_on_a_day_without_basket_ids_are_one_basket(shop: Merging) -> None:
    query = "select count(*) from warehouse.baskets where cast(occurred_at as date) = date '2024-03-01'"
    assert (rows(shop.apart, query), rows(shop.merged, query)) == ([(3,)], [(2,)])


def test_a_key_that_a_crowd_shares_merges_nobody_and_is_told(shop: Merging) -> None:
    told = shop.told_merged["raw_customers: no_key_is_a_crowds"]
    assert told.startswith("1 of 4 keys is shared by too many customers")


def test_shared_keys_that_nobody_has_decided_on_are_told(shop: Merging) -> None:
    told = shop.told_apart["customer_merges: duplicates_are_decided"]
    assert told.startswith("8 of 8 customers share a key with another and are not merged")
    assert "customer_merges: duplicates_are_decided" not in shop.told_merged


def test_a_run_of_one_day_merges_all_days_and_taking_the_rule_out_sets_all_apart_again(
    shop: Merging, tmp_path: Path
) -> None:
    database = tmp_path / "w.duckdb"
    copyfile(shop.apart, database)
    load_shop(database, registered_twice(shop.folder, RULE), days=("2024-03-05", "2024-03-05"))
    assert contents(database) == contents(shop.merged)
    since = rows(database, "select since from warehouse.customer_merges")
    load_shop(database, registered_twice(shop.folder, RULE), days=("2024-03-01", "2024-03-01"))
    assert rows(database, "select since from warehouse.customer_merges") == since
    load_shop(database, registered_twice(shop.folder, ""), days=("2024-03-03", "2024-03-03"))
    assert contents(database) == contents(shop.apart)


def test_days_whose_raw_events_are_gone_are_not_cleaned_anew_but_told(shop: Merging, tmp_path: Path) -> None:
    database = tmp_path / "w.duckdb"
    copyfile(shop.apart, database)
    tamper(database, "delete from ingestion.raw_events where day = date '2024-03-02'")
    before = contents(database)["warehouse.events"]
    result = load_shop(
        database, registered_twice(shop.folder, RULE), days=("2024-03-05", "2024-03-05"), raise_on_error=False
    )
    assert not result.success
    assert "events of 2024-03-02" in error_of(result)
    assert [event for event in contents(database)["warehouse.events"] if event[1].day == 2] == [
        event for event in before if event[1].day == 2
    ]


def test_of_a_key_nothing_is_stored_but_which_rows_have_an_equal_one(shop: Merging) -> None:
    found = rows(shop.merged, "select customer_id, email_key, phone_key from ingestion.raw_customers order by all")
    assert found == [
        *(("a1", 1, None), ("a2", 1, 2), ("a3", None, 2)),
        *(("b1", 4, 4), ("b2", None, 4), ("b3", None, 4), ("b4", None, 4), ("b5", None, 4)),
    ]


def test_an_event_under_an_id_that_no_longer_counts_is_found(shop: Merging, tmp_path: Path) -> None:
    copyfile(shop.merged, tmp_path / "w.duckdb")
    tamper(tmp_path / "w.duckdb", "delete from warehouse.customer_merges where customer_id = 'a3'")
    with opened(tmp_path / "w.duckdb") as connection:
        stored = (Table(connection, f"select * from warehouse.{name}") for name in ("events", "customer_merges"))
        assert [row[2:] for row in misnamed(*stored).fetchall()] == [("a3", "a1", "a3")]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (
            lambda text: text + "merge_customers: {by: [mail]}\n",
            "mail is no key of customers.merge_keys (email",
        ),
        (lambda text: text + "merge_customers: {by: [email], at_most: 1}\n", "at_most: Input should be greater than"),
        (lambda text: text.replace("country: DE", "country: XX"), "country: XX is no country"),
        (lambda text: text.replace("    city:", "    phone_key:"), "the attribute phone_key is called as the key's"),
    ],
)
def test_a_rule_that_cannot_be_followed_is_refused_with_its_place(
    shop: Merging, tmp_path: Path, change: Callable[[str], str], complaint: str
) -> None:
    manifest = tmp_path / "tiny_shop.yaml"
    manifest.write_text(change(TINY + MASTERS), "utf-8")
    with pytest.raises(ManifestError) as error:
        load_dataset(str(manifest))
    assert complaint in str(error.value)
