"""The whole project as it loads: what every asset has, and what there is."""

from pathlib import Path

import dagster as dg
import pytest

from cx_assets.definitions import build_definitions, defs
from cx_assets.manifest import ManifestError
from cx_assets.progress import STAGES
from cx_assets.settings import Settings
from cx_assets.table.asset import OWNER, POOL
from cx_assets.table.metadata import declared_in
from cx_assets_tests.runs import error_of, load_shop
from cx_assets_tests.servers import free_port
from cx_assets_tests.shop import TINY, write_shop, write_tiny
from cx_assets_tests.snapshot import SNAPSHOT, default_definitions, snapshot

# What readers find in cx.duckdb is a promise: a name may be added here, not changed.
PROMISED = """
    ingestion.delivered_columns ingestion.raw_events ingestion.raw_customers ingestion.raw_items
    ingestion.raw_campaigns ingestion.raw_campaign_targets ingestion.raw_campaign_responses
    warehouse.customer_merges warehouse.events warehouse.rejected_events
    warehouse.rejected_rows warehouse.rejected_values warehouse.withdrawn_events
    warehouse.customers warehouse.items warehouse.baskets
    warehouse.campaigns warehouse.campaign_targets warehouse.campaign_responses
    drift.daily_figures
    matrices.interactions
    similarity.customer_neighbours similarity.item_neighbours similarity.content_neighbours
    segments.customer_features segments.customer_segments segments.segment_profiles
    rules.frequent_itemsets rules.rules
    recommendations.recommendations recommendations.similar_items
    recommendations.bought_together recommendations.popular_items
    evaluation.metrics evaluation.comparisons evaluation.judged_lists evaluation.evaluation_report
    evaluation.rating_errors
    evaluation.backtest_lists evaluation.last_basket_lists
    evaluation.backtest_metrics evaluation.backtest_comparisons evaluation.backtest_report
    evaluation.calibration evaluation.ranker_study evaluation.search_trials
    publishing.published_tables publishing.published_backtest
    operations.retention
"""


@pytest.fixture(scope="module")
def project() -> dg.Definitions:
    return default_definitions()


@pytest.fixture(scope="module")
def assets(project: dg.Definitions) -> list[dg.AssetsDefinition]:
    return [asset for asset in project.assets or [] if isinstance(asset, dg.AssetsDefinition)]


@pytest.fixture(scope="module")
def checks(project: dg.Definitions) -> list[dg.AssetCheckSpec]:
    return [spec for checks in project.asset_checks or [] for spec in checks.check_specs]


def lacking(assets: list[dg.AssetsDefinition], has: object) -> list[str]:
    """The assets that don't have something."""
    assert callable(has)
    return [asset.key.to_user_string() for asset in assets if not has(asset)]


def test_the_names_of_tables_are_kept(assets: list[dg.AssetsDefinition]) -> None:
    assert {declared_in(asset.metadata_by_key[asset.key]).qualified for asset in assets} == set(PROMISED.split())


def test_every_asset_has_an_owner(assets: list[dg.AssetsDefinition]) -> None:
    assert lacking(assets, lambda asset: asset.specs_by_key[asset.key].owners == [OWNER]) == []


def test_every_asset_says_what_makes_it(assets: list[dg.AssetsDefinition]) -> None:
    assert lacking(assets, lambda asset: "duckdb" in asset.specs_by_key[asset.key].kinds) == []


def test_every_asset_is_in_the_group_that_its_table_is_in(assets: list[dg.AssetsDefinition]) -> None:
    def is_in_its_group(asset: dg.AssetsDefinition) -> bool:
        spec = declared_in(asset.metadata_by_key[asset.key])
        return (asset.group_names_by_key[asset.key], asset.key.path) == (spec.group, [spec.name])

    assert lacking(assets, is_in_its_group) == []


def test_every_asset_says_what_a_row_is(assets: list[dg.AssetsDefinition]) -> None:
    assert lacking(assets, lambda asset: asset.descriptions_by_key[asset.key].startswith("One row")) == []


def test_every_column_says_what_it_means(assets: list[dg.AssetsDefinition]) -> None:
    columns = {
        f"{asset.key.to_user_string()}.{column.name}": column
        for asset in assets
        for column in declared_in(asset.metadata_by_key[asset.key]).columns
    }
    assert len(columns) > 200
    assert [name for name, column in columns.items() if not (column.description or "").strip(" .")] == []


def test_every_asset_has_a_code_version(assets: list[dg.AssetsDefinition]) -> None:
    assert lacking(assets, lambda asset: asset.specs_by_key[asset.key].code_version) == []


def test_a_range_of_every_asset_is_one_run(assets: list[dg.AssetsDefinition]) -> None:
    assert lacking(assets, lambda asset: asset.backfill_policy == dg.BackfillPolicy.single_run()) == []


def test_every_asset_and_check_stands_in_the_queue_for_the_warehouse(project: dg.Definitions) -> None:
    steps = [*(project.assets or []), *(project.asset_checks or [])]
    assert [step.op.name for step in steps if isinstance(step, dg.AssetsDefinition) and step.op.pool != POOL] == []


def test_every_asset_has_a_check_of_its_structure_and_one_of_what_it_holds(
    assets: list[dg.AssetsDefinition], checks: list[dg.AssetCheckSpec]
) -> None:
    names = {asset.key: {spec.name for spec in checks if spec.asset_key == asset.key} for asset in assets}
    assert [key.to_user_string() for key, checks in names.items() if "structure" not in checks] == []
    # What it holds is told by `rows_are_read` and counted by `nothing_is_lost` of each table of master data.
    assert [key.to_user_string() for key, checks in names.items() if len(checks) < 2] == ["rejected_rows"]


def test_every_check_says_which_law_it_holds_to(checks: list[dg.AssetCheckSpec]) -> None:
    assert [spec.key.to_user_string() for spec in checks if not spec.description] == []


def test_a_stage_reads_only_from_stages_above_it(project: dg.Definitions, checks: list[dg.AssetCheckSpec]) -> None:
    graph = project.resolve_asset_graph()
    place = {key: STAGES.index(graph.get(key).group_name) for key in graph.get_all_asset_keys()}
    upwards = [(parent, key) for key in place for parent in graph.get(key).parent_keys if place[parent] > place[key]]
    upwards += [
        (dep.asset_key, c.asset_key)
        for c in checks
        for dep in c.additional_deps
        if place[dep.asset_key] > place[c.asset_key]
    ]
    assert upwards == []


def test_nothing_appears_or_disappears_by_accident(project: dg.Definitions) -> None:
    # On purpose: python -m cx_assets_tests.snapshot
    assert snapshot(project) == SNAPSHOT.read_text("utf-8")


def test_another_shop_makes_the_same_assets_and_checks(tmp_path: Path) -> None:
    shop = write_shop(tmp_path, customers=4, items=12, days=16)
    assert snapshot(build_definitions(Settings(data_dir=tmp_path), shop.dataset)) == SNAPSHOT.read_text("utf-8")


def test_the_environment_chooses_the_dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CX_DATASET", str(write_shop(tmp_path, customers=4, items=12, days=16).manifest))
    raw_items = defs().resolve_assets_def("raw_items")
    assert declared_in(raw_items.metadata_by_key[raw_items.key]).column_names[4:6] == ["maker", "price"]


def test_a_wrong_manifest_fails_when_definitions_load_and_names_line_and_column(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = write_shop(tmp_path, customers=4, items=12, days=16).manifest
    lines = manifest.read_text("utf-8").replace("item_id: sku", "item_id: skuu", 1).splitlines()
    manifest.write_text("\n".join(lines), "utf-8")
    monkeypatch.setenv("CX_DATASET", str(manifest))
    number = next(number for number, line in enumerate(lines, start=1) if "skuu" in line)
    with pytest.raises(ManifestError) as refused:
        defs()
    (told,) = str(refused.value).splitlines()
    missing = (
        f"second_shop.yaml:{number}: events.0.columns.item_id: no column 'skuu' in clicks/first.csv and 1 more file."
    )
    assert told.startswith(missing)
    assert told.endswith("Did you mean 'sku'?")


def test_one_delivery_that_is_not_like_the_others_does_not_keep_definitions_from_loading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = write_shop(tmp_path, customers=4, items=12, days=16)
    (tmp_path / "clicks" / "bad.csv").write_text("foo;bar\n1;2\n", "utf-8")
    monkeypatch.setenv("CX_DATASET", str(shop.manifest))
    assert defs().resolve_job_def("models")
    # The run that loads it fails of it, and names it.
    result = load_shop(tmp_path / "w.duckdb", shop.dataset, raise_on_error=False)
    assert "no column 'ts' in clicks/bad.csv. It has: foo, bar." in error_of(result)


def test_a_server_that_does_not_answer_does_not_keep_definitions_from_loading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = '{database: {kind: postgres, connection: "${SHOP_DSN}", table: sales.orders}}'
    manifest = TINY.replace('{files: "events/*.csv", format: csv, delimiter: ","}', source)
    monkeypatch.setenv("SHOP_DSN", f"postgresql://shop@127.0.0.1:{free_port()}/shop")
    dataset = write_tiny(tmp_path, {}, manifest=manifest)
    assert build_definitions(Settings(data_dir=tmp_path), dataset).resolve_job_def("models")
