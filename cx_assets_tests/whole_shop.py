"""The second shop after a run of everything, made once; tests that change it work on a copy."""

import functools
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from cx_assets.automation import EVERY_RUN, RANGE_END, RANGE_START
from cx_assets.dataset import Dataset, load_dataset
from cx_assets.definitions import build_definitions
from cx_assets.home import prepare_home
from cx_assets.settings import Settings
from cx_assets_tests.reconciliation import unaccounted
from cx_assets_tests.shop import write_shop

MANIFEST = "second_shop.yaml"


@dataclass(frozen=True)
class WholeShop:
    """A folder with the shop's files, its manifest, and `data`, where runs work.

    Attributes:
        folder: complete in itself, so that a copy of it is another shop with the same history.
    """

    folder: Path

    @property
    def settings(self) -> Settings:
        return Settings(dataset=str(self.folder / MANIFEST), data_dir=self.folder / "data")

    @property
    def dataset(self) -> Dataset:
        return load_dataset(self.settings.dataset)

    @property
    def published(self) -> Path:
        return self.settings.published_dir / "cx.duckdb"

    def copied_to(self, folder: Path) -> "WholeShop":
        shutil.copytree(self.folder, folder, symlinks=True)
        return WholeShop(folder)

    def environment(self, **more: str) -> dict[str, str]:
        """The environment of a process that works on this shop."""
        settings = self.settings
        own = {
            "CX_DATASET": settings.dataset,
            "CX_DATA_DIR": str(settings.data_dir),
            "DAGSTER_HOME": str(settings.home),
        }
        return {**os.environ, **own, "COLUMNS": "250", **more}

    @contextmanager
    def instance(self) -> Iterator[dg.DagsterInstance]:
        """The instance with the shop's history, configured as shipped."""
        with shipped_instance(self.settings) as instance:
            yield instance


@functools.cache
def whole_shop(session_folder: Path) -> WholeShop:
    """The shop after a run of everything in this process, made once for a session of tests."""
    shop = WholeShop(session_folder / "whole_shop")
    shop.folder.mkdir()
    write_shop(shop.folder)
    with shop.instance() as instance:
        execute(shop.settings, instance)
    return shop


@contextmanager
def shipped_instance(settings: Settings) -> Iterator[dg.DagsterInstance]:
    """The instance under a data folder, configured as shipped; the environment is afterwards as it was."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", str(settings.home))
        patch.setenv("DAGSTER_EVENT_BATCH_SIZE", "")  # noted, so that what the storage sets is undone
        patch.delenv("DAGSTER_EVENT_BATCH_SIZE")
        prepare_home(settings)
        with dg.DagsterInstance.get() as instance:
            yield instance


def execute(
    settings: Settings,
    instance: dg.DagsterInstance,
    dataset: Dataset | None = None,
    selection: dg.AssetSelection | None = None,
    *,
    raise_on_error: bool = True,
) -> dg.ExecuteInProcessResult:
    """Materialize what is selected, or everything, with its checks, over all days of the dataset.

    After a run of everything, every delivered event has to be accounted for in what is published.
    """
    definitions = build_definitions(settings, dataset)
    chosen = dg.define_asset_job("chosen", EVERY_RUN if selection is None else selection)
    job = dg.Definitions.merge(definitions, dg.Definitions(jobs=[chosen])).resolve_job_def("chosen")
    days = job.partitions_def.get_partition_keys() if job.partitions_def else None
    result = job.execute_in_process(
        instance=instance,
        tags={RANGE_START: days[0], RANGE_END: days[-1]} if days else None,
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        raise_on_error=raise_on_error,
    )
    if result.success and selection is None:
        assert unaccounted(settings.published_dir / "cx.duckdb") == {}
    return result


def tables_in(database: Path) -> dict[str, int]:
    """The rows of every table of a database that nobody writes, by `schema.table`."""
    with duckdb.connect(str(database), read_only=True) as connection:
        names = connection.execute("select schema_name || '.' || table_name from duckdb_tables()").fetchall()
        return {name: connection.execute(f"select count(*) from {name}").fetchall()[0][0] for (name,) in sorted(names)}


def differing_tables(one: Path, other: Path, *, but: tuple[str, ...] = ("",)) -> dict[str, int]:
    """The rows that only one of two databases has, by table; empty if they hold the same in all columns but some."""
    names = tables_in(one).keys() | tables_in(other).keys()
    found = {}
    with duckdb.connect() as connection:
        for alias, path in (("one", one), ("other", other)):
            connection.execute(f"attach '{path}' as {alias} (read_only)")
        for name in sorted(names):
            a, b = (
                f"select columns(name -> name not in {but}) from {database}.{name}" for database in ("one", "other")
            )
            query = f"select count(*) from (({a} except all {b}) union all ({b} except all {a}))"
            found[name] = connection.execute(query).fetchall()[0][0]
    return {name: count for name, count in found.items() if count}
