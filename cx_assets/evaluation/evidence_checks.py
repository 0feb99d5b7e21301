"""The laws of what is told of the ranker: its probabilities, its parts and its settings.

Belongs here: what must hold of these tables, whatever the data. Does not: the laws of lists and figures
(`backtest_checks`) or structure (`table.checks`).
"""

import dagster as dg

from cx_assets.evaluation.calibration import dates_apart
from cx_assets.evaluation.config import EvaluationSettings
from cx_assets.recommendations.catalogue import CHALLENGER
from cx_assets.table import Table, law, sql, table_check
from cx_assets.table.schema import instant, literal

ROUNDING = 1e-9
AGAIN = "Run the backtest again; if it stays, the module that makes the table is wrong."


@table_check(asset="calibration", blocking=True)
def probabilities_are_possible(calibration: Table) -> dg.AssetCheckResult:
    """Scores and shares lie within 0 and 1, a bin's mean within its bounds, and each bin above the one before."""
    broken = sql(
        f"""
        with ordered as (
            select *, lag(highest) over (partition by list order by bin) as below,
                lag(bin) over (partition by list order by bin) as bin_before
            from calibration
        )
        select list, bin, lowest, highest, predicted, taken, ci_low, ci_high from ordered
        where not coalesce(
            lowest >= 0 and highest <= 1 and predicted between lowest - {ROUNDING} and highest + {ROUNDING}
            and taken between 0 and 1 and ci_low >= 0 and ci_low <= ci_high and ci_high <= 1
            and places >= 1 and customers between 1 and places,
            false
        ) or lowest <= below or bin <> coalesce(bin_before, 0) + 1
        """,
        calibration=calibration,
    )
    return law(broken, calibration.count(), "bins of probabilities can't be", AGAIN)


@table_check(asset="calibration", blocking=True)
def bins_hold_every_place(
    calibration: Table, backtest_lists: Table, evaluation_settings: EvaluationSettings
) -> dg.AssetCheckResult:
    """The places of a list's bins add up to its places on the as-of dates whose horizons don't overlap."""
    dates = ", ".join(map(instant, dates_apart(backtest_lists, CHALLENGER, evaluation_settings.horizon_days)))
    listed = sql(
        f"""
        select list, count(*) as places from t
        where recommender = {literal(CHALLENGER)} and list_contains([{dates}], as_of) group by list
        """,
        t=backtest_lists,
    ).df()
    binned = sql("select list, sum(places) as places from t group by list", t=calibration).df()
    both = listed.merge(binned, on="list", how="outer", suffixes=("_of_lists", "_of_bins"))
    broken = both[~(both["places_of_lists"] == both["places_of_bins"])]
    return law(broken, len(both), "lists have other places than their bins", AGAIN)
