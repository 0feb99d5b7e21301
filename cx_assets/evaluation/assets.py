"""The assets of the evaluation stage: thin shells round `judging`, `figures`, `rating_errors` and `report`."""

import inspect

import dagster as dg
import pandas as pd
import pyarrow as pa

from cx_assets.dataset import Dataset
from cx_assets.evaluation import boards, report_data, tables
from cx_assets.evaluation.config import LIST_DEPTH, EvaluationSettings
from cx_assets.evaluation.figures import JudgedLists, comparison_rows, metric_rows
from cx_assets.evaluation.judging import judge, training_before
from cx_assets.evaluation.narrative import PUBLISHED, figure_of
from cx_assets.evaluation.rating_errors import error_rows, hold_back
from cx_assets.evaluation.report import ReportInput, render
from cx_assets.evaluation.split import LISTS, last_window, training_events, truth, who_is_judged
from cx_assets.matrices.config import InteractionWeights
from cx_assets.recommendations.catalogue import recommenders
from cx_assets.recommendations.config import Blending, Ranking
from cx_assets.recommendations.rating_prediction import rating_predictors
from cx_assets.rules.config import RuleMining
from cx_assets.settings import Settings
from cx_assets.table import Table, as_of_date, markdown, table_asset


@table_asset(tables.JUDGED_LISTS, code_version="1", kinds=("python",))
def judged_lists(
    context: dg.AssetExecutionContext,
    events: Table,
    items: Table,
    evaluation_settings: EvaluationSettings,
    interaction_weights: InteractionWeights,
    rule_mining: RuleMining,
    ranking: Ranking,
    blending: Blending,
) -> pa.Table:
    """One row per recommender, list and judged customer: what was shown, and what of it the customer went on to take.

    Every recommender is fitted on the events before the as-of date, which lies a horizon before the end of the data,
    and judged on the days after it. `metrics` and `comparisons` are made from this.
    """
    window = last_window(events, evaluation_settings.horizon_days)
    pairs = truth(events, items, window)
    training = training_before(events, items.df(), window, interaction_weights.weights(), rule_mining.settings("item"))
    judged = judge(recommenders(ranking.settings(), blending.weights()), training, pairs, window, depth=LIST_DEPTH)
    who = who_is_judged(events, pairs, window)
    context.add_output_metadata(
        {
            "judged_as_of": window.as_of.isoformat(),
            "horizon_days": window.horizon_days,
            "customers": dg.MetadataValue.md(markdown(who)),
            **{f"seconds_{name}": seconds for name, seconds in judged.seconds.items()},
        }
    )
    return judged.rows


@table_asset(tables.METRICS, code_version="1", kinds=("python",))
def metrics(
    context: dg.AssetExecutionContext,
    judged_lists: pa.Table,
    events: Table,
    items: Table,
    evaluation_settings: EvaluationSettings,
) -> pd.DataFrame:
    """One row per recommender, list, metric and k: how good the lists were on days that no recommender had seen.

    Accuracy, coverage and novelty, each with a 95 % interval over customers. Whoever changes a recommender looks here
    first.
    """
    judged = JudgedLists.from_arrow(judged_lists, LIST_DEPTH)
    before = training_events(events, judged.as_of or as_of_date(events))
    rows = metric_rows(
        judged,
        evaluation_settings.list_lengths,
        had_by=report_data.customers_with(before),
        customers=report_data.customers_in(before),
        catalogue=report_data.recommendable_items(items),
        resamples=evaluation_settings.resamples,
        seed=evaluation_settings.seed,
    )
    k = boards.board_k(rows)
    context.add_output_metadata(
        {
            **{
                f"ndcg_{k}_{which}": figure
                for which in LISTS
                if (figure := figure_of(rows, PUBLISHED, which, "ndcg", k))
            },
            "plot": dg.MetadataValue.md(boards.main_plot(rows)),
        }
    )
    return rows.assign(cohort="all", as_of=judged.as_of, horizon_days=judged.horizon_days)


@table_asset(tables.COMPARISONS, code_version="1", kinds=("python",))
def comparisons(
    context: dg.AssetExecutionContext, judged_lists: pa.Table, evaluation_settings: EvaluationSettings
) -> pd.DataFrame:
    """One row per baseline, list, metric and k: by how much the published recommender leads, customer by customer.

    Each lead has a 95 % interval and a p-value, over the same draws of customers for all. The gate before publishing
    reads it.
    """
    judged = JudgedLists.from_arrow(judged_lists, LIST_DEPTH)
    rows = comparison_rows(
        judged,
        evaluation_settings.list_lengths,
        recommender=PUBLISHED,
        resamples=evaluation_settings.resamples,
        seed=evaluation_settings.seed,
    )
    chosen = rows.loc[(rows["metric"] == "ndcg") & (rows["k"] == boards.board_k(rows))]
    context.add_output_metadata({"ndcg_leads": dg.MetadataValue.md(markdown(chosen.round(4)))})
    return rows.assign(as_of=judged.as_of, horizon_days=judged.horizon_days)


@table_asset(tables.RATING_ERRORS, code_version="1", kinds=("python",))
def rating_errors(
    context: dg.AssetExecutionContext, events: Table, evaluation_settings: EvaluationSettings
) -> pd.DataFrame:
    """One row per predictor and metric: how far predicted ratings were from those given afterwards.

    Every predictor learns from the ratings before the as-of date of `judged_lists` and is asked about those after it.
    Without ratings there is no row. Lists are never ranked by predicted ratings, nor judged by these errors: see
    `metrics` for them.
    """
    window = last_window(events, evaluation_settings.horizon_days)
    rows = error_rows(
        hold_back(events, window),
        rating_predictors(),
        resamples=evaluation_settings.resamples,
        seed=evaluation_settings.seed,
    )
    context.add_output_metadata({"errors": dg.MetadataValue.md(markdown(rows.round(4)))})
    return rows.assign(as_of=window.as_of, horizon_days=window.horizon_days)


def evaluation_report_asset(dataset: Dataset, settings: Settings) -> dg.AssetsDefinition:
    """The report's asset, which bears the title of the dataset and says where it will be published."""

    @table_asset(tables.EVALUATION_REPORT, code_version="1", kinds=("html",))
    def evaluation_report(
        context: dg.AssetExecutionContext,
        metrics: pd.DataFrame,
        comparisons: pd.DataFrame,
        events: Table,
        rejected_events: Table,
        withdrawn_events: Table,
        items: Table,
        interactions: Table,
        customer_segments: Table,
        segment_profiles: Table,
        rules: Table,
        recommendations: Table,
        evaluation_settings: EvaluationSettings,
    ) -> pd.DataFrame:
        """One row: the report for people, as a complete HTML page. Publishing writes it to report.html.

        Until then it is draft_report.html in the data folder.

        Who recommends best and how sure that is, repeat against discovery, segments, rules, some customers' lists, the
        quality of the data, and what all that doesn't show.
        """
        window = last_window(events, evaluation_settings.horizon_days)
        until = as_of_date(events)
        html = render(
            ReportInput(
                title=dataset.title,
                until=until,
                as_of=window.as_of,
                horizon_days=window.horizon_days,
                resamples=evaluation_settings.resamples,
                metrics=metrics,
                comparisons=comparisons,
                who=who_is_judged(events, truth(events, items, window), window),
                recommendable=report_data.recommendable_items(items),
                quality=report_data.quality_of(events, rejected_events, withdrawn_events),
                segments=report_data.segments_of(segment_profiles),
                rules=report_data.rules_of(rules, items),
                examples=report_data.examples_of(recommendations, interactions, customer_segments, items),
                recommender_words={one.name: _first_line(one) for one in recommenders()},
            )
        )
        # A run that may not publish has its report nevertheless: it says why.
        settings.draft_report.write_text(html, "utf-8")
        path = settings.published_dir / "report.html"
        context.add_output_metadata(
            {
                "draft": dg.MetadataValue.path(str(settings.draft_report)),
                "report": dg.MetadataValue.path(str(path)),
                "link": dg.MetadataValue.url(path.as_uri()),
                "bytes": len(html.encode()),
                "plot": dg.MetadataValue.md(boards.main_plot(metrics)),
            }
        )
        return pd.DataFrame({"as_of": [until], "html": [html]})

    return evaluation_report


def evaluation_assets(dataset: Dataset, settings: Settings) -> list[dg.AssetsDefinition]:
    """The stage's assets for a dataset and an operator's settings."""
    return [judged_lists, metrics, comparisons, rating_errors, evaluation_report_asset(dataset, settings)]


def _first_line(thing: object) -> str:
    """The first line of a class's docstring: what it does, in one sentence."""
    return (inspect.getdoc(type(thing)) or "").split("\n", maxsplit=1)[0]
