"""The asset of the search for settings: a thin shell round `search`, in a job of its own.

Belongs here: what an operator may ask for, and cutting off what may not be seen. Does not: trying settings (`search`).
"""

from datetime import datetime
from typing import Any

import dagster as dg
import pandas as pd
from pydantic import Field

from cx_assets.evaluation import search, tables
from cx_assets.evaluation.config import EvaluationSettings
from cx_assets.evaluation.judging import training_before
from cx_assets.evaluation.shortlists import challenger, shortlists
from cx_assets.evaluation.split import Window, training_events, truth
from cx_assets.matrices.config import InteractionWeights
from cx_assets.recommendations.rewind import Days
from cx_assets.rules.config import RuleMining
from cx_assets.table import Table, as_of_date, markdown, sql, table_asset


class SearchConfig(dg.Config):
    """What is tried, and on which days.

    In a file of run configuration:

        ops:
          search_trials:
            config:
              first_test_day: "2017-08-14"
              trials:
                as it is: {}
                small steps: {iterations: 300, learning_rate: 0.04}
    """

    first_test_day: str | None = Field(
        default=None,
        description="As 2017-08-14. Unless set, the Monday from which on the last test_horizons of the data are.",
    )
    test_horizons: int = Field(default=search.TEST_HORIZONS, ge=1, description="Horizons of the test window.")
    cuts: int = Field(
        default=search.VALIDATION_CUTS, ge=1, description="Validation cuts, one horizon apart, up to the test window."
    )
    validation_dates: list[str] = Field(default=[], description="The cuts themselves instead, as 2017-07-17.")
    trials: dict[str, Any] = Field(
        default=search.DEFAULT_TRIALS,
        description="By name, fields of RankerSettings and their values; the first is chosen of equals.",
    )


@table_asset(tables.SEARCH_TRIALS, code_version="1", kinds=("python", "scikitlearn"))
def search_trials(
    context: dg.AssetExecutionContext,
    config: SearchConfig,
    events: Table,
    items: Table,
    evaluation_settings: EvaluationSettings,
    interaction_weights: InteractionWeights,
    rule_mining: RuleMining,
) -> pd.DataFrame:
    """One row per cut, trial and list: how good the ranker is with other settings, on days before the test window.

    Without an as-of date the mean over the cuts. Nothing that happened on the first test day or later is read. Who
    changes the settings of `recommendations.ranker` goes by this table.
    """
    days = evaluation_settings.horizon_days
    try:
        given = config.first_test_day
        end = (
            datetime.fromisoformat(given)
            if given
            else search.first_test_day(as_of_date(events), days, config.test_horizons)
        )
        dates = [datetime.fromisoformat(date) for date in config.validation_dates]
        windows = search.validation_windows(end, days, dates or config.cuts)
        trials = search.Trials(search.tried(challenger(Days(days)).settings, config.trials))
    except ValueError as error:
        raise dg.Failure(str(error)) from error
    before = training_events(events, end)
    _require_history(before, windows[0])
    catalogue, weights, rules = items.df(), interaction_weights.weights(), rule_mining.settings("item")
    for window in windows:
        training = training_before(before, catalogue, window, weights, rules)
        trials.judge(shortlists(training, truth(before, items, window), window), context.log.info)
    found = trials.table()
    means = found[found["as_of"].isna()].pivot_table(
        index=["trial", "chosen"], columns="list", values="ndcg", sort=False
    )
    shown = means.reset_index().assign(seconds=lambda rows: rows["trial"].map(trials.seconds)).round(4)
    context.add_output_metadata(
        {
            "trials": dg.MetadataValue.md(markdown(shown)),
            "cuts": ", ".join(f"{window.as_of:%Y-%m-%d}" for window in windows),
            "first_test_day": f"{end:%Y-%m-%d}",
        }
    )
    return found.assign(first_test_day=pd.Timestamp(end), horizon_days=days).astype(
        {"first_test_day": "datetime64[us]"}
    )


def _require_history(before: Table, first: Window) -> None:
    """Refuse a cut that nothing lies before: there would be nothing to learn from."""
    known = sql("select min(day) from t", t=before).fetchone()[0]
    if known is None or known >= first.as_of.date():
        raise dg.Failure(
            f"no event lies before the validation cut {first.as_of:%Y-%m-%d}: set first_test_day later, or take fewer "
            "cuts or test_horizons"
        )
