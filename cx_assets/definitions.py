"""The code location on one screen: which assets, checks, jobs, schedules, sensors and resources there are.

Belongs here: putting the stages together for one dataset and one operator. Does not: anything that a stage does.
"""

from dataclasses import replace

import dagster as dg

from cx_assets import automation, partitions
from cx_assets.dataset import Dataset, ManifestError, load_dataset
from cx_assets.drift import assets as drift
from cx_assets.drift import checks as drift_checks
from cx_assets.evaluation import assets as evaluation
from cx_assets.evaluation import backtest_checks, evidence_checks, rating_checks
from cx_assets.evaluation import checks as evaluation_checks
from cx_assets.evaluation.backtest_assets import backtest_assets
from cx_assets.evaluation.config import EvaluationSettings
from cx_assets.evaluation.search_assets import search_trials
from cx_assets.ingestion.assets import ingestion_assets
from cx_assets.ingestion.checks import ingestion_laws
from cx_assets.ingestion.fitting import problems_of_manifest
from cx_assets.linkage.assets import linkage_assets
from cx_assets.linkage.checks import linkage_checks
from cx_assets.matrices import assets as matrices
from cx_assets.matrices import checks as matrices_checks
from cx_assets.matrices.config import InteractionWeights
from cx_assets.operations.assets import retention_asset, retention_check
from cx_assets.operations.interrupted import interrupted_runs
from cx_assets.operations.tables import RETENTION
from cx_assets.privacy.assets import privacy_assets, privacy_checks
from cx_assets.privacy.protection import Protection
from cx_assets.publishing.assets import (
    backtest_publishing,
    backtest_publishing_checks,
    publishing_assets,
    publishing_checks,
)
from cx_assets.publishing.gate import blocking
from cx_assets.publishing.tables import PUBLISHED_TABLES
from cx_assets.recommendations import assets as recommendations
from cx_assets.recommendations import checks as recommendations_checks
from cx_assets.recommendations.config import Blending, BusinessFilters, Ranking
from cx_assets.rules import assets as rules
from cx_assets.rules import checks as rules_checks
from cx_assets.rules.config import RuleMining
from cx_assets.segments import assets as segments
from cx_assets.segments import checks as segments_checks
from cx_assets.settings import Settings
from cx_assets.similarity import assets as similarity
from cx_assets.similarity import checks as similarity_checks
from cx_assets.table import TableSpec, structure_check
from cx_assets.table.checks import law_check
from cx_assets.table.io_manager import duckdb_tables
from cx_assets.table.metadata import declared_in
from cx_assets.table.warehouse import Warehouse
from cx_assets.warehouse.assets import warehouse_assets
from cx_assets.warehouse.checks import warehouse_laws

MODELS = (matrices, similarity, segments, rules, recommendations)
MODEL_CHECKS = (
    drift_checks,
    matrices_checks,
    similarity_checks,
    segments_checks,
    rules_checks,
    recommendations_checks,
    evaluation_checks,
    rating_checks,
)


def build_definitions(settings: Settings, dataset: Dataset | None = None) -> dg.Definitions:
    """The whole project for an operator's settings.

    Args:
        settings: where things are.
        dataset: instead of the one that the settings name.

    Raises:
        ManifestError: if the manifest is wrong, or doesn't fit its files.
        KeyRefusedError: if the dataset has personal data, and there is no key to be used.
    """
    dataset = dataset or load_dataset(settings.dataset)
    Protection(dataset, settings).require_key()
    if wrong := problems_of_manifest(dataset):
        # Of files with personal data not even the names may get into what Dagster keeps.
        told = (
            "\n".join(wrong) if dataset.privacy is None else f"{dataset.path.name} doesn't fit its files: see cx doctor"
        )
        raise ManifestError(told)
    return declared_definitions(dataset, settings)


def declared_definitions(dataset: Dataset, settings: Settings) -> dg.Definitions:
    """As `build_definitions`, without asking whether it could run: who only looks needs neither a key nor the files."""
    protection = Protection(dataset, settings)
    tables = table_assets(dataset, settings)
    specs = [declared(asset) for asset in tables]
    checks = [
        *map(law_check, ingestion_laws(dataset, protection)),
        *privacy_checks(dataset, protection),
        *linkage_checks(dataset),
        *map(law_check, warehouse_laws(dataset, settings)),
        *dg.load_asset_checks_from_modules(MODEL_CHECKS),
        *(structure_check(spec) for spec in specs),
    ]
    gate = blocking(checks)
    published = publishing_assets(specs, checks, settings)
    backtest = backtesting_assets(dataset, settings)
    *judging, _ = (declared(asset) for asset in backtest)
    checks += dg.load_asset_checks_from_modules([backtest_checks, evidence_checks])
    retention = retention_asset(dataset, settings, [spec.qualified for spec in (*specs, *judging)])
    checks += [
        *publishing_checks(specs, settings),
        *backtest_publishing_checks(judging, settings),
        retention_check(),
        *(structure_check(declared(asset)) for asset in [*published, *backtest, search_trials, retention]),
    ]
    return dg.Definitions(
        assets=[*tables, *published, *backtest, search_trials, retention],
        asset_checks=checks,
        jobs=automation.JOBS,
        schedules=automation.schedules(dataset),
        sensors=[*automation.sensors(dataset, settings, gate), interrupted_runs(settings)],
        resources={
            "warehouse": Warehouse(
                path=str(settings.warehouse_path),
                memory_limit=settings.memory_limit,
                threads=settings.threads,
                lock_timeout_seconds=settings.lock_timeout_seconds,
            ),
            "tables": duckdb_tables,
            "interaction_weights": InteractionWeights(others=dataset.own_weights(), timezone=dataset.timezone),
            "rule_mining": RuleMining(basket_event_types=list(dataset.basket_event_types)),
            "ranking": Ranking(),
            "blending": Blending(),
            "business_filters": BusinessFilters(),
            "evaluation_settings": EvaluationSettings(weak_lists=settings.weak_lists),
        },
        executor=dg.in_process_executor,
    )


def table_assets(dataset: Dataset, settings: Settings) -> list[dg.AssetsDefinition]:
    """Every table but the last, in the order of the flow."""
    daily_events = partitions.daily_events(dataset)
    protection = Protection(dataset, settings)
    models = [list(dg.load_assets_from_modules([module])) for module in MODELS]
    return [
        *ingestion_assets(dataset, daily_events, protection),
        *privacy_assets(dataset, protection),
        *linkage_assets(dataset, protection),
        *warehouse_assets(dataset, daily_events),
        *drift.drift_assets(dataset),
        *(asset for stage in models for asset in stage if isinstance(asset, dg.AssetsDefinition)),
        *evaluation.evaluation_assets(dataset, settings),
    ]


def backtesting_assets(dataset: Dataset, settings: Settings) -> list[dg.AssetsDefinition]:
    """The tables of the backtest, which has runs of its own."""
    weekly = partitions.weekly_backtest(dataset, EvaluationSettings().horizon_days)
    assets = backtest_assets(weekly, dataset.aims)
    return [*assets, backtest_publishing([declared(asset) for asset in assets], settings, [declared(search_trials)])]


def table_specs(dataset: Dataset) -> list[TableSpec]:
    """The declarations of all tables, in the order of the flow."""
    every_run = (declared(asset) for asset in table_assets(dataset, Settings()))
    backtest = (declared(asset) for asset in backtesting_assets(dataset, Settings()))
    return [*every_run, PUBLISHED_TABLES, *backtest, declared(search_trials), RETENTION]


def declared(asset: dg.AssetsDefinition) -> TableSpec:
    """The declaration of the table that an asset makes, described by the first paragraph of the asset's docstring."""
    spec = declared_in(asset.metadata_by_key[asset.key])
    first_paragraph = asset.descriptions_by_key[asset.key].split("\n\n")[0]
    return replace(spec, description=first_paragraph.replace("\n", " "))


@dg.definitions
def defs() -> dg.Definitions:
    """What Dagster loads: the project for the settings in the environment."""
    return build_definitions(Settings())
