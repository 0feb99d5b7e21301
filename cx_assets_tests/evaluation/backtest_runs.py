"""The job of the backtest on a shop of a hundred days, run as operators run it.

Belongs here: the shop, its dates and the runs. Does not belong here: any expectation.
"""

import dataclasses
import functools
import shutil
from datetime import datetime
from pathlib import Path

import dagster as dg
from threadpoolctl import threadpool_limits

from cx_assets.automation import RANGE_END, RANGE_START
from cx_assets.definitions import build_definitions
from cx_assets.settings import Settings
from cx_assets_tests.runs import error_of, load_shop
from cx_assets_tests.shop import write_shop

HORIZON = 28
# A hundred days from 2024-03-01 end with 06-08: the Mondays after eight weeks of past and before a horizon of future.
FIRST, LAST = "2024-04-29", "2024-05-06"
DATES = [datetime.fromisoformat(date) for date in (FIRST, LAST)]


@dataclasses.dataclass(frozen=True)
class Run:
    """A shop's folder after a run, the run, and what it logged."""

    folder: Path
    result: dg.ExecuteInProcessResult
    log: list[str]

    @property
    def database(self) -> Path:
        return settings_of(self.folder).warehouse_path


def settings_of(folder: Path) -> Settings:
    return Settings(dataset=str(folder / "second_shop.yaml"), data_dir=folder / "data")


def backtest(folder: Path, first: str = FIRST, last: str = LAST, assets: tuple[str, ...] = ()) -> Run:
    """Run the job over some as-of dates, all of it or some assets."""
    job = build_definitions(settings_of(folder)).resolve_job_def("backtest")
    # One thread: several wait for each other longer than they work on so little, above all beside other tests.
    with dg.DagsterInstance.ephemeral() as instance, threadpool_limits(1):
        result = job.execute_in_process(
            instance=instance,
            tags={RANGE_START: first, RANGE_END: last},
            run_config={
                "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
                "resources": {"evaluation_settings": {"config": {"resamples": 100}}},
            },
            asset_selection=[dg.AssetKey(name) for name in assets] or None,
            raise_on_error=False,
        )
        log = [entry.user_message for entry in instance.all_logs(result.run_id) if not entry.is_dagster_event]
    return Run(folder, result, log)


@functools.cache
def loaded_shop(session_folder: Path) -> Path:
    """The folder of a shop with its events and items, and no backtest yet; made once for a session of tests."""
    folder = session_folder / "backtest_shop"
    folder.mkdir()
    shop = write_shop(folder, customers=30, items=120, days=100)
    load_shop(settings_of(folder).warehouse_path, shop.dataset)
    return folder


@functools.cache
def backtested_shop(session_folder: Path) -> Run:
    """A run of the whole job over both dates, made once; tests that change it work on a copy."""
    run = backtest(Path(shutil.copytree(loaded_shop(session_folder), session_folder / "backtested_shop")))
    assert run.result.success, error_of(run.result)
    return run
