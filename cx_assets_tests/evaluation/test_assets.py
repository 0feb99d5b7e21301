"""The assets of the stage on small shops: the usual one, and those with little or nothing to judge."""

import shutil
import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pyarrow as pa
import pytest
from pydantic import ValidationError

from cx_assets.dataset import load_dataset
from cx_assets.evaluation import tables as declared
from cx_assets.evaluation.assets import comparisons, evaluation_report_asset, judged_lists, metrics
from cx_assets.evaluation.config import EvaluationSettings
from cx_assets.matrices.config import InteractionWeights
from cx_assets.matrices.interactions import EventWeights, fold_interactions
from cx_assets.recommendations.config import Blending, Ranking
from cx_assets.rules.config import RuleMining
from cx_assets.settings import Settings
from cx_assets.table import Table, as_of_date, sql
from cx_assets_tests.evaluation.samples import shop_events, shop_items

pytestmark = pytest.mark.whole

Tables = Callable[[pd.DataFrame], Table]
SETTINGS = EvaluationSettings(resamples=100)
MINING = RuleMining(item_min_support=0.02, max_size=2, min_customers=2)


def evaluated(tables: Tables, events: pd.DataFrame, settings: EvaluationSettings = SETTINGS) -> dict[str, Any]:
    """All assets of the stage, one after the other."""
    stored, items = tables(events), tables(shop_items())
    lists = judged_lists(
        dg.build_asset_context(), stored, items, settings, InteractionWeights(), MINING, Ranking(), Blending()
    )
    figures = metrics(dg.build_asset_context(), lists, stored, items, settings)
    leads = comparisons(dg.build_asset_context(), lists, settings)
    folder = Path(tempfile.mkdtemp())
    report = evaluation_report_asset(load_dataset("complete_journey"), Settings(data_dir=folder))
    segments = [{"customer_id": c, "segment_id": 1, "segment": "all"} for c in sorted(set(events["customer_id"]))]
    profile = {"segment_id": 1, "segment": "all", "customers": len(segments), "share_of_value": 1.0}
    rule = {
        "level": "item",
        "antecedent": ["i01"],
        "consequent": ["i02"],
        "confidence": 0.5,
        "lift": 2.0,
        "customers": 3,
    }
    shown = {
        "customer_id": segments[0]["customer_id"],
        "list": "repeat",
        "rank": 1,
        "item_id": "i01",
        "reason": "again",
    }
    page = report(
        dg.build_asset_context(),
        metrics=figures,
        comparisons=leads,
        events=sql("select *, 1 as copies from events", events=stored),
        rejected_events=sql("select 'none' as reason from events where false", events=stored),
        withdrawn_events=sql("select 'none' as outcome from events where false", events=stored),
        items=items,
        interactions=fold_interactions(stored, as_of=as_of_date(stored), weights=EventWeights()),
        customer_segments=tables(pd.DataFrame(segments)),
        segment_profiles=tables(pd.DataFrame([profile | {"traits": ["buys"], "top_categories": ["tea"]}])),
        rules=tables(pd.DataFrame([rule])),
        recommendations=tables(pd.DataFrame([shown])),
        evaluation_settings=settings,
    )
    assert (folder / "draft_report.html").read_text("utf-8") == page["html"].item()
    shutil.rmtree(folder)
    return {"judged_lists": lists, "metrics": figures, "comparisons": leads, "evaluation_report": page}


def columns_of(rows: pd.DataFrame | pa.Table) -> list[str]:
    return sorted(rows.column_names if isinstance(rows, pa.Table) else rows.columns)


def test_every_asset_has_the_declared_columns_and_the_named_recommenders(tables: Tables) -> None:
    made = evaluated(tables, shop_events())
    for spec in (declared.JUDGED_LISTS, declared.METRICS, declared.COMPARISONS, declared.EVALUATION_REPORT):
        assert columns_of(made[spec.name]) == sorted(spec.column_names)
    named = {"random", "popularity", "personal_frequency", "customer_knn_cosine", "customer_knn_pearson"}
    assert {*named, "item_knn", "content", "rules", "blend", "ranker"} <= set(made["metrics"]["recommender"])
    assert set(made["metrics"]["list"]) == {"repeat", "discovery", "both"}
    assert set(made["metrics"]["k"]) == {5, 10, 20}
    assert set(made["metrics"]["as_of"]) == {pd.Timestamp(2024, 2, 22)}
    assert "Who recommends best" in made["evaluation_report"]["html"].item()
    assert made["evaluation_report"]["as_of"].item() == datetime(2024, 3, 21)


def test_the_stage_makes_the_same_again_whatever_the_order_of_events(tables: Tables) -> None:
    events = shop_events(12)
    shuffled = events.sample(frac=1.0, random_state=3).reset_index(drop=True)
    first, second = evaluated(tables, events), evaluated(tables, shuffled)
    assert first["judged_lists"].equals(second["judged_lists"])
    pd.testing.assert_frame_equal(first["metrics"], second["metrics"])
    assert first["evaluation_report"]["html"].item() == second["evaluation_report"]["html"].item()


@pytest.mark.parametrize(
    "events",
    [shop_events(days=10), shop_events(customers=30).query("day < @pd.Timestamp('2024-01-20').date()")],
    ids=["fewer days than the horizon", "a shop that has just opened"],
)
def test_a_dataset_shorter_than_the_horizon_gives_empty_tables_and_a_page_that_says_so(
    tables: Tables, events: pd.DataFrame
) -> None:
    made = evaluated(tables, events.reset_index(drop=True))
    assert made["judged_lists"].num_rows == 0
    assert made["metrics"].empty
    assert made["comparisons"].empty
    for spec in (declared.JUDGED_LISTS, declared.METRICS, declared.COMPARISONS):
        assert columns_of(made[spec.name]) == sorted(spec.column_names)
    assert "There is nothing to judge yet" in made["evaluation_report"]["html"].item()


def test_one_customer_is_judged_and_nothing_is_claimed(tables: Tables) -> None:
    made = evaluated(tables, shop_events(customers=1))
    assert set(made["metrics"]["customers"]) == {1}
    figures = made["metrics"]
    assert ((figures["ci_low"] <= figures["value"] + 1e-12) & (figures["value"] <= figures["ci_high"] + 1e-12)).all()
    assert "Only 1 customer could be judged" in made["evaluation_report"]["html"].item()


def test_a_shop_of_views_only_is_judged_on_views(tables: Tables) -> None:
    made = evaluated(tables, shop_events(12).assign(event_type="view"))
    assert made["judged_lists"].num_rows > 0


def test_settings_decide_the_window_and_the_list_lengths(tables: Tables) -> None:
    settings = EvaluationSettings(horizon_days=7, ks=[3], resamples=100)
    made = evaluated(tables, shop_events(12), settings)
    assert set(made["metrics"]["k"]) == {3}
    assert set(made["metrics"]["horizon_days"]) == {7}
    assert "NDCG@3" in made["evaluation_report"]["html"].item()


@pytest.mark.parametrize("wrong", [{"ks": [21]}, {"ks": []}, {"horizon_days": 0}, {"resamples": 1}])
def test_settings_out_of_bounds_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        EvaluationSettings(**wrong)
