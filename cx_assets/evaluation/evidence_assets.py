"""The assets that say what the ranker is made of and whether its scores mean what they say, in the backtest's job.

Belongs here: thin shells round `calibration` and `ranker_study`. Does not: making lists or judging recommenders
(`backtest_assets`).
"""

import dagster as dg
import numpy as np
import pandas as pd

from cx_assets.evaluation import tables
from cx_assets.evaluation.backtest import fingerprint_before, stored_rows, versions
from cx_assets.evaluation.calibration import calibration_rows, dates_apart, expected_error, scored_places
from cx_assets.evaluation.config import EvaluationSettings
from cx_assets.evaluation.judging import training_before
from cx_assets.evaluation.ranker_study import study
from cx_assets.evaluation.shortlists import challenger, shortlists
from cx_assets.evaluation.split import LISTS, Window, truth
from cx_assets.matrices.config import InteractionWeights
from cx_assets.recommendations.catalogue import CHALLENGER
from cx_assets.recommendations.rewind import Days
from cx_assets.rules.config import RuleMining
from cx_assets.table import Table, sql, table_asset
from cx_assets.table.warehouse import Warehouse

STUDY_VERSION = "1"


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


@table_asset(tables.RANKER_STUDY, code_version=STUDY_VERSION, kinds=("python", "scikitlearn"))
def ranker_study(
    context: dg.AssetExecutionContext,
    warehouse: Warehouse,
    backtest_lists: Table,
    events: Table,
    items: Table,
    evaluation_settings: EvaluationSettings,
    interaction_weights: InteractionWeights,
    rule_mining: RuleMining,
) -> pd.DataFrame:
    """One row per part of the ranker, list and measure: what each source of candidates and each feature group adds.

    On the last as-of date of the backtest. Rows whose ranker and data are as they were are kept, so that a second run
    learns nothing. Who wants to make the ranker simpler or better begins here.
    """
    last = sql("select max(as_of) from t", t=backtest_lists).fetchone()[0]
    if last is None:
        return pd.DataFrame(columns=tables.RANKER_STUDY.column_names)
    settings, weights, rules = evaluation_settings, interaction_weights.weights(), rule_mining.settings("item")
    window = Window(last, settings.horizon_days)
    ranker = challenger(Days(window.horizon_days))
    # What followed the date is part of what it rests on, so all events up to the end of the horizon count.
    shared = f"{STUDY_VERSION} {last} {weights} {rules} {settings.resamples} {settings.seed}"
    version = versions([ranker], fingerprint_before(events, items, window.end, shared))[ranker.name]
    kept = stored_rows(warehouse, tables.RANKER_STUDY, version)
    if kept is not None:
        context.log.info(f"{last:%Y-%m-%d}: the study of this ranker and these data is there already")
        return kept.df()
    training = training_before(events, items.df(), window, weights, rules)
    given = shortlists(training, truth(events, items, window), window)
    found = study(
        given,
        ranker.settings,
        resamples=settings.resamples,
        seed=settings.seed,
        log=lambda text: context.log.info(text),
    )
    return found.assign(as_of=np.datetime64(last, "us"), version=version)


EVIDENCE = [calibration, ranker_study]
