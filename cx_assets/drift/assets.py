"""The asset of daily figures."""

import dagster as dg
import pandas as pd

from cx_assets.dataset import Dataset
from cx_assets.drift import tables
from cx_assets.drift.counting import daily_categories, delivered
from cx_assets.drift.counting import daily_figures as plain_figures
from cx_assets.drift.judging import judge_figures
from cx_assets.table import Table, table_asset


def drift_assets(dataset: Dataset) -> list[dg.AssetsDefinition]:
    """The table of daily figures, whose hours are those of the dataset's zone."""

    @table_asset(tables.DAILY_FIGURES, kinds=["sql", "python"], code_version="2")
    def daily_figures(events: Table, rejected_events: Table, items: Table) -> pd.DataFrame:
        """One row per day, column and figure of the delivered events, beside what was to be expected of it.

        How many events came, how many values are missing, distinct, new, how they part into categories: each against
        the same weekday's history. All days are judged in each run, from nothing but the days before them.
        """
        rows = delivered(events, rejected_events, dataset.timezone)
        return judge_figures(plain_figures(rows, items), daily_categories(rows, items))

    return [daily_figures]
