"""A folder of daily Parquet files that grows while the sensor looks at it, through to what readers have."""

from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from cx_assets.automation import RANGE_END, RANGE_START
from cx_assets.dataset import load_dataset
from cx_assets.definitions import build_definitions
from cx_assets.settings import DATABASE, Settings
from cx_assets_tests.runs import load_shop, rows
from cx_assets_tests.shop import write_shop
from cx_assets_tests.whole_shop import shipped_instance

pytestmark = pytest.mark.whole

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
NEW_DAY, OLD_DAYS = "2024-05-09", ("2024-04-02", "2024-04-20")
CLICKS = "read_csv('{folder}/clicks_before/*.csv', delim = ';', all_varchar = true)"


@dataclass
class Folder:
    """The second shop, whose clicks are a Parquet file per day."""

    path: Path
    settings: Settings
    cursor: str | None = None

    def write(self, name: str, query: str) -> None:
        """Add a file of clicks."""
        with duckdb.connect() as connection:
            told = query.format(clicks=CLICKS.format(folder=self.path))
            connection.execute(f"copy ({told}) to '{self.path}/clicks/{name}.parquet' (format parquet)")

    def look(self, instance: dg.DagsterInstance) -> list[tuple[str, str]]:
        """Let the sensor look, run what it requests, and give the days that it asked for."""
        project = build_definitions(self.settings, load_dataset(self.settings.dataset))
        context = dg.build_sensor_context(
            instance, cursor=self.cursor, repository_def=project.get_repository_def(), sensor_name="new_event_files"
        )
        told = project.resolve_sensor_def("new_event_files").evaluate_tick(context)
        self.cursor = told.cursor or self.cursor
        for request in told.run_requests or []:
            self.run(instance, "daily_events", dict(request.tags))
        return [(request.tags[RANGE_START], request.tags[RANGE_END]) for request in told.run_requests or []]

    def run(self, instance: dg.DagsterInstance, job: str, tags: dict[str, str] | None = None) -> None:
        """Run a job, as a schedule or a sensor would launch it."""
        found = build_definitions(self.settings, load_dataset(self.settings.dataset)).resolve_job_def(job)
        assert found.execute_in_process(instance=instance, tags=tags, run_config=QUIET).success


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """All days but the last as files, and nothing that a run made."""
    shop = write_shop(tmp_path)
    (tmp_path / "clicks").rename(tmp_path / "clicks_before")
    (tmp_path / "clicks").mkdir()
    text = shop.manifest.read_text("utf-8")
    old = '{files: "clicks/*.csv", format: csv, delimiter: ";"}'
    assert text.count(old) == 1
    text = text.replace(old, '{files: "clicks/*.parquet", format: parquet}\n    corrections: {version: version}')
    shop.manifest.write_text(text, "utf-8")
    daily = Folder(tmp_path, Settings(dataset=str(shop.manifest), data_dir=tmp_path / "data"))
    days = duckdb.sql(
        f"select distinct ts[:10] from {CLICKS.format(folder=tmp_path)} where ts like '2024-%'"
    ).fetchall()
    for (day,) in sorted(days):
        if day != NEW_DAY:
            daily.write(day, f"select *, 0 as version from {{clicks}} where ts like '{day}%'")
    return daily


def test_a_new_day_and_a_late_file_reach_the_readers(folder: Folder) -> None:
    database = folder.settings.warehouse_path
    with shipped_instance(folder.settings) as instance:
        assert folder.look(instance) == [("2024-03-01", NEW_DAY)]  # the ratings are one file of all days
        assert folder.look(instance) == []
        before = rows(database, "select count(*), max(day) from warehouse.events where event_type <> 'rating'")[0]
        folder.write(NEW_DAY, f"select *, 0 as version from {{clicks}} where ts like '{NEW_DAY}%'")
        first, second = (f"ts like '{day}%' and action = 'buy'" for day in OLD_DAYS)
        folder.write(
            "late",
            # What was forgotten on one old day, and what moves from the other to the first day after it.
            f"""
            select * replace (line || '-late' as line), 0 as version from {{clicks}} where {first}
            union all
            select * replace ('2024-04-21T09:00:00' as ts), 1 as version from {{clicks}} where {second}
            """,
        )
        requested = folder.look(instance)
        assert requested == [(OLD_DAYS[0], OLD_DAYS[0]), ("2024-04-21", "2024-04-21"), (NEW_DAY, NEW_DAY)]
        folder.run(instance, "models")
    counts = "select event_type, count(*) from warehouse.events where day = '{}' group by all order by all"
    moved = dict(rows(database, counts.format(OLD_DAYS[1])))
    assert "purchase" not in moved
    assert moved["view"] > 0
    outcomes = rows(database, "select outcome, day::varchar, other_day::varchar from warehouse.withdrawn_events")
    assert set(outcomes) == {("corrected", OLD_DAYS[1], "2024-04-21")}
    after = rows(database, "select count(*), max(day) from warehouse.events where event_type <> 'rating'")[0]
    assert (after[0] > before[0], str(after[1])) == (True, NEW_DAY)
    fresh = folder.path / "fresh.duckdb"
    load_shop(fresh, load_dataset(folder.settings.dataset))
    for table in ("events", "rejected_events", "withdrawn_events"):
        query = f"select * from warehouse.{table} order by all"
        assert rows(database, query) == rows(fresh, query)
    with duckdb.connect(str(folder.settings.published_dir / DATABASE), read_only=True) as connection:
        assert connection.execute("select count(*) from warehouse.events").fetchall() == rows(
            database, "select count(*) from warehouse.events"
        )
