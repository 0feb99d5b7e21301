"""What is told of the ranker, by the job that operators run: that it is kept, and what makes it anew."""

import shutil
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from cx_assets.cli import app
from cx_assets.settings import DATABASE
from cx_assets_tests.evaluation.backtest_runs import DATES, LAST, Run, backtest, backtested_shop, settings_of
from cx_assets_tests.runs import error_of, frame, rows, tamper

pytestmark = pytest.mark.whole

STUDY = "select * from evaluation.ranker_study order by all"
KEPT = "the study of this ranker and these data is there already"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return backtested_shop(tmp_path_factory.getbasetemp())


@pytest.fixture
def copied(whole: Run, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole.folder, tmp_path / "shop", symlinks=True))


def test_the_study_is_of_the_last_date_and_of_one_version(whole: Run) -> None:
    assert rows(whole.database, "select distinct as_of from evaluation.ranker_study") == [(DATES[-1],)]
    assert len(rows(whole.database, "select distinct version from evaluation.ranker_study")) == 1


def test_a_second_run_learns_nothing_and_changes_no_row(whole: Run, copied: Path) -> None:
    assert not any(KEPT in line for line in whole.log)
    again = backtest(copied, assets=("ranker_study",))
    assert again.result.success, error_of(again.result)
    assert any(KEPT in line for line in again.log)
    assert not any(line.startswith("full, ") for line in again.log)
    pd.testing.assert_frame_equal(frame(again.database, STUDY), frame(whole.database, STUDY))


def test_another_event_of_the_horizon_makes_the_study_anew(whole: Run, copied: Path) -> None:
    one = f"select min(event_id) from warehouse.events where day = '{LAST}'"
    tamper(settings_of(copied).warehouse_path, f"delete from warehouse.events where event_id = ({one})")
    again = backtest(copied, assets=("ranker_study",))
    assert any(line.startswith("full, ") for line in again.log)
    versions = "select distinct version from evaluation.ranker_study"
    assert rows(again.database, versions) != rows(whole.database, versions)


def test_a_table_of_an_older_declaration_is_made_anew(whole: Run, copied: Path) -> None:
    tamper(settings_of(copied).warehouse_path, "alter table evaluation.ranker_study drop column customers")
    again = backtest(copied, assets=("ranker_study",))
    assert again.result.success, error_of(again.result)
    pd.testing.assert_frame_equal(frame(again.database, STUDY), frame(whole.database, STUDY))


def test_the_places_of_the_last_date_are_all_in_a_bin(whole: Run) -> None:
    query = "select list, {} from {} group by list order by list"
    binned = rows(whole.database, query.format("sum(places)", "evaluation.calibration"))
    ranker = f"evaluation.backtest_lists where recommender = 'ranker' and as_of = timestamp '{DATES[-1]}'"
    assert binned == rows(whole.database, query.format("count(*)", ranker))


def test_the_search_is_a_command_that_shows_what_it_chose_and_is_published_with_the_next_backtest(
    copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of(copied)
    for name, value in (("CX_DATASET", settings.dataset), ("CX_DATA_DIR", str(settings.data_dir)), ("COLUMNS", "200")):
        monkeypatch.setenv(name, value)
    for name in ("DAGSTER_HOME", "DAGSTER_EVENT_BATCH_SIZE"):
        monkeypatch.setenv(name, "")  # noted, so that what the command sets is undone
        monkeypatch.delenv(name)
    too_many = CliRunner().invoke(app, ["search", "--before", "2024-05-13", "--cuts", "4"])
    assert too_many.exit_code == 1
    assert "no event lies before the validation cut 2024-01-22" in too_many.output
    told = CliRunner().invoke(app, ["search", "--before", "2024-05-13", "--cuts", "1"])
    assert told.exit_code == 0, told.output
    assert "NDCG@10: mean of 1 cut before 2024-05-13" in told.output
    assert told.output.count("(chosen)") == 1
    assert rows(settings.warehouse_path, "select distinct as_of from evaluation.search_trials where as_of is not null")
    again = backtest(copied, assets=("backtest_report", "published_backtest"))
    assert again.result.success, error_of(again.result)
    everything = "select * from evaluation.search_trials order by all"
    published = frame(settings.backtest_dir / DATABASE, everything)
    pd.testing.assert_frame_equal(published, frame(settings.warehouse_path, everything))
    assert "the first test day: nothing of that day" in (settings.backtest_dir / "report.html").read_text("utf-8")
