"""Which files of events are told to be new or changed: by their times alone, against when their days were loaded."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from cx_assets.automation import RANGE_END, RANGE_START
from cx_assets.dataset import Dataset
from cx_assets.definitions import build_definitions
from cx_assets.ingestion.tables import DELIVERED_COLUMNS, raw_events_table
from cx_assets.operations import deliveries
from cx_assets.operations.deliveries import delivered_files
from cx_assets.operations.looking import look
from cx_assets.publishing.files import publish
from cx_assets.settings import Settings
from cx_assets.table.warehouse import connect
from cx_assets_tests.operations.test_status import QUIET
from cx_assets_tests.shop import write_tiny
from cx_assets_tests.whole_shop import shipped_instance

pytestmark = pytest.mark.whole

LONG_AGO = 1_700_000_000
Run = Callable[[str, str], None]


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    """A shop with a file per day, and one of two days."""
    days = {f"{day}.csv": [{"at": f"2024-03-0{day}T10:00:00"}] for day in (1, 2, 3)}
    made = write_tiny(tmp_path, {**days, "both.csv": [*days["1.csv"], *days["3.csv"]]})
    (tmp_path / "events" / "empty.csv").touch()
    return made


@pytest.fixture
def settings(dataset: Dataset) -> Settings:
    return Settings(dataset=str(dataset.path), data_dir=dataset.folder / "data")


@pytest.fixture
def run(dataset: Dataset, settings: Settings) -> Run:
    """Load a range of days, and publish what was loaded."""

    def load(first: str, last: str) -> None:
        job = build_definitions(settings, dataset).resolve_job_def("daily_events")
        with shipped_instance(settings) as instance:
            tags = {RANGE_START: first, RANGE_END: last}
            job.execute_in_process(instance=instance, tags=tags, run_config=QUIET)
        with connect(settings.warehouse_path, "1GB", 1) as connection:
            publish(connection, [raw_events_table(links=False), DELIVERED_COLUMNS], "<html>", settings.published_dir)

    return load


def told(dataset: Dataset, settings: Settings) -> tuple[list[str], list[str]]:
    """The new and the changed files."""
    with shipped_instance(settings) as instance:
        files = delivered_files(instance, settings, dataset)
    assert files is not None
    assert files.known == len([path for path in (dataset.folder / "events").iterdir() if path.name != "empty.csv"])
    return files.new, files.changed


def test_before_anything_was_loaded_nothing_is_told(dataset: Dataset, settings: Settings) -> None:
    with shipped_instance(settings) as instance:
        assert delivered_files(instance, settings, dataset) is None


def test_a_file_of_an_earlier_day_that_changed_is_told_until_its_day_is_loaded_again(
    dataset: Dataset, settings: Settings, run: Run
) -> None:
    run("2024-03-01", "2024-03-03")
    assert told(dataset, settings) == ([], [])
    events = dataset.folder / "events"
    (events / "1.csv").write_text((events / "2.csv").read_text("utf-8"), "utf-8")
    (events / "both.csv").touch()
    run("2024-03-03", "2024-03-03")
    assert told(dataset, settings) == ([], ["events/1.csv"])
    run("2024-03-01", "2024-03-02")
    assert told(dataset, settings) == ([], [])


def test_a_new_file_is_told_also_where_its_copy_has_kept_an_old_time(
    dataset: Dataset, settings: Settings, run: Run
) -> None:
    run("2024-03-01", "2024-03-03")
    events = dataset.folder / "events"
    (events / "4.csv").write_text((events / "3.csv").read_text("utf-8"), "utf-8")
    os.utime(events / "4.csv", (LONG_AGO, LONG_AGO))
    (events / "2.csv").write_text((events / "3.csv").read_text("utf-8") * 2, "utf-8")
    os.utime(events / "2.csv", (LONG_AGO, LONG_AGO))
    assert told(dataset, settings) == (["events/4.csv"], ["events/2.csv"])


def test_files_that_were_only_moved_with_their_folder_have_not_changed(
    dataset: Dataset, settings: Settings, run: Run
) -> None:
    run("2024-03-01", "2024-03-03")
    for path in (dataset.folder / "events").iterdir():
        path.chmod(0o600)  # changes the time that moving changes
    assert told(dataset, settings) == ([], [])


def test_what_was_loaded_by_a_run_that_published_nothing_is_not_new(
    dataset: Dataset, settings: Settings, run: Run
) -> None:
    run("2024-03-01", "2024-03-03")
    settings.published_dir.unlink()
    assert told(dataset, settings) == ([], [])
    (dataset.folder / "events" / "1.csv").touch()
    assert told(dataset, settings) == (["events/1.csv"], [])


def test_who_watches_a_shop_with_personal_data_needs_no_key(tmp_path: Path) -> None:
    dataset = write_tiny(tmp_path, {"a.csv": [{}]}, "privacy: {identifiers: [customer_id]}\n")
    settings = Settings(dataset=str(dataset.path), data_dir=tmp_path / "data")
    keyed = settings.model_copy(update={"key": SecretStr(secrets.token_hex(32))})
    job = build_definitions(keyed, dataset).resolve_job_def("daily_events")
    with shipped_instance(settings) as instance:
        tags = {RANGE_START: "2024-03-01", RANGE_END: "2024-03-05"}
        assert job.execute_in_process(instance=instance, tags=tags, run_config=QUIET).success
    seen = look(settings, dataset)
    assert seen.files is None
    assert seen.checks.passed > 10


def test_databases_and_urls_are_not_asked(monkeypatch: pytest.MonkeyPatch, dataset: Dataset) -> None:
    remote = dataset.events[0].source.model_copy(update={"files": None, "url": "https://nowhere.invalid/a.csv"})
    entry = dataset.events[0].model_copy(update={"source": remote})
    asked = dataset.model_copy(update={"events": [entry]})
    assert list(deliveries._files(asked, Settings())) == []
