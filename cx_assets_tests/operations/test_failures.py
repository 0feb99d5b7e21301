"""What is said and what is left when the machine fails: a full disk, no permission, a kill, a damaged file."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from filelock import FileLock

from cx_assets.home import HomeError, prepare_home
from cx_assets.publishing.files import publish
from cx_assets.settings import Settings
from cx_assets.table.storage import TableWriteError, read, write
from cx_assets.table.warehouse import Warehouse, WarehouseError, connect
from cx_assets_tests.operations.failing import NUMBERS, SMALL, numbers
from cx_assets_tests.processes import ROOT, digests, done, read_until, started, stop, wait_for

pytestmark = pytest.mark.whole

FAILING = ("-m", "cx_assets_tests.operations.failing")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with a warehouse of three rows, which are published."""
    with Warehouse(path=str(tmp_path / "working.duckdb")).opened("the test") as warehouse:
        write(warehouse.connection, NUMBERS, numbers(warehouse.connection, 3))
        publish(warehouse.connection, [NUMBERS], "old", tmp_path / "published")
    return tmp_path


def assert_unharmed(folder: Path) -> None:
    """The rows of before are there, what was published before too and nothing half; the next run works."""
    assert [path for path in folder.glob(".published-*") if path != (folder / "published").resolve()] == []
    with duckdb.connect(str(folder / "published" / "cx.duckdb"), read_only=True) as connection:
        assert connection.execute("select count(*) from shop.numbers").fetchone() == (3,)
    assert (folder / "published" / "report.html").read_text("utf-8") == "old"
    with Warehouse(path=str(folder / "working.duckdb"), lock_timeout_seconds=0).opened("next") as warehouse:
        assert read(warehouse.connection, NUMBERS).count() == 3
        write(warehouse.connection, NUMBERS, numbers(warehouse.connection, 4))
        publish(warehouse.connection, [NUMBERS], "next", folder / "published")
    assert (folder / "published" / "report.html").read_text("utf-8") == "next"


# A full disk: a limit of file sizes fails a write in the same place, and needs no disk


def test_a_table_that_does_not_fit_on_the_disk_is_not_written_and_says_what_to_do(folder: Path) -> None:
    failed = done(*FAILING, "write-limited", str(folder), environment=os.environ)
    assert "TableWriteError: shop.numbers: " in failed.stdout, failed.stderr
    assert "File too large. Nothing was written; the rows of before are intact. Free space on the disk" in failed.stdout
    assert_unharmed(folder)


def test_files_that_do_not_fit_on_the_disk_are_not_published_and_take_no_room(folder: Path) -> None:
    with connect(folder / "working.duckdb", "1GB", 1) as connection:
        write(connection, NUMBERS, numbers(connection, 200_000))
    failed = done(*FAILING, "publish-limited", str(folder), environment=os.environ)
    assert "PublishError: " in failed.stdout, failed.stderr
    assert "what was published before stays. Free space on the disk" in failed.stdout
    with connect(folder / "working.duckdb", "1GB", 1) as connection:
        write(connection, NUMBERS, numbers(connection, 3))
    assert_unharmed(folder)


def test_a_query_that_needs_more_memory_and_disk_than_it_may_have_changes_nothing(folder: Path) -> None:
    with connect(folder / "working.duckdb", "20MB", 1) as connection:
        connection.execute("set max_temp_directory_size = '1MB'")
        rows = numbers(connection, 2_000_000)
        ordered = type(rows)(connection, f"{rows.query} order by number")
        with pytest.raises(TableWriteError, match=r"rows of before are intact\. Raise CX_MEMORY_LIMIT, or free space"):
            write(connection, NUMBERS, ordered)
        assert read(connection, NUMBERS).count() == 3  # the connection is still good
    assert_unharmed(folder)


# No permission


def locked(folder: Path) -> Path:
    """A folder that the process of `failing` may not write to: as another user if the tests are root's."""
    folder.mkdir()
    folder.chmod(0o500)
    return folder


def test_a_data_folder_that_may_not_be_written_is_named_with_its_setting(tmp_path: Path) -> None:
    failed = done(*FAILING, "forbidden", str(locked(tmp_path / "locked") / "data"), environment=os.environ)
    assert "WarehouseError: " in failed.stdout, failed.stderr
    assert "locked/data can't be written: Permission denied" in failed.stdout
    assert "(CX_DATA_DIR): choose another, or let this user write there. Nothing was changed." in failed.stdout
    assert list((tmp_path / "locked").iterdir()) == []


AS_NOBODY = """
import os, sys
from cx_assets import cli
os.geteuid() or os.setuid(65534)
sys.argv[:] = ["cx", "home"]
cli.main()
"""


def test_cx_says_in_one_line_that_it_may_not_write_its_folder(tmp_path: Path) -> None:
    own = {"CX_DATA_DIR": str(locked(tmp_path / "locked") / "data"), "DAGSTER_HOME": ""}
    failed = subprocess.run(
        [sys.executable, "-c", AS_NOBODY],
        env={**os.environ, **own},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert failed.returncode == 1
    (line,) = failed.stdout.splitlines()
    assert line.startswith("CX_DATA_DIR: ")
    assert "can't be written: Permission denied" in line
    assert failed.stderr == ""


@pytest.mark.parametrize("place", ["data", "data/dagster"])
def test_a_file_where_a_folder_should_be_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    (tmp_path / place).parent.mkdir(exist_ok=True)
    (tmp_path / place).write_text("mine", "utf-8")
    with pytest.raises(HomeError, match=r"^CX_DATA_DIR: .*data/dagster can't be written: "):
        prepare_home(Settings(data_dir=tmp_path / "data"))
    assert (tmp_path / place).read_text("utf-8") == "mine"


def test_a_file_in_place_of_the_data_folder_stops_the_warehouse_too(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("mine", "utf-8")
    warehouse = Warehouse(path=str(tmp_path / "data" / "working.duckdb"))
    with pytest.raises(WarehouseError, match=r"data can't be written: "), warehouse.opened("the test"):
        pass
    assert (tmp_path / "data").read_text("utf-8") == "mine"


# Killed while writing


def size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def test_a_process_killed_in_the_middle_of_a_write_leaves_the_rows_of_before_and_no_lock(folder: Path) -> None:
    with started(*FAILING, "write-endless", str(folder), environment=os.environ, listen=True) as process:
        read_until(process, "begun")
        written = folder / "working.duckdb"
        wait_for("rows are being written", lambda: size(written) > 4 * SMALL, every=0.02)
        assert process.poll() is None
        stop(process)
    with FileLock(folder / "working.lock", timeout=0):
        pass
    assert_unharmed(folder)


def test_a_process_killed_in_the_middle_of_publishing_leaves_what_was_published_and_the_next_cleans_up(
    folder: Path,
) -> None:
    published = folder / "published"
    before = digests(published.resolve())
    with connect(folder / "working.duckdb", "1GB", 1) as connection:
        write(connection, NUMBERS, numbers(connection, 600_000))
    with started(*FAILING, "publish-endless", str(folder), environment=os.environ, listen=True) as process:
        read_until(process, "begun")
        wait_for("the next folder is there", lambda: len(list(folder.glob(".published-*"))) == 2, every=0.005)
        stop(process)
    half = [path for path in folder.glob(".published-*") if path != published.resolve()]
    assert [path.name for path in half if (path / "report.html").exists()] == []
    assert len(half) == 1
    assert digests(published.resolve()) == before
    with Warehouse(path=str(folder / "working.duckdb"), lock_timeout_seconds=0).opened("next") as warehouse:
        publish(warehouse.connection, [NUMBERS], "next", published)
    assert list(folder.glob(".published-*")) == [published.resolve()]


# Tampered with


def test_a_link_that_was_pointed_elsewhere_by_hand_is_put_right_and_the_other_folder_is_left_alone(
    folder: Path,
) -> None:
    mine = folder / "mine"
    mine.mkdir()
    (mine / "report.html").write_text("mine", "utf-8")
    (folder / "published").unlink()
    (folder / "published").symlink_to("mine")
    with connect(folder / "working.duckdb", "1GB", 1) as connection:
        publish(connection, [NUMBERS], "new", folder / "published")
    assert (folder / "published" / "report.html").read_text("utf-8") == "new"
    assert [path.name for path in mine.iterdir()] == ["report.html"]
    assert (mine / "report.html").read_text("utf-8") == "mine"


@pytest.mark.parametrize(
    "harm",
    [lambda _: b"not a database" * 9999, lambda content: content[:5000], lambda content: b"\0" * len(content)],
    ids=["overwritten", "cut short", "zeroed"],
)
def test_a_damaged_warehouse_is_left_as_it_is_and_it_is_said_how_to_go_on(
    folder: Path, harm: Callable[[bytes], bytes]
) -> None:
    database = folder / "working.duckdb"
    good = database.read_bytes()
    database.write_bytes(harm(good))
    left = database.read_bytes()
    before = digests((folder / "published").resolve())
    for _ in range(2):  # the second time shows that the first has let go of the lock
        warehouse = Warehouse(path=str(database), lock_timeout_seconds=0)
        with pytest.raises(WarehouseError) as damaged, warehouse.opened("the test"):
            pass
        assert str(damaged.value).startswith(f"{database} can't be opened: ")
        assert "move it and its .wal away: the next run over all days makes it anew" in str(damaged.value)
    assert database.read_bytes() == left
    assert digests((folder / "published").resolve()) == before
    database.write_bytes(good)
    assert_unharmed(folder)


def test_a_damaged_journal_loses_no_row_of_before(folder: Path) -> None:
    (folder / "working.duckdb.wal").write_bytes(b"not a journal" * 999)
    assert_unharmed(folder)


def test_a_warehouse_that_another_program_has_open_is_told_from_a_damaged_one(folder: Path) -> None:
    hold = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.readline()"
    with started("-c", hold, str(folder / "working.duckdb"), environment=os.environ, listen=True) as process:
        read_until(process, "open")
        warehouse = Warehouse(path=str(folder / "working.duckdb"))
        with pytest.raises(WarehouseError, match=r"Conflicting lock is held in ") as held, warehouse.opened("the test"):
            pass
    assert "If another program has it open, close that." in str(held.value)
    assert_unharmed(folder)
