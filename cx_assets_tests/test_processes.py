"""Real processes: killed in the middle, read from meanwhile, two at once, and the daemon's backfill."""

import json
import os
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from cx_assets.automation import RANGE_END, RANGE_START
from cx_assets.operations.runs import latest_runs
from cx_assets.table.warehouse import writing
from cx_assets_tests.processes import (
    CX,
    DAEMON,
    DAGSTER,
    PATIENCE,
    READER,
    digests,
    done,
    read_until,
    recovered,
    started,
    stop,
    wait_for,
)
from cx_assets_tests.runs import rows
from cx_assets_tests.shop import write_tiny
from cx_assets_tests.whole_shop import WholeShop, differing_tables, tables_in, whole_shop

pytestmark = pytest.mark.whole

# The stage whose first step has just begun.
MOMENTS = ("ingestion", "similarity", "publishing")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> WholeShop:
    return whole_shop(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="module")
def shop(whole: WholeShop, tmp_path_factory: pytest.TempPathFactory) -> WholeShop:
    """A copy of the whole shop, on which runs are killed, and one is not."""
    return whole.copied_to(tmp_path_factory.mktemp("killed") / "shop")


def folders(shop: WholeShop) -> list[Path]:
    """What is or was to be published."""
    return [path for path in shop.settings.data_dir.glob(".published-*") if path.is_dir() and not path.is_symlink()]


@dataclass(frozen=True)
class Left:
    """What a killed run has left: the published files, and the tables that differ from those of the run before.

    Attributes:
        state: what it is told to be right after.
    """

    published: dict[str, str]
    differing: dict[str, int]
    state: str


@pytest.fixture(scope="module")
def killed(whole: WholeShop, shop: WholeShop, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Left]:
    """One run after the other on the same shop, each killed at its moment."""
    left = {}
    for stage in MOMENTS:
        with started(*CX, "run", environment=shop.environment(), listen=True) as process:
            read_until(process, stage)
            if stage == "publishing":
                wait_for("the next folder is being written", lambda: len(folders(shop)) == 2, every=0.01)
            assert process.poll() is None
            stop(process)
        with shop.instance() as instance:
            state = latest_runs(instance, shop.settings, datetime.now(UTC))[0].state
        copy = recovered(shop.settings.warehouse_path, tmp_path_factory.mktemp(stage) / "copy")
        left[stage] = Left(
            digests(shop.settings.published_dir.resolve()),
            differing_tables(copy, whole.settings.warehouse_path),
            state,
        )
    return left


@pytest.mark.parametrize("stage", MOMENTS)
def test_a_killed_run_leaves_every_table_whole(killed: dict[str, Left], stage: str) -> None:
    assert killed[stage].differing == {}


@pytest.mark.parametrize("stage", MOMENTS)
def test_a_killed_run_leaves_the_published_files_as_they_were(
    whole: WholeShop, killed: dict[str, Left], stage: str
) -> None:
    assert killed[stage].published == digests(whole.settings.published_dir.resolve())


def test_a_killed_run_is_told_to_be_interrupted_at_once(killed: dict[str, Left]) -> None:
    assert {stage: left.state for stage, left in killed.items()} == dict.fromkeys(MOMENTS, "interrupted")


@dataclass(frozen=True)
class Finished:
    """What the run after the killed ones printed, and what a reader saw while it worked."""

    code: int
    printed: str
    reader_code: int
    read: dict[str, object]


@pytest.fixture(scope="module")
def finished(shop: WholeShop, killed: dict[str, Left]) -> Finished:
    with started(*READER, str(shop.published), environment=os.environ, listen=True) as reader:
        read_until(reader, "reading")
        run = done(*CX, "run", environment=shop.environment())
        told, _ = reader.communicate("stop", 60)
        return Finished(run.returncode, run.stdout, reader.returncode, json.loads(told))


def test_the_run_after_killed_ones_finishes_and_tells_where_to_look(shop: WholeShop, finished: Finished) -> None:
    assert finished.code == 0
    lines = [line.split() for line in finished.printed.splitlines()]
    assert [line[0] for line in lines if line[:1] == ["Done"]] == ["Done"]
    for path in ("report.html", "cx.duckdb", "parquet"):
        assert str(shop.settings.published_dir / path) in finished.printed


def test_a_run_in_another_process_publishes_the_same_tables_row_for_row(
    whole: WholeShop, shop: WholeShop, finished: Finished
) -> None:
    assert differing_tables(shop.published, whole.published) == {}
    fingerprints = "select * from publishing.published_tables order by all"
    assert rows(shop.settings.warehouse_path, fingerprints) == rows(whole.settings.warehouse_path, fingerprints)


def test_a_reader_always_finds_one_whole_state(whole: WholeShop, shop: WholeShop, finished: Finished) -> None:
    assert finished.reader_code == 0
    assert finished.read["states"] == [tables_in(whole.published)]
    assert finished.read["folders"] == 2  # it read what was published before, and what after
    assert int(str(finished.read["reads"])) > 20


def test_what_killed_runs_left_behind_is_gone(shop: WholeShop, finished: Finished) -> None:
    assert folders(shop) == [shop.settings.published_dir.resolve()]


# Two at once


@pytest.fixture
def tiny(tmp_path: Path) -> WholeShop:
    """A tiny shop without any run, its manifest under the name that `WholeShop` knows."""
    write_tiny(tmp_path, {"a.csv": [{"at": f"2024-03-0{day}T10:00:00"} for day in (1, 2, 3)]})
    (tmp_path / "tiny_shop.yaml").rename(tmp_path / "second_shop.yaml")
    return WholeShop(tmp_path)


def job(name: str, first: str, last: str) -> tuple[str, ...]:
    tags = json.dumps({RANGE_START: first, RANGE_END: last})
    return (*DAGSTER, "job", "execute", "-m", "cx_assets.definitions", "-j", name, "--tags", tags)


def test_two_runs_at_once_both_finish_one_after_the_other(tiny: WholeShop) -> None:
    with tiny.instance() as instance, ExitStack() as processes:
        with writing(tiny.settings.warehouse_path, 0, "the test"):
            both = [
                processes.enter_context(started(*job("daily_events", day, day), environment=tiny.environment()))
                for day in ("2024-03-01", "2024-03-02")
            ]
            begun = [dg.DagsterRunStatus.STARTED] * 2
            wait_for("both runs have begun", lambda: [run.status for run in instance.get_runs()] == begun)
            assert all(process.poll() is None for process in both)
        for process in both:
            process.wait(PATIENCE)
        spans = []
        for run in instance.get_runs():
            began = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_START)
            ended = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_SUCCESS)
            spans.append((min(step.timestamp for step in began), max(step.timestamp for step in ended)))
    assert [process.returncode for process in both] == [0, 0]
    (_, first_ended), (second_began, _) = sorted(spans)
    assert first_ended <= second_began
    assert rows(tiny.settings.warehouse_path, "select day(day) from warehouse.events order by all") == [(1,), (2,)]


def test_a_run_that_waited_too_long_names_who_is_writing(tiny: WholeShop) -> None:
    with writing(tiny.settings.warehouse_path, 0, "the test"):
        run = done(*CX, "run", environment=tiny.environment(CX_LOCK_TIMEOUT_SECONDS="0.5"))
    assert run.returncode == 1
    assert f"working.duckdb is being written by process {os.getpid()} on " in run.stdout
    assert "; the test)" in run.stdout
    assert "Waited 0.5 s. Let that run finish or stop it, then run again" in run.stdout
    assert not tiny.settings.warehouse_path.exists()


# The daemon


def test_a_backfill_of_days_is_queued_and_done_by_the_daemon(tiny: WholeShop) -> None:
    days = ("--from", "2024-03-01", "--to", "2024-03-02")
    with tiny.instance() as instance:
        queued = done(
            *DAGSTER, "job", "backfill", "-w", "workspace.yaml", "-j", "daily_events", *days, "--noprompt",
            environment=tiny.environment(),
        )  # fmt: skip
        assert queued.returncode == 0, queued.stderr
        assert [run.status for run in instance.get_runs()] == [dg.DagsterRunStatus.QUEUED] * 2
        with started(*DAEMON, environment=tiny.environment()) as daemon:
            wait_for("both runs are done", lambda: all(run.is_finished for run in instance.get_runs()))
            stop(daemon)
        assert [run.status for run in instance.get_runs()] == [dg.DagsterRunStatus.SUCCESS] * 2
    assert rows(tiny.settings.warehouse_path, "select day(day) from warehouse.events order by all") == [(1,), (2,)]
