"""The leader boards of the report: metrics and comparisons turned into rows and plots that a template can print.

Belongs here: choosing, ordering and writing out figures. Does not belong here: the page as a whole (`report`), wording
(`narrative`) and drawing (`plots`).
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from cx_assets import canvas
from cx_assets.evaluation import narrative, plots
from cx_assets.evaluation.metrics import ACCURACY_METRICS
from cx_assets.evaluation.narrative import BASELINE, PUBLISHED, label

BOARD_LISTS = ("both", "repeat", "discovery")
BOARD_K = 10
TRADEOFFS = (("coverage", "both"), ("coverage", "discovery"), ("novelty", "both"))
TRADEOFF_HINTS = {
    "coverage": "Further right uses more of the catalogue. Tenfold steps.",
    "novelty": "Further right shows items that fewer customers know.",
}

DASH = "\N{EN DASH}"
Line = dict[str, Any]


def board_k(metrics: pd.DataFrame) -> int:
    """The k of headline and plots: 10, or the largest there is if nothing was judged at 10."""
    ks = sorted(int(k) for k in metrics["k"].unique())
    return BOARD_K if BOARD_K in ks or not ks else ks[-1]


def board_rows(metrics: pd.DataFrame, which: str, k: int) -> pd.DataFrame:
    """NDCG of all recommenders on one list, best first."""
    chosen = metrics.loc[(metrics["list"] == which) & (metrics["metric"] == "ndcg") & (metrics["k"] == k)]
    return chosen.sort_values(["value", "recommender"], ascending=[False, True], kind="stable").reset_index(drop=True)


def main_plot(metrics: pd.DataFrame) -> str:
    """The leader boards of all lists as a Markdown image, for the asset's metadata; a sentence where there is none."""
    k = board_k(metrics)
    panels = [
        (narrative.LIST_LABELS[which], rows) for which in BOARD_LISTS if len(rows := board_rows(metrics, which, k))
    ]
    if not panels:
        return "No list could be judged."
    return canvas.markdown_image(plots.forests(panels, f"NDCG@{k}"), "NDCG by recommender")


def _style(recommender: str) -> str:
    return {PUBLISHED: "ours", BASELINE: "base"}.get(recommender, "")


def leader_board(metrics: pd.DataFrame, comparisons: pd.DataFrame, which: str, k: int) -> Line:
    """One list's leader board: plot and table."""
    rows = board_rows(metrics, which, k)
    leads = narrative.compared_with_all(comparisons, which, k)
    name = narrative.LIST_LABELS[which]
    return {
        "name": name,
        "meaning": narrative.LIST_MEANINGS[which],
        "customers": int(rows["customers"].iloc[0]) if len(rows) else 0,
        "verdict": narrative.verdict(comparisons, which, k),
        "rival": narrative.strongest_rival(comparisons, which, k),
        "plot": canvas.svg(plots.forest(rows, f"NDCG@{k}"), f"forest-{which}", f"NDCG@{k}, {name}, by recommender"),
        "rows": [
            {
                "name": label(str(row.recommender)),
                "style": _style(str(row.recommender)),
                "value": f"{row.value:.3f}",
                "interval": f"{row.ci_low:.3f}{DASH}{row.ci_high:.3f}",
                "lead": leads.get(str(row.recommender), ("", "")),
            }
            for row in rows.itertuples(index=False)
        ],
    }


def repeat_plot(metrics: pd.DataFrame, k: int) -> str:
    """NDCG on repeats across, on discoveries up; empty unless both were judged."""
    across = board_rows(metrics, "repeat", k).rename(columns={"value": "x"})[["recommender", "x"]]
    points = across.merge(board_rows(metrics, "discovery", k).rename(columns={"value": "y"})[["recommender", "y"]])
    if points.empty:
        return ""
    draw = plots.scatter(points, f"NDCG@{k}, repeat", f"NDCG@{k}, discovery")
    return canvas.svg(draw, "repeat-discovery", "NDCG on repeats against NDCG on discoveries, by recommender")


def tradeoff_plot(metrics: pd.DataFrame, beyond: str, which: str, k: int) -> Line | None:
    """Coverage or novelty across, NDCG up, for the recommenders that show anything; None without any."""
    across = metrics.loc[
        (metrics["list"] == which) & (metrics["metric"] == beyond) & (metrics["k"] == k) & (metrics["value"] > 0)
    ]
    points = across.rename(columns={"value": "x"})[["recommender", "x"]].merge(
        board_rows(metrics, which, k).rename(columns={"value": "y"})[["recommender", "y"]]
    )
    if points.empty:
        return None
    name = f"Accuracy against {beyond}: {narrative.LIST_LABELS[which].lower()}"
    shares = beyond == "coverage"
    x_label = "share of the catalogue shown to anyone" if shares else "novelty, bits"
    draw = plots.scatter(points, x_label, f"NDCG@{k}", log_x=shares, percent_x=shares)
    return {"name": name, "hint": TRADEOFF_HINTS[beyond], "svg": canvas.svg(draw, f"{beyond}-{which}", name)}


def metric_tables(metrics: pd.DataFrame, which: str) -> Line:
    """All metrics of one list, one table for each k, best recommender first."""
    ks = sorted(int(k) for k in metrics.loc[metrics["list"] == which, "k"].unique())
    return {
        "name": narrative.LIST_LABELS[which],
        "meaning": narrative.LIST_MEANINGS[which],
        "ks": [_metric_table(metrics, which, k) for k in ks],
    }


def _metric_table(metrics: pd.DataFrame, which: str, k: int) -> Line:
    here = metrics.loc[(metrics["list"] == which) & (metrics["k"] == k)]
    figures = {(row.recommender, row.metric): row for row in here.itertuples(index=False)}
    best = here.groupby("metric")["value"].max()
    rows = []
    for recommender in board_rows(metrics, which, k)["recommender"]:
        cells = []
        for metric in narrative.METRIC_LABELS:
            row = figures.get((recommender, metric))
            cells.append(
                _cell(
                    metric,
                    row,
                    is_best=metric in ACCURACY_METRICS and row is not None and row.value == best[metric] > 0,
                )
            )
        rows.append({"name": label(recommender), "style": _style(recommender), "cells": cells})
    return {"k": k, "columns": list(narrative.METRIC_LABELS.values()), "rows": rows}


def _cell(metric: str, row: Any, *, is_best: bool) -> Line:
    """A figure and its interval, written out: coverage as a percentage, novelty in bits."""
    if row is None:
        return {"value": DASH, "interval": "", "best": False}
    scale, digits, unit = {"coverage": (100.0, 2, " %"), "novelty": (1.0, 1, "")}.get(metric, (1.0, 3, ""))
    low, value, high = (f"{scale * figure:.{digits}f}" for figure in (row.ci_low, row.value, row.ci_high))
    return {"value": f"{value}{unit}", "interval": f"{low}{DASH}{high}", "best": is_best}
