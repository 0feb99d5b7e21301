"""The assets of the backtest: thin shells round `backtest`, `last_basket` and `backtest_figures`.

They are a job of their own (`backtest`) and not a part of `everything`: a walk-forward backtest fits every recommender
on every date, which nobody needs each night.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import dagster as dg
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cx_assets.aims import Aim
from cx_assets.evaluation import tables
from cx_assets.evaluation.backtest import ListStore, computed, fingerprint, fingerprint_before, stored_rows, versions
from cx_assets.evaluation.backtest_figures import Pool, pooled_comparisons, pooled_rows
from cx_assets.evaluation.backtest_judging import Judging, non_overlapping
from cx_assets.evaluation.backtest_report_asset import backtest_report_asset
from cx_assets.evaluation.cohorts import cohort_rows
from cx_assets.evaluation.config import EvaluationSettings
from cx_assets.evaluation.evidence_assets import EVIDENCE
from cx_assets.evaluation.figures import metric_rows
from cx_assets.evaluation.judging import training_before
from cx_assets.evaluation.last_basket import before_the_last_basket, usual_events
from cx_assets.evaluation.list_context import list_context
from cx_assets.evaluation.list_figures import list_metric_rows
from cx_assets.evaluation.rejudged import rejudged_rows
from cx_assets.evaluation.report_data import customers_in, customers_with, recommendable_items
from cx_assets.evaluation.split import LISTS, Window, training_events
from cx_assets.matrices.config import InteractionWeights
from cx_assets.recommendations.catalogue import CHALLENGER, contenders
from cx_assets.recommendations.recommender import Training
from cx_assets.recommendations.rewind import Baskets, Days
from cx_assets.rules.config import RuleMining
from cx_assets.table import Table, TableSpec, as_of_date, markdown, table_asset
from cx_assets.table.warehouse import Warehouse

METRICS_VERSION, COMPARISONS_VERSION = "3", "2"


def backtest_assets(weekly: dg.PartitionsDefinition, aims: tuple[Aim, ...] = ()) -> list[dg.AssetsDefinition]:
    """The backtest's assets, over a dataset's as-of dates, with what its manifest wants reached."""

    @table_asset(tables.BACKTEST_LISTS, code_version="1", kinds=("python",), partitions_def=weekly, whole=["events"])
    def backtest_lists(
        context: dg.AssetExecutionContext,
        warehouse: Warehouse,
        events: Table,
        items: Table,
        evaluation_settings: EvaluationSettings,
        interaction_weights: InteractionWeights,
        rule_mining: RuleMining,
    ) -> Table:
        """One row per as-of date, recommender, list, customer and place: what would have been recommended on that day.

        Lists whose recommender and data are as they were are kept, so that a second run computes nothing and a new
        recommender only itself. With this table and `warehouse.events` every figure can be computed again elsewhere.
        """
        store = ListStore(warehouse, tables.BACKTEST_LISTS)
        catalogue = items.df()
        weights, rules = interaction_weights.weights(), rule_mining.settings("item")
        for key in context.partition_keys:
            window = Window(datetime.fromisoformat(key), evaluation_settings.horizon_days)
            _require_whole(window, as_of_date(events))
            recommenders = contenders(Days(window.horizon_days))
            wanted = versions(recommenders, fingerprint_before(events, items, window.as_of, f"{weights} {rules}"))
            known = store.kept(wanted, window.as_of)
            context.log.info(f"{key}: {len(known)} of {len(wanted)} recommenders have their lists already")

            def training(window: Window = window) -> Training:
                return training_before(events, catalogue, window, weights, rules)

            for name, rows in computed(recommenders, training, wanted, known, with_history):
                context.log.info(f"{key}: {name}")
                as_of = np.full(rows.num_rows, np.datetime64(window.as_of, "us"))
                store.add(rows.append_column("as_of", [as_of]))
        return store.rows

    page = backtest_report_asset(aims)
    return [backtest_lists, last_basket_lists, backtest_metrics, backtest_comparisons, *EVIDENCE, page]


@table_asset(tables.LAST_BASKET_LISTS, code_version="1", kinds=("python",))
def last_basket_lists(
    context: dg.AssetExecutionContext,
    warehouse: Warehouse,
    events: Table,
    items: Table,
    interaction_weights: InteractionWeights,
) -> Table:
    """One row per recommender, customer and place: what would have been recommended just before the last basket.

    The protocol of the literature on next baskets, for comparison with it. Kept like `backtest_lists`.
    """
    store = ListStore(warehouse, tables.LAST_BASKET_LISTS)
    weights = interaction_weights.weights()
    recommenders = contenders(Baskets())
    wanted = versions(recommenders, f"{fingerprint(events, items)} {weights}")
    known = store.kept(wanted)

    def training() -> Training:
        past = before_the_last_basket(usual_events(events), items.df(), as_of_date(events), weights)
        return past.training

    for name, rows in computed(recommenders, training, wanted, known, with_history):
        context.log.info(f"last basket: {name}")
        store.add(rows)
    return store.rows


@table_asset(tables.BACKTEST_METRICS, code_version=METRICS_VERSION, kinds=("python",))
def backtest_metrics(
    context: dg.AssetExecutionContext,
    warehouse: Warehouse,
    backtest_lists: Table,
    last_basket_lists: Table,
    events: Table,
    items: Table,
    evaluation_settings: EvaluationSettings,
    interaction_weights: InteractionWeights,
) -> pd.DataFrame:
    """One row per protocol, as-of date, recommender, list, metric, k and cohort: how good the lists of backtests were.

    Each as-of date by itself for the trend; without an as-of date the mean over the dates whose horizons don't overlap.
    Rows whose lists and data are as they were are kept.
    """
    given = Judging(backtest_lists, last_basket_lists, events, items, evaluation_settings, interaction_weights)
    found = kept_or_made(context, warehouse, tables.BACKTEST_METRICS, given.version(METRICS_VERSION), metrics_of, given)
    board = found[found["as_of"].isna() & (found["cohort"] == "all") & (found["metric"] == "ndcg") & (found["k"] == 10)]
    shown = board.pivot_table(index=["protocol", "recommender"], columns="list", values="value").round(4).reset_index()
    context.add_output_metadata({"ndcg_10": dg.MetadataValue.md(markdown(shown))})
    return found


@table_asset(tables.BACKTEST_COMPARISONS, code_version=COMPARISONS_VERSION, kinds=("python",))
def backtest_comparisons(
    context: dg.AssetExecutionContext,
    warehouse: Warehouse,
    backtest_lists: Table,
    last_basket_lists: Table,
    events: Table,
    items: Table,
    evaluation_settings: EvaluationSettings,
    interaction_weights: InteractionWeights,
) -> pd.DataFrame:
    """One row per protocol, recommender, baseline, list, metric and k: by how much it leads over all as-of dates.

    Every recommender against every other, over dates whose horizons don't overlap, in pairs over customers. Rows whose
    lists and data are as they were are kept.
    """
    given = Judging(backtest_lists, last_basket_lists, events, items, evaluation_settings, interaction_weights)
    version = given.version(COMPARISONS_VERSION)
    found = kept_or_made(context, warehouse, tables.BACKTEST_COMPARISONS, version, comparisons_of, given)
    shown = found[(found["recommender"] == CHALLENGER) & (found["metric"] == "ndcg") & (found["k"] == 10)].round(4)
    context.add_output_metadata({"ndcg_leads": dg.MetadataValue.md(markdown(shown.drop(columns="version")))})
    return found


def kept_or_made(
    context: dg.AssetExecutionContext,
    warehouse: Warehouse,
    spec: TableSpec,
    version: str,
    make: Callable[[Judging], pd.DataFrame],
    given: Judging,
) -> pd.DataFrame:
    """The stored rows of a version, or rows made now."""
    kept = stored_rows(warehouse, spec, version)
    if kept is None:
        return make(given).assign(version=version)
    context.log.info(f"{spec.name} of these lists and data is there already")
    return kept.df()


def metrics_of(given: Judging) -> pd.DataFrame:
    """The rows of `backtest_metrics`, without their version."""
    settings, events, items = given.settings, given.events, given.items
    ks, draws = settings.list_lengths, {"resamples": settings.resamples, "seed": settings.seed}
    frames = []
    for protocol, dates in given.by_protocol().items():
        chosen = non_overlapping(dates)
        pools = {which: Pool.of(chosen, which, ks) for which in LISTS}
        frames += [
            pooled_rows(pool, which, **draws).assign(protocol=protocol, as_of=None, cohort="all")
            for which, pool in pools.items()
            if pool is not None
        ]
        if protocol == "horizon":
            frames.append(cohort_rows(chosen, events, **draws).assign(protocol=protocol, as_of=None))
            frames.append(rejudged_rows(chosen, events, items, **draws).assign(protocol=protocol, as_of=None))
            for date in chosen:
                context_of = list_context(events, items, Window(date.date, settings.horizon_days), date)
                rows = list_metric_rows(date, context_of, ks, **draws)
                frames.append(rows.assign(protocol=protocol, as_of=date.date, cohort="all"))
        if protocol == "last_basket":
            continue
        for date in dates:
            before = training_events(events, date.date)
            rows = metric_rows(
                date,
                ks,
                had_by=customers_with(before),
                customers=customers_in(before),
                catalogue=recommendable_items(items),
                **draws,
            )
            frames.append(rows.assign(protocol=protocol, as_of=date.date, cohort="all"))
    return _together(frames, tables.BACKTEST_METRICS).astype({"as_of": "datetime64[us]"})


def comparisons_of(given: Judging) -> pd.DataFrame:
    """The rows of `backtest_comparisons`, without their version."""
    settings = given.settings
    frames = []
    for protocol, dates in given.by_protocol(overlapping=False).items():
        for which in LISTS:
            pool = Pool.of(dates, which, settings.list_lengths)
            if pool is not None:
                rows = pooled_comparisons(pool, which, resamples=settings.resamples, seed=settings.seed)
                frames.append(rows.assign(protocol=protocol))
    return _together(frames, tables.BACKTEST_COMPARISONS)


def _together(frames: Sequence[pd.DataFrame], spec: TableSpec) -> pd.DataFrame:
    """All frames as one, still without their version; without any, a table without rows."""
    filled = [frame for frame in frames if len(frame)]
    unversioned = [name for name in spec.column_names if name != "version"]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=unversioned)


def _require_whole(window: Window, until: datetime) -> None:
    """Refuse an as-of date whose horizon isn't over: what comes later would count as not taken."""
    if window.end > until:
        last = until - timedelta(days=window.horizon_days)
        raise dg.Failure(
            f"{window.as_of:%Y-%m-%d} can't be judged yet: its horizon ends on {window.end:%Y-%m-%d}, the events on "
            f"{until:%Y-%m-%d}. Choose as-of dates up to {last:%Y-%m-%d}."
        )


def with_history(training: Training) -> NDArray[np.intp]:
    """Everyone who has had something."""
    return np.flatnonzero(np.diff(training.counts.indptr))
