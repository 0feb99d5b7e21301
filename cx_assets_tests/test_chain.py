"""From raw events to the published files, in one process, with all assets and all checks."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from cx_assets.dataset import Dataset
from cx_assets.definitions import declared, table_assets
from cx_assets.publishing.tables import PUBLISHED_TABLES
from cx_assets.settings import Settings
from cx_assets.table import TableSpec
from cx_assets_tests.runs import error_of, failed, rows, tamper, verdicts
from cx_assets_tests.shop import TINY, write_tiny
from cx_assets_tests.whole_shop import WholeShop, differing_tables, execute, tables_in, whole_shop

pytestmark = pytest.mark.whole

FIRST = date(2024, 3, 1)
UP_TO_LISTS = dg.AssetSelection.all() - dg.AssetSelection.groups("evaluation", "publishing")
BASKETS_AND_PUBLISHING = dg.AssetSelection.assets("published_tables") | dg.AssetSelection.checks_for_assets("baskets")


def every_run(shop: WholeShop) -> list[TableSpec]:
    """The tables that a run of everything publishes."""
    return [declared(asset) for asset in table_assets(shop.dataset, shop.settings)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> WholeShop:
    return whole_shop(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="module")
def published(whole: WholeShop) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(whole.published), read_only=True) as connection:
        yield connection


@pytest.fixture
def ephemeral() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def test_every_table_is_published_and_none_is_empty_but_those_of_what_it_has_not_declared(whole: WholeShop) -> None:
    counts = tables_in(whole.published)
    assert counts.keys() == {spec.qualified for spec in every_run(whole)}
    # Its manifest names no keys to merge customers by, no values to reject alone, and nothing that withdraws an event.
    undeclared = {"warehouse.customer_merges", "warehouse.rejected_values", "warehouse.withdrawn_events"}
    assert {name for name, count in counts.items() if not count} == undeclared


def test_every_table_is_a_parquet_file_beside_the_database(whole: WholeShop) -> None:
    folder = whole.settings.published_dir / "parquet"
    with duckdb.connect() as connection:
        query = "select count(*) from read_parquet(?)"
        names = {path: f"{path.parent.name}.{path.stem}" for path in folder.rglob("*.parquet")}
        counts = {name: connection.execute(query, [str(path)]).fetchall()[0][0] for path, name in names.items()}
    assert counts == tables_in(whole.published)


def test_the_report_is_published_as_it_is_in_its_table(whole: WholeShop, published: duckdb.DuckDBPyConnection) -> None:
    page = (whole.settings.published_dir / "report.html").read_text("utf-8")
    assert published.execute("select html from evaluation.evaluation_report").fetchall() == [(page,)]
    assert page.startswith("<!doctype html>")
    assert "A second shop" in page


def test_published_columns_are_the_declared_ones_with_their_meanings(
    whole: WholeShop, published: duckdb.DuckDBPyConnection
) -> None:
    stored = published.execute(
        "select schema_name || '.' || table_name, column_name, comment from duckdb_columns() "
        "where not internal order by schema_name, table_name, column_index"
    ).fetchall()
    specs = sorted(every_run(whole), key=lambda spec: (spec.group, spec.name))
    assert stored == [(spec.qualified, c.name, c.description) for spec in specs for c in spec.columns]


def test_published_tables_say_what_a_row_is(published: duckdb.DuckDBPyConnection) -> None:
    comments = published.execute("select comment from duckdb_tables()").fetchall()
    assert [comment for (comment,) in comments if not comment.startswith("One row")] == []


def test_what_was_published_is_what_was_computed(whole: WholeShop, tmp_path: Path) -> None:
    told = rows(whole.settings.warehouse_path, "select table_name, rows from publishing.published_tables")
    assert dict(told) == tables_in(whole.published)


def test_every_asset_tells_its_as_of_date_and_the_models_the_end_of_the_last_day(whole: WholeShop) -> None:
    with whole.instance() as instance:
        told = {}
        for spec in [*every_run(whole), PUBLISHED_TABLES]:
            event = instance.get_latest_materialization_event(dg.AssetKey(spec.name))
            assert event is not None
            assert event.asset_materialization is not None
            told[spec.qualified] = str(event.asset_materialization.metadata["as_of"].value)
    (last_day,) = rows(whole.settings.warehouse_path, "select max(day) from warehouse.events")[0]
    end = (last_day + timedelta(days=1)).isoformat() + "T00:00:00"
    assert all(told.values())
    # Deliveries, and what is made of them before there are events, say when they were read.
    delivered = "ingestion.", "warehouse.campaign", "warehouse.customer_merges", "warehouse.rejected_rows"
    before = *delivered, "warehouse.rejected_values", "warehouse.withdrawn_events"
    folded = {name: as_of for name, as_of in told.items() if not name.startswith(before)}
    assert folded == dict.fromkeys(folded, end)


def test_a_failed_blocking_check_keeps_what_was_published_also_from_a_run_of_publishing_alone(
    whole: WholeShop, tmp_path: Path
) -> None:
    shop = whole.copied_to(tmp_path / "shop")
    before = shop.settings.published_dir.resolve()
    tamper(shop.settings.warehouse_path, "update warehouse.baskets set value = value + 1 where customer_id = 'c001'")
    with shop.instance() as instance:
        both = execute(shop.settings, instance, selection=BASKETS_AND_PUBLISHING, raise_on_error=False)
        alone = execute(
            shop.settings, instance, selection=dg.AssetSelection.assets("published_tables"), raise_on_error=False
        )
    assert "baskets: baskets_add_up" in failed(both)
    assert "published_tables" not in {event.step_key for event in both.all_events if event.is_step_start}
    assert "Not published: 1 of" in error_of(alone)
    assert "- baskets: baskets_add_up: " in error_of(alone)
    assert shop.settings.published_dir.resolve() == before
    assert differing_tables(shop.published, whole.published) == {}


def written(folder: Path, events: Sequence[Mapping[str, object]], *, days: int = 36) -> Dataset:
    """A shop of literal events over some days, without master data and campaigns."""
    manifest = TINY.replace("2024-03-05", (FIRST + timedelta(days=days - 1)).isoformat())
    return write_tiny(folder, {"events.csv": events}, manifest=manifest)


def had(who: str, what: str, day: int, **more: object) -> dict[str, object]:
    """An event of a day of the shop, counted from 0."""
    return {"who": who, "what": what, "at": f"{FIRST + timedelta(days=day)}T10:00:00", **more}


def test_the_seed_example_goes_from_a_file_of_ratings_to_its_neighbours(
    tmp_path: Path, ephemeral: dg.DagsterInstance
) -> None:
    given = {"A": (5, 3, 4), "B": (4, 5, 3)}
    ratings = [
        had(who, item, 0, kind="rating", rating=rating)
        for who, stars in given.items()
        for item, rating in zip("xyz", stars, strict=True)
    ]
    settings = Settings(data_dir=tmp_path / "data")
    execute(settings, ephemeral, written(tmp_path, ratings, days=2))
    query = "select customer_id, neighbour_id, method, similarity from similarity.customer_neighbours order by all"
    assert rows(settings.warehouse_path, query) == [
        ("A", "B", "cosine", pytest.approx(0.94)),
        ("A", "B", "pearson", pytest.approx(-0.5)),
        ("B", "A", "cosine", pytest.approx(0.94)),
        ("B", "A", "pearson", pytest.approx(-0.5)),
    ]
    counts = tables_in(settings.published_dir / "cx.duckdb")
    # Nobody bought anything, and two days leave none to judge on; there is a report that says so.
    found = [counts[name] for name in ("warehouse.baskets", "evaluation.metrics", "evaluation.evaluation_report")]
    assert found == [0, 0, 1]


def test_without_ratings_and_campaigns_everything_is_published(tmp_path: Path, ephemeral: dg.DagsterInstance) -> None:
    bought = [had(who, item, day) for who in "abc" for item in ("tea", "jam", "rye") for day in (0, 5, 33)]
    settings = Settings(data_dir=tmp_path / "data")
    result = execute(settings, ephemeral, written(tmp_path, bought, days=34))
    told = {name: verdict.severity for name, verdict in verdicts(result).items() if not verdict.passed}
    assert set(told.values()) == {dg.AssetCheckSeverity.WARN}
    assert "events: no_day_is_missing" in told
    counts = tables_in(settings.published_dir / "cx.duckdb")
    nothing = {
        f"{stage}campaign{s}" for stage in ("ingestion.raw_", "warehouse.") for s in ("s", "_targets", "_responses")
    }
    assert {counts[name] for name in nothing} == {0}
    assert (counts["warehouse.events"], counts["warehouse.baskets"]) == (27, 9)
    # Each had all three: nothing is left to discover, and the list of both is the same.
    assert counts["recommendations.recommendations"] == 18


@pytest.mark.parametrize(("customers", "items"), [("a", ("tea", "jam")), ("abc", ("tea",))], ids=["customer", "item"])
def test_one_customer_or_one_item_makes_smaller_tables(
    tmp_path: Path, ephemeral: dg.DagsterInstance, customers: str, items: tuple[str, ...]
) -> None:
    bought = [had(who, item, day) for who in customers for item in items for day in (0, 35)]
    settings = Settings(data_dir=tmp_path / "data")
    execute(settings, ephemeral, written(tmp_path, bought), UP_TO_LISTS)
    counts = tables_in(settings.warehouse_path)
    assert counts["matrices.interactions"] == len(customers) * len(items)
    assert counts["segments.customer_segments"] == len(customers)
    assert (counts["similarity.customer_neighbours"] == 0) == (len(customers) == 1)
    assert counts["similarity.item_neighbours"] == 0  # too few customers, or no other item
    # One of the two kinds, and the list of both.
    assert counts["recommendations.recommendations"] == 2 * len(customers) * len(items)


def test_when_all_events_are_rejected_the_run_says_so_and_keeps_them(
    tmp_path: Path, ephemeral: dg.DagsterInstance
) -> None:
    dataset = written(tmp_path, [had("a", "tea", 0, quantity=-1), had("b", "tea", 1, kind="look")])
    settings = Settings(data_dir=tmp_path / "data")
    result = execute(settings, ephemeral, dataset, raise_on_error=False)
    assert not result.success
    assert failed(result)["events: there_are_events"].startswith(
        "0 events. See warehouse.rejected_events for the reasons"
    )
    assert failed(result)["rejected_events: few_events_are_rejected"].startswith("2 of 2 ")
    reasons = rows(settings.warehouse_path, "select customer_id, reason from warehouse.rejected_events order by all")
    assert reasons == [("a", "quantity not above 0"), ("b", "unknown event type")]
    assert "matrices.interactions" not in tables_in(settings.warehouse_path)
    assert not settings.published_dir.exists()
