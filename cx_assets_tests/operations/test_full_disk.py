"""A full disk that Dagster's history meets first: what `cx` says of it, and what `cx status` advises."""

import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DatabaseError, SQLAlchemyError
from typer.testing import CliRunner

from cx_assets import cli, disk, launch
from cx_assets.disk import FULL, Room, least_room, told_if_full
from cx_assets.operations import looking
from cx_assets.operations.status import Status
from cx_assets.settings import Settings
from cx_assets_tests.shop import write_tiny
from cx_assets_tests.whole_shop import shipped_instance


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    dataset = write_tiny(tmp_path, {"a.csv": [{}]})
    monkeypatch.setenv("CX_DATASET", str(dataset.path))
    monkeypatch.setenv("CX_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("DAGSTER_HOME", "")  # noted, so that what a command sets is undone
    monkeypatch.delenv("DAGSTER_HOME")
    return Settings()


def of_database() -> None:
    """Write more into a database than it has room for."""
    engine = create_engine("sqlite://")
    try:
        with engine.begin() as connection:
            connection.execute(text("pragma max_page_count = 1"))
            connection.execute(text("create table numbers (number int)"))
    finally:
        engine.dispose()


def of_file() -> None:
    """Write to a disk on which there is never any room."""
    with Path("/dev/full").open("w", encoding="utf-8") as file:
        file.write("more")


def raised(does: Callable[..., object]) -> Exception:
    with pytest.raises((OSError, SQLAlchemyError, sqlite3.Error)) as caught:
        does()
    return caught.value


def of_damage() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("select * from nothing")


@pytest.mark.parametrize("fails", [of_file, of_database], ids=["a file", "a database"])
def test_a_full_disk_is_known_by_the_error_that_it_causes(settings: Settings, fails: Callable[..., None]) -> None:
    told = told_if_full(raised(fails), settings)
    assert told is not None
    assert "MB are free in " in told
    assert told.endswith("Free space on the disk, then run again; what was published stays.")


def test_an_error_of_a_database_is_one_of_the_disk_only_where_that_is_full(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = raised(of_damage)
    assert told_if_full(error, settings) is None
    monkeypatch.setattr(disk, "least_room", lambda _: Room(Path("/data"), FULL - 1))
    told = told_if_full(error, settings)
    assert told is not None
    assert told.startswith("The disk is full: 10 MB are free in /data.")
    assert told_if_full(ValueError("a mistake of ours"), settings) is None


def test_of_two_disks_the_one_with_less_room_counts(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = settings.data_dir.with_name("elsewhere")
    monkeypatch.setenv("DAGSTER_HOME", str(elsewhere))
    monkeypatch.setattr(disk, "_room", lambda folder: Room(folder, 1 if folder == elsewhere else 2))
    assert least_room(settings).folder == elsewhere


@pytest.mark.parametrize("fails", [of_file, of_database], ids=["a file", "a database"])
def test_cx_run_ends_in_one_line_where_the_history_does_not_fit_on_the_disk(
    settings: Settings, fails: Callable[..., None], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(launch, "execute", lambda *_, **__: fails())
    monkeypatch.setattr(sys, "argv", ["cx", "run"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    out, err = capsys.readouterr()
    assert out.splitlines()[-1].startswith("The disk was full: ")  # it has room, but for this one
    assert "Traceback" not in out + err


def test_an_error_of_another_kind_is_not_hidden(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ValueError("a mistake of ours")

    monkeypatch.setattr(launch, "execute", fail)
    monkeypatch.setattr(sys, "argv", ["cx", "run"])
    with pytest.raises(ValueError, match="a mistake of ours"):
        cli.main()


def unread(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Status:
    """What is said where the history can't be read."""
    with shipped_instance(settings):
        pass

    def fail(*_: object) -> None:
        raise DatabaseError("select 1", None, sqlite3.OperationalError("disk I/O error"))

    monkeypatch.setattr(looking, "latest_runs", fail)
    return Status.model_validate_json(CliRunner().invoke(cli.app, ["status", "--json"]).output)


def test_a_full_disk_is_told_first_and_nobody_is_told_to_move_the_history_away(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "least_room", lambda _: Room(Path("/data"), 0))
    told = unread(settings, monkeypatch)
    assert told.exit_code == 2
    first, second, *_ = told.findings
    assert (first.level, first.what) == ("bad", "The disk is full: 0 MB are free in /data.")
    assert first.do == "Free space on the disk, then run again; what was published stays."
    assert second.what == "Dagster's history can't be read: (sqlite3.OperationalError) disk I/O error."
    assert second.do == "Leave it as it is: with space on the disk it can be read again."
    assert "move its folder" not in str(told.findings)


def test_with_space_on_the_disk_a_history_that_can_not_be_read_is_to_be_restored(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    (first, *_) = unread(settings, monkeypatch).findings
    assert first.do == "Restore it, or move its folder away."


def test_of_a_history_that_can_not_be_read_it_is_not_said_that_there_was_no_run(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "There was no run yet." not in [finding.what for finding in unread(settings, monkeypatch).findings]
