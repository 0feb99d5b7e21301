"""The asset that applies retention: a thin shell round `retention` and `history`.

It has a job of its own: it belongs to no run of everything, and what it has removed has to be checked again before
anything is published.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import dagster as dg
import pandas as pd

from cx_assets.dataset import Dataset
from cx_assets.evaluation.config import EvaluationSettings
from cx_assets.home import home_of
from cx_assets.matrices.config import InteractionWeights
from cx_assets.operations import tables
from cx_assets.operations.history import prune
from cx_assets.operations.retention import RetentionError, apply, learning_days, refusals, why_all_raw_events_stay
from cx_assets.recommendations.config import Ranking
from cx_assets.settings import Settings
from cx_assets.table import table_asset, table_check
from cx_assets.table.checks import law
from cx_assets.table.relation import Table, sql
from cx_assets.table.warehouse import Warehouse


def retention_asset(dataset: Dataset, settings: Settings, known: Iterable[str]) -> dg.AssetsDefinition:
    """The asset for a dataset and an operator's rules.

    Args:
        dataset: from whose last day ages are counted.
        settings: with the rules.
        known: the names of all tables, for who mistypes one.
    """
    names = list(known)

    @table_asset(tables.RETENTION, code_version="1", kinds=["python"])
    def retention(
        context: dg.AssetExecutionContext,
        warehouse: Warehouse,
        evaluation_settings: EvaluationSettings,
        ranking: Ranking,
        interaction_weights: InteractionWeights,
    ) -> pd.DataFrame:
        """One row per table with a rule (CX_RETENTION): how long its rows are kept, and what was removed last time.

        Materializing it removes what is older, and the runs of Dagster's history that are (CX_HISTORY_DAYS).
        """
        learning = learning_days(
            evaluation_settings.horizon_days, ranking.horizon_days, ranking.cuts, interaction_weights.half_life_days
        )
        if wrong := refusals(settings.retention, learning, names, why_all_raw_events_stay(dataset)):
            raise RetentionError("Nothing was removed. CX_RETENTION asks for what can't be:\n" + "\n".join(wrong))
        applied = apply(warehouse.connection, dataset, settings.retention, learning)
        at = datetime.now(UTC)
        for one in applied:
            context.log.info(f"{one.table}: {one.removed:,} rows of before {one.kept_from} removed")
            if one.removed:
                # Its checks have judged rows that are gone: none of them vouches for the table until it runs again.
                context.instance.report_runless_asset_event(
                    dg.AssetMaterialization(
                        one.table.split(".")[1],
                        description=f"Rows of before {one.kept_from} were removed: they had been kept for long enough.",
                        metadata={"removed_rows": one.removed},
                    )
                )
        home = home_of(settings)
        runs = prune(context.instance, at - timedelta(days=settings.history_days), home)
        context.log.info(f"{runs:,} runs of more than {settings.history_days} days ago removed from Dagster's history")
        context.add_output_metadata({"removed_rows": sum(one.removed for one in applied), "removed_runs": runs})
        columns = tables.RETENTION.column_names
        now = at.replace(tzinfo=None, microsecond=0)
        rows = [(one.table, one.days, one.kept_from, one.removed, one.staying, one.oldest, now) for one in applied]
        return pd.DataFrame(rows, columns=columns)

    return retention


def retention_check() -> dg.AssetChecksDefinition:
    """The law of what retention leaves."""

    @table_check("retention", blocking=True)
    def nothing_is_kept_for_longer(retention: Table) -> dg.AssetCheckResult:
        """No table with a rule has a row of a day before the first that is kept, but for those that have to stay."""
        return law(
            sql("select * from retention where oldest_day < kept_from", retention=retention),
            retention.count(),
            "tables hold rows that are older than their rule lets them be",
            "Materialize retention again.",
        )

    return nothing_is_kept_for_longer
