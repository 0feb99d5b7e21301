"""The laws of what is told of the ranker: its probabilities, its parts and its settings.

Belongs here: what must hold of these tables, whatever the data. Does not: the laws of lists and figures
(`backtest_checks`) or structure (`table.checks`).
"""

import dagster as dg
import pandas as pd

from cx_assets.evaluation.calibration import dates_apart
from cx_assets.evaluation.config import EvaluationSettings
from cx_assets.evaluation.ranker_study import ALL_SOURCES, FULL, study_keys
from cx_assets.evaluation.search import CRITERION
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


@table_check(asset="ranker_study", blocking=True)
def sources_find_no_more_than_all_of_them(ranker_study: Table) -> dg.AssetCheckResult:
    """All sources together have and find at least what each has and finds, and none can lose more than it finds."""
    broken = sql(
        f"""
        with found as (select * from ranker_study where kind = 'candidates' and list = 'discovery')
        select f.as_of, f.name, f.measure, f."value", b."value" as at_most
        from found f
        left join found b on b.as_of = f.as_of
            and b.name = case when f.measure = 'lost' then f.name else {literal(ALL_SOURCES)} end
            and b.measure = case when f.measure = 'lost' then 'recall' else f.measure end
        where not coalesce(
            f."value" >= 0 and f."value" <= b."value" + {ROUNDING}
            and (f.measure = 'candidates' or f."value" <= 1 + {ROUNDING}), false
        )
        """,
        ranker_study=ranker_study,
    )
    return law(broken, ranker_study.count(), "figures of sources can't be", AGAIN)


@table_check(asset="ranker_study", blocking=True)
def the_study_is_complete(ranker_study: Table, backtest_lists: Table) -> dg.AssetCheckResult:
    """On the last as-of date every source and group has its figures, each of which can be and is in its interval."""
    last = sql("select max(as_of) from t", t=backtest_lists).fetchone()[0]
    rows = ranker_study.df()
    own = rows[rows["as_of"] == last]
    keys = ["kind", "list", "name", "measure"]
    there = set(own[keys].itertuples(index=False, name=None))
    # Who is judged on a list, as is told by the full ranker, is so with every part left out.
    wanted = study_keys({str(which) for which in own.loc[own["name"] == FULL, "list"]})
    odd = [(*key, "missing") for key in sorted(wanted - there)] + [(*key, "not asked for") for key in there - wanted]
    odd += [(*key, "of another date") for key in rows.loc[rows["as_of"] != last, keys].itertuples(index=False)]
    held = rows["ci_low"].le(rows["value"] + ROUNDING) & rows["value"].le(rows["ci_high"] + ROUNDING)
    shares = rows["measure"].eq("candidates") | rows["value"].abs().le(1 + ROUNDING)
    odd += [(*key, "can't be") for key in rows.loc[~(held & shares), keys].itertuples(index=False)]
    return law(pd.DataFrame(odd, columns=[*keys, "problem"]), len(wanted), "figures of the study are odd", AGAIN)


@table_check(asset="search_trials", blocking=True)
def the_days_of_a_search_end_before_the_test(search_trials: Table) -> dg.AssetCheckResult:
    """Every cut's horizon is over on the first test day, and all trials speak of the same test window."""
    broken = sql(
        """
        select trial, list, as_of, horizon_days, first_test_day from t
        where as_of + to_days(horizon_days) > first_test_day or first_test_day <> (select min(first_test_day) from t)
        """,
        t=search_trials,
    )
    return law(
        broken,
        search_trials.count(),
        "figures of a search are of days that the ranker is to be judged on",
        "Run `cx search` again; settings chosen by these figures make every figure of the backtest too good.",
    )


@table_check(asset="search_trials", blocking=True)
def the_best_trial_is_chosen(search_trials: Table) -> dg.AssetCheckResult:
    """One trial is chosen and no other is better; every trial has every cut and list, and means that are such."""
    rows = search_trials.df()
    cuts, means = rows[rows["as_of"].notna()], rows[rows["as_of"].isna()]
    trials = list(dict.fromkeys(rows["trial"]))
    odd: list[tuple[str, str]] = []
    chosen = sorted(set(rows.loc[rows["chosen"], "trial"]))
    if len(chosen) != 1 or not rows.loc[rows["trial"].isin(chosen), "chosen"].all():
        odd.append((", ".join(chosen), "one trial is to be chosen, with all of its rows"))
    else:
        sums = means[means["list"].isin(CRITERION)].groupby("trial")["ndcg"].sum().reindex(trials, fill_value=0.0)
        odd += [(str(one), f"better than {chosen[0]}") for one in sums.index[sums > sums[chosen[0]] + ROUNDING]]
    wanted = set(rows[["list", "as_of"]].itertuples(index=False, name=None))
    for trial in trials:
        own = rows[rows["trial"] == trial]
        if set(own[["list", "as_of"]].itertuples(index=False, name=None)) != wanted:
            odd.append((trial, "not judged on every cut and list"))
    mean = cuts.groupby(["trial", "list"])["ndcg"].mean()
    told = means.set_index(["trial", "list"])["ndcg"].reindex(mean.index)
    odd += [(str(trial), f"another mean on {which}") for trial, which in mean.index[~((told - mean).abs() <= ROUNDING)]]
    return law(pd.DataFrame(odd, columns=["trial", "problem"]), len(trials), "trials are odd", "Run `cx search` again.")
