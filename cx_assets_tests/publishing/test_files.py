"""Laws of the published files: all at once, never half, and they say what they are."""

import subprocess
import sys
from datetime import date
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from cx_assets.publishing.files import PublishError, publish
from cx_assets.table import TableSpec, column, from_frame, schema
from cx_assets.table.connection import connect
from cx_assets.table.storage import write

EVENTS = schema(
    "warehouse",
    "events",
    "One row per event; it's the truth.",
    column("day", "date", "The day."),
    column("event_id", "varchar", "The event's id."),
    key=("event_id",),
)
ITEMS = schema(
    "warehouse",
    "items",
    "One row per item.",
    column("item_id", "varchar", "The item."),
    column("order", "bigint", "Its place.", nullable=True),
)
SPECS = [EVENTS, ITEMS]


@pytest.fixture
def store(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    put(connection, EVENTS, day=[date(2024, 3, 2), date(2024, 3, 1), date(2024, 3, 1)], event_id=["c", "b", "a"])
    put(connection, ITEMS, item_id=["tea", "milk"], order=[1, None])
    return connection


def put(connection: duckdb.DuckDBPyConnection, spec: TableSpec, **columns: list[object]) -> None:
    write(connection, spec, from_frame(connection, pd.DataFrame(columns)))


def query(published: Path, text: str) -> list[tuple]:
    with duckdb.connect(str(published.resolve() / "cx.duckdb"), read_only=True) as connection:
        return connection.execute(text).fetchall()


def folders(published: Path) -> list[str]:
    return sorted(path.name for path in published.parent.iterdir() if path != published)


def test_tables_reach_the_database_and_parquet_under_their_names_and_the_report_beside(store, tmp_path: Path) -> None:
    published = tmp_path / "data" / "published"
    publish(store, SPECS, "<html>ü</html>", published)
    assert sorted(p.relative_to(published).as_posix() for p in published.rglob("*") if p.is_file()) == [
        "cx.duckdb",
        "parquet/warehouse/events.parquet",
        "parquet/warehouse/items.parquet",
        "report.html",
    ]
    assert (published / "report.html").read_text("utf-8") == "<html>ü</html>"
    assert query(published, 'select item_id, "order" from warehouse.items') == [("tea", 1), ("milk", None)]
    parquet = published / "parquet" / "warehouse" / "items.parquet"
    assert duckdb.sql(f"select * from '{parquet}'").fetchall() == [("tea", 1), ("milk", None)]


def test_published_files_are_laid_out_for_older_readers_than_the_working_file(tmp_path: Path) -> None:
    layout = "select tags['storage_version'] from duckdb_databases() where database_name = '{}'"
    with connect(tmp_path / "working.duckdb", "100MB", 1) as connection:
        put(connection, ITEMS, item_id=["tea"], order=[1])
        publish(connection, [ITEMS], "", tmp_path / "published")
        assert connection.execute(layout.format("working")).fetchall() == [("v1.4.0+",)]
    assert query(tmp_path / "published", layout.format("cx")) == [("v1.0.0+",)]


def test_what_was_written_is_told_per_table(store, tmp_path: Path) -> None:
    told = publish(store, SPECS, "", tmp_path / "published")
    assert told.columns.tolist() == ["table_name", "rows", "columns", "fingerprint"]
    assert told.iloc[:, :3].to_numpy().tolist() == [["warehouse.events", 3, 2], ["warehouse.items", 2, 2]]
    assert told["fingerprint"].str.fullmatch("[0-9a-f]{16}").all()


def test_the_database_itself_says_what_its_tables_and_columns_mean_and_what_may_be_null(store, tmp_path: Path) -> None:
    published = tmp_path / "published"
    publish(store, SPECS, "", published)
    assert query(published, "select comment from duckdb_tables() order by table_name") == [
        ("One row per event; it's the truth.",),
        ("One row per item.",),
    ]
    assert query(
        published, "select column_name, comment, is_nullable from duckdb_columns() where not internal order by 1"
    ) == [
        ("day", "The day.", False),
        ("event_id", "The event's id.", False),
        ("item_id", "The item.", False),
        ("order", "Its place.", True),
    ]


def test_equal_rows_have_equal_fingerprints_whatever_their_order_and_other_rows_another(store, tmp_path: Path) -> None:
    published = tmp_path / "published"
    first = publish(store, SPECS, "", published)
    put(store, EVENTS, day=[date(2024, 3, 1), date(2024, 3, 1), date(2024, 3, 2)], event_id=["a", "b", "c"])
    put(store, ITEMS, item_id=["milk", "tea"], order=[None, 1])
    pd.testing.assert_frame_equal(publish(store, SPECS, "", published), first)
    put(store, ITEMS, item_id=["milk", "tea"], order=[1, None])
    second = publish(store, SPECS, "", published)
    assert (second["fingerprint"] == first["fingerprint"]).tolist() == [True, False]
    put(store, ITEMS, item_id=["milk", "tea", "tea", "tea"], order=[None, 1, 1, 1])
    assert publish(store, SPECS, "", published)["fingerprint"][1] not in (*first["fingerprint"], *second["fingerprint"])


def test_rows_of_days_are_published_in_the_order_of_days_and_key(store, tmp_path: Path) -> None:
    publish(store, SPECS, "", tmp_path / "published")
    assert [row[1] for row in query(tmp_path / "published", "select * from warehouse.events")] == ["a", "b", "c"]


def test_a_table_stored_in_another_order_of_columns_is_published_by_name(store, tmp_path: Path) -> None:
    turned = schema("warehouse", "names", "N.", column("one", "varchar", "O."), column("two", "varchar", "T."))
    put(store, schema("warehouse", "names", "N.", *reversed(turned.columns)), one=["1"], two=["2"])
    publish(store, [turned], "", tmp_path / "published")
    assert query(tmp_path / "published", "select one, two from warehouse.names") == [("1", "2")]


def test_publishing_again_replaces_all_and_leaves_nothing_behind(store, tmp_path: Path) -> None:
    published = tmp_path / "published"
    publish(store, SPECS, "old", published)
    publish(store, [ITEMS], "new", published)
    assert (published / "report.html").read_text("utf-8") == "new"
    assert not (published / "parquet" / "warehouse" / "events.parquet").exists()
    assert folders(published) == [published.readlink().name]


def test_the_published_files_can_be_read_by_many_at_once_while_the_next_ones_are_put_in_place(
    store, tmp_path: Path
) -> None:
    published = tmp_path / "published"
    publish(store, SPECS, "", published)
    reader = """
import duckdb, sys
with duckdb.connect(sys.argv[1], read_only=True) as connection:
    connection.execute("select 1")
    print("open", flush=True)
    sys.stdin.readline()
    print(connection.execute("select count(*), max(event_id) from warehouse.events").fetchone())
"""
    with subprocess.Popen(
        [sys.executable, "-c", reader, str(published / "cx.duckdb")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "open\n"
        put(store, EVENTS, day=[date(2024, 3, 9)], event_id=["z"])
        publish(store, SPECS, "", published)
        assert query(published, "select count(*), max(event_id) from warehouse.events") == [(1, "z")]
        told, _ = process.communicate("go on\n", timeout=30)
    assert told == "(3, 'c')\n"


def test_a_failure_on_the_way_leaves_the_old_files_and_the_next_time_cleans_up(store, tmp_path: Path) -> None:
    published = tmp_path / "published"
    publish(store, SPECS, "old", published)
    missing = schema("warehouse", "missing", "M.", column("a", "bigint", "A."))
    with pytest.raises(duckdb.CatalogException):
        publish(store, [*SPECS, missing], "new", published)
    assert (published / "report.html").read_text("utf-8") == "old"
    assert query(published, "select count(*) from warehouse.events") == [(3,)]
    publish(store, SPECS, "new", published)
    assert folders(published) == [published.readlink().name]


def test_what_a_killed_publication_left_behind_is_removed_and_what_others_put_there_is_not(
    store, tmp_path: Path
) -> None:
    published = tmp_path / "published"
    publish(store, SPECS, "old", published)
    left = tmp_path / ".published-0123456789ab"
    left.mkdir()
    (left / "cx.duckdb").write_bytes(b"half")
    (tmp_path / ".published-link").symlink_to(left.name)
    (tmp_path / ".published-backup").mkdir()
    publish(store, SPECS, "new", published)
    assert (published / "report.html").read_text("utf-8") == "new"
    assert folders(published) == sorted([published.readlink().name, ".published-backup"])


def test_a_link_that_points_nowhere_is_replaced(store, tmp_path: Path) -> None:
    published = tmp_path / "published"
    published.symlink_to(".published-gone")
    publish(store, SPECS, "new", published)
    assert (published / "report.html").read_text("utf-8") == "new"


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_something_that_publishing_did_not_make_is_left_alone(store, tmp_path: Path, kind: str) -> None:
    published = tmp_path / "published"
    if kind == "folder":
        published.mkdir()
        (published / "mine.txt").write_text("mine", "utf-8")
    else:
        published.write_text("mine", "utf-8")
    with pytest.raises(PublishError, match=r"is not a link that publishing made\. Move it away, then"):
        publish(store, SPECS, "", published)
    assert folders(published) == []
    assert (published / "mine.txt" if kind == "folder" else published).read_text("utf-8") == "mine"


def test_the_data_folder_can_be_moved_as_a_whole(store, tmp_path: Path) -> None:
    publish(store, SPECS, "here", tmp_path / "data" / "published")
    (tmp_path / "data").rename(tmp_path / "moved")
    assert (tmp_path / "moved" / "published" / "report.html").read_text("utf-8") == "here"


def test_after_publishing_no_journal_is_left_and_the_working_database_is_its_own_again(store, tmp_path: Path) -> None:
    publish(store, SPECS, "", tmp_path / "published")
    assert list(tmp_path.rglob("*.wal")) == []
    assert store.execute("select count(*) from duckdb_databases() where database_name = 'published'").fetchone() == (0,)
