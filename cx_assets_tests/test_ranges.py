"""A range of days in one run, the same days one by one, a late file, the same load again: always the same rows."""

import shutil
import tempfile
from pathlib import Path

import duckdb
import hypothesis
from hypothesis import strategies as st

from cx_assets.dataset import Dataset, load_dataset
from cx_assets_tests.runs import run, shop_assets
from cx_assets_tests.shop import write_tiny

DAYS = tuple(f"2024-03-0{day}" for day in range(1, 6))
TABLES = ("ingestion.raw_events", "warehouse.events", "warehouse.rejected_events")
SETTINGS = hypothesis.settings(
    max_examples=4, deadline=None, database=None, derandomize=True, suppress_health_check=list(hypothesis.HealthCheck)
)
