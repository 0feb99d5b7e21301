"""A customer's lists at a terminal, read from what the second shop has published."""

from datetime import datetime
from io import StringIO
from pathlib import Path

import duckdb
import pytest
from rich.console import Console

from cx_assets.matrices.interactions import EventWeights
from cx_assets.recommendations.ranker import RankerSettings
from cx_assets.recommendations.terminal import boards, published_rows, rows_as_of
from cx_assets_tests.runs import rows
from cx_assets_tests.whole_shop import WholeShop, whole_shop

pytestmark = pytest.mark.whole

CUSTOMER = "c001"
DATE = datetime(2024, 4, 8)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> WholeShop:
    return whole_shop(tmp_path_factory.getbasetemp())


def as_of_date_of(database: Path, date: datetime = DATE) -> dict[str, list[str]]:
    found, _ = rows_as_of(database, CUSTOMER, date, EventWeights(), RankerSettings())
    return {str(which): list(own.sort_values("rank")["item_id"]) for which, own in found.groupby("list")}


def test_what_is_published_is_shown_with_its_reasons(shop: WholeShop) -> None:
    found, as_of = published_rows(shop.published, CUSTOMER)
    output = StringIO()
    Console(file=output, width=200).print(boards(found, CUSTOMER, as_of))
    told = output.getvalue()
    query = f"select item_id, reason from recommendations.recommendations where customer_id = '{CUSTOMER}' and rank = 1"
    assert all(item in told and reason in told for item, reason in rows(shop.published, query))
    assert f"{CUSTOMER}, as of {as_of:%Y-%m-%d}: to offer new" in told


def test_lists_as_of_a_date_do_not_depend_on_what_came_after(shop: WholeShop, tmp_path: Path) -> None:
    past = tmp_path / "past.duckdb"
    with duckdb.connect(str(past)) as connection:
        connection.execute(f"attach '{shop.published}' as whole (read_only); create schema warehouse")
        connection.execute("create table warehouse.items as from whole.warehouse.items")
        connection.execute("create table warehouse.customers as from whole.warehouse.customers")
        connection.execute(
            f"create table warehouse.events as from whole.warehouse.events where occurred_at < timestamp '{DATE}'"
        )
    assert as_of_date_of(past) == as_of_date_of(shop.published)


def test_a_repeat_of_a_date_has_been_had_before_it(shop: WholeShop) -> None:
    had = rows(
        shop.published,
        f"select distinct item_id from warehouse.events where customer_id = '{CUSTOMER}' "
        f"and occurred_at < timestamp '{DATE}'",
    )
    assert set(as_of_date_of(shop.published)["repeat"]) <= {item for (item,) in had}


def test_an_unknown_customer_is_told_one_that_there_is(shop: WholeShop) -> None:
    with pytest.raises(LookupError, match=r"no customer .nobody.\. One that there is: c"):
        published_rows(shop.published, "nobody")


def test_who_is_merged_away_is_told_into_whom(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "cx.duckdb")) as connection:
        connection.execute("create schema warehouse; create table warehouse.customers as select 'a' as customer_id")
        connection.execute("create table warehouse.customer_merges as select 'b' as customer_id, 'a' as merged_into")
    with pytest.raises(LookupError, match=r"^Customer 'b' is merged into a: ask for that one\.$"):
        published_rows(tmp_path / "cx.duckdb", "b")
    with pytest.raises(LookupError, match=r"^There is no customer 'c'\. One that there is: a\.$"):
        published_rows(tmp_path / "cx.duckdb", "c")


def test_where_tables_have_pseudonyms_the_command_that_prints_one_is_told(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "cx.duckdb")) as connection:
        connection.execute("create schema warehouse; create table warehouse.customers as select 'a' as customer_id")
        connection.execute("create schema ingestion; create table ingestion.personal_columns (name varchar)")
    with pytest.raises(LookupError, match="`cx pseudonym` prints that of a shop's own id, given the key"):
        published_rows(tmp_path / "cx.duckdb", "c001")


def test_before_anything_is_published_the_command_to_run_is_told(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="run `cx run`"):
        published_rows(tmp_path / "cx.duckdb", CUSTOMER)


def test_a_date_before_all_events_is_refused(shop: WholeShop) -> None:
    with pytest.raises(LookupError, match="no event before 1999-01-01"):
        as_of_date_of(shop.published, datetime(1999, 1, 1))
