"""The assets that say what the ranker is made of and whether its scores mean what they say, in the backtest's job.

Belongs here: thin shells round `calibration`. Does not: making lists or judging recommenders (`backtest_assets`).
"""

import dagster as dg
import pandas as pd

from cx_assets.evaluation import tables
from cx_assets.evaluation.calibration import calibration_rows, dates_apart, expected_error, scored_places
from cx_assets.evaluation.config import EvaluationSettings
from cx_assets.evaluation.split import LISTS, Window
from cx_assets.recommendations.catalogue import CHALLENGER
from cx_assets.table import Table, table_asset


@table_asset(tables.CALIBRATION, code_version="1", kinds=("python",))
def calibration(
    context: dg.AssetExecutionContext,
    backtest_lists: Table,
    events: Table,
    items: Table,
    evaluation_settings: EvaluationSettings,
) -> pd.DataFrame:
    """One row per list and bin of scores: what the ranker foresaw for these places, and what share of them was taken.

    Over all as-of dates whose horizons don't overlap. Who compares scores of two customers, or multiplies them with a
    price, relies on this.
    """
    settings = evaluation_settings
    dates = [
        scored_places(backtest_lists, events, items, Window(date, settings.horizon_days), CHALLENGER)
        for date in dates_apart(backtest_lists, CHALLENGER, settings.horizon_days)
    ]
    found = calibration_rows(dates, resamples=settings.resamples, seed=settings.seed)
    context.add_output_metadata(
        {
            f"error_{which}": expected_error(found[found["list"] == which])
            for which in LISTS
            if which in set(found["list"])
        }
    )
    return found


EVIDENCE = [calibration]
