"""The checks of the warehouse, each failing on a table that was tampered with; all pass on the generated shop."""

import re
from collections.abc import Iterator

import dagster as dg
import pytest

from cx_assets.table import Table, sql
from cx_assets.table.warehouse import Warehouse
from cx_assets.warehouse.master_contract import MASTERS
from cx_assets_tests.conftest import LoadedShop
from cx_assets_tests.runs import shop_checks, verdicts

WARN, ERROR = dg.AssetCheckSeverity.WARN, dg.AssetCheckSeverity.ERROR


class Laws:
    """The stored tables of the generated shop, and its checks to ask about them."""

    def __init__(self, shop: LoadedShop, warehouse: Warehouse) -> None:
        self.shop = shop
        self.warehouse = warehouse

    def __getitem__(self, name: str) -> Table:
        """A stored table: a raw one by its own name, another without its stage."""
        return self.warehouse.query(f"select * from {'ingestion' if name.startswith('raw_') else 'warehouse'}.{name}")

    def changed(self, name: str, query: str) -> Table:
        """A stored table as a query over it, there called t."""
        return sql(query, t=self[name])

    def ask(self, check: str, *tables: Table, rejected_limit: float = 0.02) -> dg.AssetCheckResult:
        return shop_checks(self.shop.shop.dataset, rejected_limit=rejected_limit)[check](*tables)


@pytest.fixture(scope="module")
def laws(loaded_shop: LoadedShop) -> Iterator[Laws]:
    with Warehouse(path=str(loaded_shop.database)).opened("a test") as warehouse:
        yield Laws(loaded_shop, warehouse)


def test_every_check_was_asked_of_the_loaded_shop_and_the_blocking_ones_passed(loaded_shop: LoadedShop) -> None:
    told = verdicts(loaded_shop.result)
    checks = shop_checks(loaded_shop.shop.dataset)
    assert checks.keys() <= told.keys()
    blocking = {name for name, check in checks.items() if next(iter(check.check_specs)).blocking}
    assert blocking == {
        "raw_events: events_name_their_source",
        "events: nothing_is_lost",
        "withdrawn_events: withdrawn_events_name_two_rows",
        "events: events_keep_the_contract",
        "events: there_are_events",
        "events: events_are_under_the_customer_who_counts",
        "customer_merges: merges_end_at_a_customer_who_stays",
        "rejected_events: few_events_are_rejected",
        "rejected_events: no_day_is_mostly_rejected",
        "customers: references_hold",
        "items: references_hold",
        "baskets: baskets_add_up",
        *(f"{table}: nothing_is_lost" for table in MASTERS),
    }
    assert all(told[name].passed for name in blocking)


def test_an_event_that_is_lost_on_the_way_fails_for_its_day(laws: Laws) -> None:
    events = laws.changed("events", "select * from t order by occurred_at, event_id offset 1")
    verdict = laws.ask(
        "events: nothing_is_lost", laws["raw_events"], events, laws["rejected_events"], laws["withdrawn_events"]
    )
    assert not verdict.passed
    assert verdict.description.startswith(
        "1 of 20 days doesn't add up: raw = events + duplicates + rejected + withdrawn."
    )
    assert "2024-03-01" in verdict.metadata["examples"].value


def test_an_event_that_is_there_but_was_never_delivered_fails_too(laws: Laws) -> None:
    raw = laws.changed("raw_events", "select * from t where day <> '2024-03-05'")
    verdict = laws.ask(
        "events: nothing_is_lost", raw, laws["events"], laws["rejected_events"], laws["withdrawn_events"]
    )
    assert not verdict.passed
    assert verdict.metadata["broken"].value == 1


def test_a_day_with_nothing_but_rejected_events_that_were_never_delivered_fails(laws: Laws) -> None:
    nothing = (laws.changed(name, "select * from t limit 0") for name in ("raw_events", "events"))
    verdict = laws.ask("events: nothing_is_lost", *nothing, laws["rejected_events"], laws["withdrawn_events"])
    assert verdict.metadata["broken"].value == verdict.metadata["rows"].value > 1


def test_the_reconciliation_counts_what_there_is(laws: Laws) -> None:
    asked = (laws[name] for name in ("raw_events", "events", "rejected_events", "withdrawn_events"))
    verdict = laws.ask("events: nothing_is_lost", *asked)
    assert verdict.passed
    shop = laws.shop.shop
    assert verdict.metadata["raw"].value == shop.raw
    assert verdict.metadata["duplicates"].value == shop.duplicates
    assert verdict.metadata["rejected"].value == sum(shop.dirt.values())


@pytest.mark.parametrize("other", ["source_row", "source_row + 100000"], ids=["itself", "never delivered"])
def test_a_withdrawn_event_that_names_no_other_delivered_row_fails(laws: Laws, other: str) -> None:
    raw = laws["raw_events"]
    withdrawn = sql(
        "select day, 'cancelled' as outcome, 1.0 as quantity, 1.0 as value, source_file, source_row, "
        f"day as other_day, source_file as other_file, {other} as other_row from t limit 3",
        t=raw,
    )
    verdict = laws.ask("withdrawn_events: withdrawn_events_name_two_rows", withdrawn, raw)
    assert not verdict.passed
    assert verdict.metadata["broken"].value == 3


def test_rejected_events_above_the_operators_limit_fail_with_examples_and_counts_per_reason(laws: Laws) -> None:
    asked = laws["rejected_events"], laws["raw_events"]
    share = sum(laws.shop.shop.dirt.values()) / laws.shop.shop.raw
    assert laws.ask("rejected_events: few_events_are_rejected", *asked, rejected_limit=share).passed
    verdict = laws.ask("rejected_events: few_events_are_rejected", *asked, rejected_limit=share * 0.99)
    assert not verdict.passed
    assert "Above the limit of" in verdict.description
    assert "Correct the export or the manifest" in verdict.description
    assert verdict.metadata["rejected: value below 0"].value == 1


@pytest.mark.parametrize(
    "tampered",
    [
        "'' as customer_id",
        "'' as item_id",
        "'' as basket_id",
        "0.0 as quantity",
        "-1.0 as value",
        "occurred_at + interval 1 day as occurred_at",
        "'sniff' as event_type",
        "'rating' as event_type, null as rating",
        "date '2024-02-29' as day, timestamp '2024-02-29' as occurred_at",
    ],
)
def test_an_event_that_breaks_the_contract_fails(laws: Laws, tampered: str) -> None:
    one = "(select * from t order by event_id limit 1)"
    events = laws.changed("events", f"select * replace ({tampered}) from {one} union all from {one}")
    verdict = laws.ask("events: events_keep_the_contract", events)
    assert not verdict.passed
    assert verdict.description.startswith("1 of 2 events breaks the contract.")


def test_a_day_without_events_is_warned_of(laws: Laws) -> None:
    events = laws.changed("events", "select * from t where day not in ('2024-03-05', '2024-03-06')")
    verdict = laws.ask("events: no_day_is_missing", events)
    assert (verdict.passed, verdict.severity) == (False, WARN)
    assert verdict.description.startswith("2 of 20 days have no event.")
    assert "2024-03-05" in verdict.metadata["examples"].value


def test_no_events_at_all_fail_one_check_and_break_no_other(laws: Laws) -> None:
    nothing = laws.changed("events", "select * from t limit 0")
    assert laws.ask("events: no_day_is_missing", nothing).passed
    assert laws.ask("events: events_keep_the_contract", nothing).passed
    verdict = laws.ask("events: there_are_events", nothing)
    assert not verdict.passed
    assert "See warehouse.rejected_events for the reasons" in verdict.description


@pytest.mark.parametrize(("table", "key"), [("customers", "customer_id"), ("items", "item_id")])
def test_an_event_of_a_customer_or_item_that_the_table_lacks_fails(laws: Laws, table: str, key: str) -> None:
    ids = sql(f"select distinct {key} from e order by all limit 2", e=laws["events"])
    master = sql(f"select * from t anti join ids using ({key})", t=laws[table], ids=ids)
    verdict = laws.ask(f"{table}: references_hold", master, laws["events"])
    assert not verdict.passed
    assert f"{table} that events name are not in warehouse.{table}. Materialize {table} again" in verdict.description
    assert verdict.metadata["broken"].value == 2


@pytest.mark.parametrize("table", ["customers", "items"])
def test_master_data_that_know_everyone_are_not_warned_of(laws: Laws, table: str) -> None:
    everyone = laws.changed(table, "select * from t where in_master")
    assert laws.ask(f"{table}: master_data_are_complete", everyone).passed
    verdict = laws.ask(f"{table}: master_data_are_complete", laws[table])
    assert (verdict.passed, verdict.severity) == (False, WARN)
    assert verdict.description.endswith("Ask for their master data.")


def test_where_nearly_nobody_is_known_the_id_in_the_manifest_is_doubted(laws: Laws) -> None:
    strangers = laws.changed("customers", "select * replace (false as in_master) from t where has_events")
    told = laws.ask("customers: master_data_are_complete", strangers).description
    assert told.endswith("Nearly all: see whether customers.id in the manifest is what events tell of customers.")


@pytest.mark.parametrize(("table", "key"), [("raw_customers", "customer_id"), ("raw_items", "item_id")])
def test_a_delivered_id_that_is_missing_or_comes_twice_is_warned_of(laws: Laws, table: str, key: str) -> None:
    one = "(select * from t order by source_row limit 1)"
    for second in (
        f"select * replace (' ' || {key} as {key}, source_row + 1000 as source_row) from {one}",
        f"select * replace (' ' as {key}) from {one}",
    ):
        verdict = laws.ask(f"{table}: rows_are_read", laws.changed(table, f"from {one} union all {second}"))
        assert (verdict.passed, verdict.severity) == (False, WARN)
        assert verdict.description.startswith(f"1 of 2 delivered {table.removeprefix('raw_')} is rejected. Reasons: ")
        assert "Each is in warehouse.rejected_rows" in verdict.description


@pytest.mark.parametrize(
    "query",
    [
        "select * replace (value + 1 as value) from t",
        "select * replace (value - 1 as value) from t",
        "select * replace (quantity * 2 as quantity) from t",
        "select * replace (items + 1 as items) from t",
        "select * from t offset 1",
        "select * replace (basket_id || 'x' as basket_id) from t",
    ],
    ids=["worth more", "worth less", "more pieces", "more items", "missing", "of no event"],
)
def test_a_basket_that_differs_from_its_events_fails(laws: Laws, query: str) -> None:
    assert laws.ask("baskets: baskets_add_up", laws["baskets"], laws["events"]).passed
    verdict = laws.ask("baskets: baskets_add_up", laws.changed("baskets", query), laws["events"])
    assert not verdict.passed
    assert re.search(r"(baskets differ from their|^1 of \d+ baskets differs from its) events\. M", verdict.description)


@pytest.mark.parametrize("table", ["campaign_targets", "campaign_responses"])
def test_a_target_or_response_of_an_unknown_campaign_is_warned_of(laws: Laws, table: str) -> None:
    campaigns = laws.changed("campaigns", "select * from t where campaign_id <> 'm1'")
    verdict = laws.ask(f"{table}: campaign_is_known", laws[table], campaigns)
    assert (verdict.passed, verdict.severity) == (False, WARN)
    assert f"rows of {table} name an unknown campaign. Deliver the campaigns again." in verdict.description


def test_a_campaign_that_can_not_be_read_is_warned_of(laws: Laws) -> None:
    verdict = laws.ask("raw_campaigns: rows_are_read", laws["raw_campaigns"])
    assert (verdict.passed, verdict.severity) == (False, WARN)
    assert "m3" in verdict.metadata["examples"].value
    readable = laws.changed("raw_campaigns", "select * from t where campaign_id <> 'm3'")
    assert laws.ask("raw_campaigns: rows_are_read", readable).passed


@pytest.mark.parametrize(("reason", "passes"), [("value below 0", False), ("time does not parse", True)])
def test_a_day_on_which_most_events_are_rejected_fails_unless_they_tell_no_day(
    laws: Laws, reason: str, passes: bool
) -> None:
    delivered = laws.changed("raw_events", "select t.* from t, range(100) where day = '2024-03-05'")
    rejected = laws.changed(
        "raw_events", f"select t.*, '{reason}' as reason from t, range(51) where day = '2024-03-05'"
    )
    verdict = laws.ask("rejected_events: no_day_is_mostly_rejected", rejected, delivered)
    assert verdict.passed is passes
    told = "2024-03-05: 1,836 of 3,600, mostly 'value below 0'. `cx rejected --working --day 2024-03-05` lists them"
    assert passes or told in verdict.description


def test_a_target_without_a_customer_is_told_of(laws: Laws) -> None:
    blank = laws.changed("raw_campaign_targets", "select * replace (' ' as customer_id) from t")
    assert laws.ask("raw_campaign_targets: rows_are_read", laws["raw_campaign_targets"]).passed
    assert not laws.ask("raw_campaign_targets: rows_are_read", blank).passed


def test_a_response_whose_time_does_not_parse_is_told_of(laws: Laws) -> None:
    late = laws.changed("raw_campaign_responses", "select * replace ('soon' as responded_at) from t")
    assert laws.ask("raw_campaign_responses: rows_are_read", laws["raw_campaign_responses"]).passed
    assert not laws.ask("raw_campaign_responses: rows_are_read", late).passed


def test_a_campaign_id_that_comes_twice_is_told_of(laws: Laws) -> None:
    once = laws.changed("raw_campaigns", "select * from t semi join warehouse.campaigns using (campaign_id)")
    twice = laws.changed(
        "raw_campaigns", "select * from t union all select * replace ('other' as campaign_type) from t"
    )
    assert laws.ask("raw_campaigns: rows_are_read", once).passed
    assert not laws.ask("raw_campaigns: rows_are_read", twice).passed


@pytest.mark.parametrize("table", ["customers", "items", "campaigns"])
def test_another_row_under_a_kept_id_that_is_not_rejected_fails(laws: Laws, table: str) -> None:
    others = laws["rejected_rows"], laws["customer_merges"]
    column = {"customers": "customer_id", "items": "name", "campaigns": "campaign_type"}[table]
    again = "select * replace (source_row + 1000 as source_row)"
    repeated = laws.changed(f"raw_{table}", f"from t union all ({again} from t limit 1)")
    assert laws.ask(f"{table}: nothing_is_lost", laws[table], repeated, *others).passed
    other = f"select * replace ({column} || ' ' as {column}, source_row + 1000 as source_row) from t"
    different = laws.changed(f"raw_{table}", f"from t union all ({other} limit 1)")
    assert not laws.ask(f"{table}: nothing_is_lost", laws[table], different, *others).passed


@pytest.mark.parametrize("table", MASTERS)
def test_a_delivered_row_of_master_data_that_is_neither_kept_nor_rejected_fails(laws: Laws, table: str) -> None:
    others = laws["rejected_rows"], laws["customer_merges"]
    assert laws.ask(f"{table}: nothing_is_lost", laws[table], laws[f"raw_{table}"], *others).passed
    lost = laws.changed(table, f"select * from t where {'true' if 'campaign' in table else 'in_master'} offset 1")
    verdict = laws.ask(f"{table}: nothing_is_lost", lost, laws[f"raw_{table}"], *others)
    assert not verdict.passed
    assert f"delivered {table.replace('_', ' ')} = kept + folded + dropped + rejected" in verdict.description
