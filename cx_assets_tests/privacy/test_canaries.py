"""People who are planted in a shop's exports are found in no byte that a run of everything writes."""

import base64
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from cx_assets.dataset import Dataset
from cx_assets.ingestion.reader import table_query
from cx_assets.privacy.protection import Protection
from cx_assets.settings import Settings
from cx_assets.table import warehouse
from cx_assets.table.schema import literal
from cx_assets_tests.privacy.canaries import (
    AGAIN,
    CANARIES,
    DAYS,
    GOODS,
    KEY,
    PEOPLE,
    PRIVACY,
    found,
    write_aviary,
    write_merging_aviary,
)
from cx_assets_tests.runs import load_shop, rows
from cx_assets_tests.whole_shop import execute, shipped_instance

pytestmark = pytest.mark.whole

WORKING = "working.duckdb"


@contextmanager
def legible(patch: pytest.MonkeyPatch) -> Iterator[None]:
    """DuckDB compresses nothing, and keeps what it logs ahead instead of folding it into its file."""
    connect = warehouse.connect

    @contextmanager
    def connect_legibly(path: Path | None, memory_limit: str, threads: int) -> Iterator[duckdb.DuckDBPyConnection]:
        with connect(path, memory_limit, threads) as connection:
            connection.execute("pragma force_compression = 'uncompressed'")
            connection.execute("pragma disable_checkpoint_on_shutdown")
            connection.execute("set checkpoint_threshold = '1TB'")
            yield connection

    patch.setattr(warehouse, "connect", connect_legibly)
    yield


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder after a run of everything on the aviary."""
    folder = tmp_path_factory.mktemp("aviary")
    settings = Settings(data_dir=folder / "data", key=KEY, rejected_limit=0.5)
    dataset = write_merging_aviary(folder / "exports")
    with pytest.MonkeyPatch.context() as patch, legible(patch), shipped_instance(settings) as instance:
        execute(settings, instance, dataset)
    return settings.data_dir


@pytest.fixture(scope="module")
def in_the_clear(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder after ingestion and warehouse on the aviary without its part `privacy`."""
    folder = tmp_path_factory.mktemp("open_aviary")
    database = folder / "data" / "working.duckdb"
    with pytest.MonkeyPatch.context() as patch, legible(patch):
        load_shop(database, write_merging_aviary(folder / "exports", privacy=""))
    return folder / "data"


def test_nobody_is_found_in_what_a_run_of_everything_writes(written: Path) -> None:
    assert found(written) == {}


def test_the_search_reads_the_log_ahead_the_published_files_the_report_and_dagsters_storage(written: Path) -> None:
    hits = found(written, [GOODS[0], "raw_campaign_targets", "An aviary"])
    seen = {Path(name).name for names in hits.values() for name in names}
    assert seen >= {
        "working.duckdb.wal",
        "cx.duckdb.wal",
        "raw_events.parquet",
        "recommendations.parquet",
        "report.html",
    }
    assert any(name.startswith("dagster/") for names in hits.values() for name in names)


def test_nobody_is_found_in_the_databases_once_their_logs_are_folded_in_uncompressed(
    written: Path, tmp_path: Path
) -> None:
    for database in (written / WORKING, written / "published" / "cx.duckdb"):
        for name in (database.name, f"{database.name}.wal"):
            (tmp_path / name).write_bytes((database.parent / name).read_bytes())
        with duckdb.connect(str(tmp_path / database.name)) as connection:
            connection.execute("pragma force_compression = 'uncompressed'")
            connection.execute("checkpoint")
    assert found(tmp_path, [GOODS[0]])[f"clear of {GOODS[0]}"] == ["cx.duckdb", "working.duckdb"]
    assert found(tmp_path) == {}


def test_the_run_did_compare_the_addresses_and_numbers_that_are_found_nowhere(written: Path) -> None:
    merges = rows(written / WORKING, "select key_kind from warehouse.customer_merges order by 1")
    assert merges == [("email",), ("phone",)]
    assert rows(written / WORKING, "select email_key, phone_key from ingestion.raw_customers order by source_row") == [
        (1, 1), (2, 2), (3, 3), (1, 4), (5, 2),
    ]  # fmt: skip


def test_without_privacy_the_same_search_finds_everybody(in_the_clear: Path) -> None:
    hits = found(in_the_clear)
    leaked = {what.removeprefix("clear of ") for what in hits if what.startswith("clear of ")}
    # Names and phone numbers where a row slipped; ids, addresses of answers, and names of files everywhere.
    assert leaked >= {*PEOPLE, *next(iter(PEOPLE.values())), "zwiebelfisch-annegret"}


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ("clear", lambda text: text.encode()),
        ("utf-16", lambda text: f"x{text}".encode("utf-16-le")),
        ("hex", lambda text: text.encode().hex().encode()),
        ("base64", lambda text: base64.b64encode(f"to {text}, today".encode())),
        ("md5 hex", lambda text: hashlib.md5(text.encode(), usedforsecurity=False).hexdigest().encode()),
        ("sha1 raw", lambda text: hashlib.sha1(text.encode(), usedforsecurity=False).digest()),
        ("sha256 hex", lambda text: hashlib.sha256(text.encode()).hexdigest().encode()),
        ("sha256 base64", lambda text: base64.b64encode(hashlib.sha256(text.encode()).digest())),
    ],
)
def test_the_search_knows_a_person_in_any_disguise(tmp_path: Path, form: str, told: object) -> None:
    assert callable(told)
    for number, text in enumerate(CANARIES):
        (tmp_path / str(number)).write_bytes(b"before " + told(text) + b" after")
    assert {f"{form} of {text}" for text in CANARIES} <= found(tmp_path).keys()


def test_the_contract_and_the_joins_are_as_without_privacy(written: Path, in_the_clear: Path) -> None:
    goods = f"where item_id in {GOODS}"  # in the clear, the telephone number of a slipped row is an item
    queries = (
        f"select reason, count(*) from warehouse.rejected_events {goods} group by reason order by reason",
        f"select count(*), count(distinct customer_id), count(distinct basket_id) from warehouse.events {goods}",
        "select in_master, has_events, count(*) from warehouse.customers group by all order by all",
        f"select count(*) from warehouse.events join warehouse.campaign_targets using (customer_id) {goods}",
        "select count(*) from warehouse.campaign_responses join warehouse.customers using (customer_id)",
    )
    told = [rows(written / WORKING, query) for query in queries]
    assert told == [rows(in_the_clear / WORKING, query) for query in queries]
    assert told[3] == [(len(PEOPLE) * len(DAYS) * len(GOODS) + len(AGAIN),)]


def test_rows_that_slipped_are_rejected_and_what_they_told_is_withheld(written: Path) -> None:
    query = "select reason, quantity, item_id, event_type, value, occurred_at from warehouse.rejected_events order by 1"
    good = ("1", GOODS[0], "purchase", "2.50", "2024-03-02T10:00:00")
    assert rows(written / WORKING, query) == [
        ("missing customer_id", *good[:2], "unheard of", *good[3:]),
        ("missing item_id", "1", None, *good[2:]),
        ("quantity is not a number", "(withheld)", *good[1:]),
        ("time does not parse", *good[:4], "(withheld)"),
        ("unknown event type", *good[:2], None, *good[3:]),
        ("value is not a number", *good[:3], "(withheld)", good[4]),
    ]


def test_what_duckdb_spills_while_it_loads_has_nobody_in_it(tmp_path: Path) -> None:
    dataset: Dataset = write_aviary(tmp_path / "exports", PRIVACY)
    orders = tmp_path / "exports" / "orders" / "zwiebelfisch-annegret.csv"
    head, *lines = orders.read_text("utf-8").splitlines()
    orders.write_text("\n".join([head, *lines * 30_000]), "utf-8")
    spilled = tmp_path / "spilled"
    columns = ["occurred_at", "customer_id", "item_id", "event_type", "event_id", "basket_id", "quantity", "value"]
    with warehouse.connect(tmp_path / "a.duckdb", "60MB", 1) as connection:
        connection.execute(f"set temp_directory = {literal(str(spilled))}")
        Protection(dataset, Settings(data_dir=tmp_path / "data", key=KEY)).prepare(connection)
        connection.execute(f"create temp table loaded as {table_query(dataset, 'events', columns)}")
        # It did spill, and all that it spilled is encrypted: not even what is no secret can be read.
        assert sum(path.stat().st_size for path in spilled.iterdir()) > 1_000_000
        assert found(spilled, [GOODS[0]]) == found(spilled) == {}
