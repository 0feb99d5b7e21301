"""Every check of the stage passes on what the stage makes, and fails on what it's there to find."""

from collections.abc import Callable
from typing import Any

import dagster as dg
import pandas as pd
import pytest

from cx_assets.evaluation import checks
from cx_assets.evaluation.config import EvaluationSettings
from cx_assets.evaluation.figures import JudgedLists, comparison_rows, metric_rows
from cx_assets.evaluation.judging import judge, training_before
from cx_assets.evaluation.split import last_window, truth
from cx_assets.matrices.interactions import EventWeights
from cx_assets.recommendations.catalogue import recommenders
from cx_assets.rules.mining import RuleSettings
from cx_assets.table import Table, from_frame
from cx_assets_tests.evaluation.samples import shop_events, shop_items

Frames = dict[str, Any]
KS = (5, 10, 20)


@pytest.fixture(scope="module")
def made() -> Frames:
    """The stage's tables of a small shop, with the events and items that they were made from."""
    import duckdb

    with duckdb.connect() as connection:
        events, items = shop_events(60), shop_items()
        table = from_frame(connection, events)
        window = last_window(table, 28)
        training = training_before(table, items, window, EventWeights(), RuleSettings(0.02, 2, 2))
        pairs = truth(table, from_frame(connection, items), window)
        rows = judge(recommenders(), training, pairs, window, depth=20).rows
    lists = JudgedLists.from_arrow(rows, 20)
    had_by = events.loc[events["occurred_at"] < window.as_of].groupby("item_id")["customer_id"].nunique()
    figures = metric_rows(lists, KS, had_by=had_by, customers=60, catalogue=24, resamples=200, seed=0)
    leads = comparison_rows(lists, KS, recommender="ranker", resamples=200, seed=0)
    return {
        "events": events,
        "items": items,
        "judged_lists": rows.to_pandas(),
        "metrics": figures.assign(cohort="all", as_of=window.as_of, horizon_days=28),
        "comparisons": leads.assign(as_of=window.as_of, horizon_days=28),
    }


@pytest.fixture
def verdict(tables: Callable[[pd.DataFrame], Table]) -> Callable[..., dg.AssetCheckResult]:
    """The verdict of a check on frames."""

    def judged(check: Any, frames: Frames, *names: str) -> dg.AssetCheckResult:
        given: dict[str, Any] = {name: tables(frames[name].reset_index(drop=True)) for name in names}
        if check in (checks.metrics_are_complete, checks.published_recommender_beats_popularity):
            given["evaluation_settings"] = EvaluationSettings(ks=list(KS))
        return check(**given)

    return judged


CHECKS = [
    (checks.judged_lists_are_possible, ("judged_lists", "items")),
    (checks.judged_lists_tell_the_truth, ("judged_lists", "events")),
    (checks.metrics_are_possible, ("metrics",)),
    (checks.metrics_are_complete, ("metrics", "judged_lists")),
    (checks.metrics_agree_with_each_other, ("metrics",)),
    (checks.comparisons_agree_with_metrics, ("comparisons", "metrics")),
]


@pytest.mark.parametrize(("check", "names"), CHECKS)
def test_what_the_stage_makes_passes(
    check: Any, names: tuple[str, ...], made: Frames, verdict: Callable[..., dg.AssetCheckResult]
) -> None:
    result = verdict(check, made, *names)
    assert result.passed, result.description


@pytest.mark.parametrize(
    ("check", "names"), [*CHECKS, (checks.published_recommender_beats_popularity, ("comparisons", "metrics"))]
)
def test_empty_tables_pass(
    check: Any, names: tuple[str, ...], made: Frames, verdict: Callable[..., dg.AssetCheckResult]
) -> None:
    empty = {name: frame if name in ("events", "items") else frame.iloc[:0] for name, frame in made.items()}
    schema = {name: typed(empty[name]) for name in names}
    result = verdict(check, schema, *names)
    assert result.passed or result.severity is dg.AssetCheckSeverity.WARN


def typed(frame: pd.DataFrame) -> pd.DataFrame:
    """A frame without rows that still says what its list columns hold."""
    import pyarrow as pa

    kinds = {"items": pa.list_(pa.string()), "hits": pa.list_(pa.bool_())}
    if len(frame):
        return frame
    return frame.astype({name: pd.ArrowDtype(kind) for name, kind in kinds.items() if name in frame})


def spoiled(made: Frames, table: str, row: int, **values: Any) -> Frames:
    """The tables with other values in one row of one of them."""
    frame = made[table].reset_index(drop=True).copy()
    for column, value in values.items():
        cells = frame[column].tolist()
        cells[row] = value
        frame[column] = cells
    return {**made, table: frame}


def row_where(frame: pd.DataFrame, query: str) -> int:
    return int(frame.reset_index(drop=True).query(query).index[0])


@pytest.mark.parametrize(
    "values",
    [
        {"items": ["i01", "i01"], "hits": [True, False]},
        {"items": ["i01", "i02"], "hits": [True]},
        {"items": ["i01", "i02"], "hits": [True, True], "relevant": 1},
        {"items": ["i24"], "hits": [False]},
        {"relevant": 0, "items": [], "hits": []},
    ],
    ids=["an item twice", "a place unmarked", "more taken than there was", "not recommendable", "nothing to find"],
)
def test_a_list_that_cannot_be_is_found(
    values: dict[str, Any], made: Frames, verdict: Callable[..., dg.AssetCheckResult]
) -> None:
    result = verdict(
        checks.judged_lists_are_possible, spoiled(made, "judged_lists", 0, **values), "judged_lists", "items"
    )
    assert not result.passed
    assert result.metadata["broken"].value == 1


def test_a_miss_that_is_called_a_hit_is_found(made: Frames, verdict: Callable[..., dg.AssetCheckResult]) -> None:
    row = row_where(made["judged_lists"], "recommender == 'popularity' and list == 'both'")
    hits = [not hit for hit in made["judged_lists"].iloc[row]["hits"]]
    wrong = spoiled(made, "judged_lists", row, hits=hits)
    assert not verdict(checks.judged_lists_tell_the_truth, wrong, "judged_lists", "events").passed


def test_a_repeat_in_a_discovery_list_is_found(made: Frames, verdict: Callable[..., dg.AssetCheckResult]) -> None:
    row = row_where(made["judged_lists"], "recommender == 'ranker' and list == 'repeat'")
    wrong = spoiled(made, "judged_lists", row, list="discovery")
    assert not verdict(checks.judged_lists_tell_the_truth, wrong, "judged_lists", "events").passed


@pytest.mark.parametrize(
    "values",
    [
        {"value": float("nan")},
        {"value": float("inf"), "ci_high": float("inf")},
        {"value": 1.2, "ci_high": 1.3},
        {"ci_low": 0.9, "ci_high": 0.95, "value": 0.5},
        {"value": -0.1, "ci_low": -0.2},
        {"customers": 0},
    ],
)
def test_a_figure_that_cannot_be_is_found(
    values: dict[str, Any], made: Frames, verdict: Callable[..., dg.AssetCheckResult]
) -> None:
    row = row_where(made["metrics"], "metric == 'ndcg'")
    assert not verdict(checks.metrics_are_possible, spoiled(made, "metrics", row, **values), "metrics").passed


@pytest.mark.parametrize(
    "change",
    [
        lambda frame: frame.drop(index=3),
        lambda frame: pd.concat([frame, frame.iloc[[3]]]),
        lambda frame: frame.loc[frame["recommender"] != "popularity"],
        lambda frame: frame.replace({"metric": {"map": "guess"}}),
    ],
    ids=["one missing", "one doubled", "a baseline missing", "an unknown metric"],
)
def test_figures_that_are_not_there_once_are_found(
    change: Callable[[pd.DataFrame], pd.DataFrame], made: Frames, verdict: Callable[..., dg.AssetCheckResult]
) -> None:
    wrong = {**made, "metrics": change(made["metrics"].reset_index(drop=True))}
    assert not verdict(checks.metrics_are_complete, wrong, "metrics", "judged_lists").passed


def test_a_baseline_that_was_never_judged_is_missed(made: Frames, verdict: Callable[..., dg.AssetCheckResult]) -> None:
    without = {
        **made,
        **{name: made[name].loc[made[name]["recommender"] != "popularity"] for name in ("metrics", "judged_lists")},
    }
    result = verdict(checks.metrics_are_complete, without, "metrics", "judged_lists")
    assert not result.passed


@pytest.mark.parametrize(
    ("metric", "factor"), [("f1", 3.0), ("mrr", 0.0), ("precision", 0.0), ("recall", 0.0), ("hit_rate", 0.3)]
)
def test_a_figure_that_contradicts_the_others_is_found(
    metric: str, factor: float, made: Frames, verdict: Callable[..., dg.AssetCheckResult]
) -> None:
    row = row_where(made["metrics"], f"recommender == 'ranker' and list == 'both' and metric == '{metric}' and k == 20")
    value = made["metrics"].reset_index(drop=True).loc[row, "value"] * factor
    wrong = spoiled(made, "metrics", row, value=value)
    assert not verdict(checks.metrics_agree_with_each_other, wrong, "metrics").passed


@pytest.mark.parametrize("values", [{"difference": 0.5, "ci_high": 0.6}, {"ci_low": 0.9}, {"p_value": 1.5}])
def test_a_difference_that_the_metrics_do_not_have_is_found(
    values: dict[str, float], made: Frames, verdict: Callable[..., dg.AssetCheckResult]
) -> None:
    wrong = spoiled(made, "comparisons", 0, **values)
    assert not verdict(checks.comparisons_agree_with_metrics, wrong, "comparisons", "metrics").passed


def gate(
    both: float, discovery: float, customers: int = 30, repeating: int = 30, *, stops: bool = True
) -> dg.AssetCheckResult:
    """The gate's verdict on the lower bounds of two leads; `repeating` customers took something again."""
    rows = [("both", both), ("discovery", discovery)]
    leads = pd.DataFrame(
        [
            ("ranker", "popularity", which, "ndcg", 10, low + 0.01, low, low + 0.02, 0.01, customers)
            for which, low in rows
        ],
        columns=[
            "recommender",
            "baseline",
            "list",
            "metric",
            "k",
            "difference",
            "ci_low",
            "ci_high",
            "p_value",
            "customers",
        ],
    )
    figures = pd.DataFrame(
        [("ranker", which, "ndcg", 10, 0.3, customers) for which, _ in rows]
        + [("ranker", "repeat", "ndcg", 10, 0.3, min(customers, repeating))],
        columns=["recommender", "list", "metric", "k", "value", "customers"],
    )
    return checks.judge_gate(leads, figures, stops=stops)


def test_a_sure_lead_on_both_lists_opens_the_gate() -> None:
    assert gate(0.01, 0.001).passed


@pytest.mark.parametrize(("both", "discovery"), [(0.01, 0.0), (0.01, -0.001), (-0.001, 0.01)])
def test_a_lead_that_may_be_chance_on_either_list_keeps_the_gate_shut(both: float, discovery: float) -> None:
    result = gate(both, discovery)
    assert not result.passed
    assert result.severity == dg.AssetCheckSeverity.ERROR
    assert "Nothing is published; the report of this run is draft_report.html" in str(result.description)


def test_a_shop_may_publish_lists_that_are_not_surely_better_and_is_told_which() -> None:
    result = gate(0.01, -0.001, stops=False)
    assert (result.passed, result.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert str(result.description).endswith(
        "in NDCG@10: discovery +0.0090 (95% interval -0.0010 to +0.0190). They are published all the same, as "
        "CX_WEAK_LISTS says."
    )


def test_where_hardly_anybody_takes_a_thing_again_discovery_alone_opens_or_shuts_the_gate() -> None:
    assert gate(-0.1, 0.01, customers=300, repeating=29).passed
    shut = gate(0.1, -0.01, customers=300, repeating=29)
    assert (shut.passed, shut.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert "1 of 1 lists have no sure lead" in str(shut.description)
    assert not gate(-0.1, 0.01, customers=300, repeating=30).passed


def test_too_few_customers_open_the_gate_with_a_warning() -> None:
    result = gate(-0.1, -0.1, customers=29)
    assert not result.passed  # a failure that is only a warning blocks nothing, and is seen
    assert result.severity == dg.AssetCheckSeverity.WARN
    assert "Too few customers" in str(result.description)


def test_enough_customers_without_a_comparison_keep_the_gate_shut() -> None:
    figures = pd.DataFrame(
        [("ranker", which, "ndcg", 10, 0.3, 500) for which in ("both", "discovery")],
        columns=["recommender", "list", "metric", "k", "value", "customers"],
    )
    columns = "recommender baseline list metric k difference ci_low ci_high p_value customers"
    none = pd.DataFrame(columns=columns.split())
    assert not checks.judge_gate(none, figures).passed
