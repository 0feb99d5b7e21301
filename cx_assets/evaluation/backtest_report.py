"""The backtest's page for people: one HTML file that needs nothing beside it.

Belongs here: what stands on the page and in which order. Does not: reading tables (`backtest_report_asset`), queries
(`backtest_queries`), what is told of the ranker itself (`backtest_evidence`), wording (`backtest_narrative`), drawing
(`plots`, `backtest_plots`), fixed text and looks (`templates/`).

Every figure is made by running the query that is printed under it, so what the page says of where a figure comes from
can't be wrong. A part with nothing to show is left out, and a sentence says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

import duckdb
import pandas as pd

from cx_assets import canvas
from cx_assets.evaluation import backtest_narrative as narrative
from cx_assets.evaluation import backtest_plots, backtest_queries, plots, tables
from cx_assets.evaluation.backtest_claims import claims
from cx_assets.evaluation.backtest_evidence import Evidence, load, parts
from cx_assets.evaluation.backtest_narrative import BASELINES, BASKETS, SCOPES, Extent
from cx_assets.evaluation.beyond_accuracy import LIST_METRICS
from cx_assets.evaluation.boards import BOARD_LISTS, DASH, Line, board_k
from cx_assets.evaluation.narrative import BASELINE, LIST_LABELS, LIST_MEANINGS, NBSP, PUBLISHED, label
from cx_assets.evaluation.page import rendered
from cx_assets.recommendations.catalogue import CHALLENGER

COMPARED = (CHALLENGER, "blend", *BASELINES)
BASKET_BASELINE = "personal_frequency"
TREND_LINES = 4
WIDE = (10.0, 4.8)
FIGURE = "{:.4f}"

Query = Callable[[str], pd.DataFrame]


def render(metrics: pd.DataFrame, comparisons: pd.DataFrame, extent: Extent, evidence: Evidence | None = None) -> str:
    """The whole page.

    Args:
        metrics: `evaluation.backtest_metrics`; may be empty.
        comparisons: `evaluation.backtest_comparisons`; may be empty.
        extent: of `evaluation.backtest_lists`.
        evidence: about the ranker, as far as there is any.

    Returns:
        A complete HTML document; the same text for the same input.
    """
    return rendered("backtest.html.j2", content(metrics, comparisons, extent, evidence))


def told(html: str) -> dict[tuple[str, str], str]:
    """The figures of a page's leader boards as they are printed, by list and recommender."""
    cells = re.findall(r'data-list="([^"]*)" data-recommender="([^"]*)">([^<]*)<', html)
    return {(unescape(which), unescape(name)): figure for which, name, figure in cells}


def page_k(metrics: pd.DataFrame) -> int:
    """The k of the page: as on the daily report; cohorts, which are judged at 10 alone, don't count."""
    return board_k(metrics[metrics["cohort"] == "all"])


def content(metrics: pd.DataFrame, comparisons: pd.DataFrame, extent: Extent, evidence: Evidence | None = None) -> Line:
    """What the template is given: sentences, rows with their figures written out, and plots as SVG."""
    k, evidence = page_k(metrics), evidence or Evidence()
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute(f"create schema {tables.GROUP}")
        load(connection, tables.BACKTEST_METRICS, metrics)
        load(connection, tables.BACKTEST_COMPARISONS, comparisons)
        for spec, frame in evidence.stored.values():
            load(connection, spec, frame)

        def query(text: str) -> pd.DataFrame:
            return connection.execute(text).df()

        names = {str(name) for name in narrative.overall(metrics, "both", k)["recommender"]}
        page: Line = {
            "k": k,
            "headline": narrative.leading(metrics, comparisons, "both", k),
            "opening": _opening(metrics, comparisons, k),
            "facts": narrative.facts(metrics, comparisons, extent, k),
            "claims": claims(query, evidence.aims),
            "boards": [board for which in BOARD_LISTS if (board := _board(query, metrics, comparisons, which, k))],
            "trends": [one for which in ("both", "discovery") if (one := _trend(query, metrics, which, k))],
            "cohorts": [one for which in ("both", "discovery") if (one := _cohorts(query, which))],
            "coverage": [one for which in ("both", "discovery") if (one := _coverage(query, which, k))],
            "list_metrics": _list_metrics(query, k),
            "list_metric_words": [(_title(name), meaning) for name, meaning in narrative.LIST_METRIC_MEANINGS.items()],
            "baskets": [_basket(query, protocol, k) for protocol in BASKETS],
            **parts(query, evidence),
            "others": [label(name) for name in sorted({str(name) for name in metrics["recommender"]} - names)],
        }
    return page


def _opening(metrics: pd.DataFrame, comparisons: pd.DataFrame, k: int) -> list[str]:
    """The sentences below the headline."""
    if metrics.empty:
        return []
    return [
        narrative.runner_up(metrics, comparisons, "both", k).brief,
        f"{SCOPES['discovery']}: {narrative.leading(metrics, comparisons, 'discovery', k)} "
        f"{narrative.runner_up(metrics, comparisons, 'discovery', k).brief}".strip(),
    ]


def _board(query: Query, metrics: pd.DataFrame, comparisons: pd.DataFrame, which: str, k: int) -> Line | None:
    baseline = narrative.better_baseline(narrative.overall(metrics, which, k)) or BASELINE
    text = backtest_queries.leader_board("horizon", which, k, baseline)
    rows = query(text)
    if rows.empty:
        return None
    return {
        "list": which,
        "name": SCOPES[which],
        "meaning": LIST_MEANINGS[which],
        "customers": int(rows["customers"].max()),
        "baseline": label(baseline),
        "says": str(narrative.leading(metrics, comparisons, which, k)),
        "runner_up": str(narrative.runner_up(metrics, comparisons, which, k)),
        "plot": _dots(rows, f"NDCG@{k}", f"forest-{which}", LIST_LABELS[which]),
        "rows": [
            {
                **_named(str(row["recommender"])),
                "id": row["recommender"],
                "value": FIGURE.format(row["value"]),
                "interval": _interval(row["ci_low"], row["ci_high"]),
                "lead": _signed(row["difference"]),
                "p": narrative.p_value(row["p_holm"]).removeprefix("p").strip(f"= {NBSP}")
                if pd.notna(row["p_holm"])
                else "",
                "ahead": _of(row["dates_ahead"], row["dates"]),
            }
            for row in _records(rows)
        ],
        "sql": text,
    }


def _trend(query: Query, metrics: pd.DataFrame, which: str, k: int) -> Line | None:
    """The leading recommenders and the baselines over the dates; None with fewer than two of these."""
    board = narrative.overall(metrics, which, k)
    # Who recommends known items only has nothing but zeros among new ones.
    names = board.loc[board["value"] > 0, "recommender"].tolist()
    chosen = [*names[:TREND_LINES], *(name for name in BASELINES if name in names[TREND_LINES:])]
    if not chosen:
        return None
    text = backtest_queries.trend(which, k, chosen)
    rows = query(text).dropna(axis="columns", how="all")
    if len(rows) < 2:
        return None
    title = f"NDCG@{k}, {LIST_LABELS[which].lower()}, by as-of date"
    days = rows["as_of"].dt.strftime("%Y-%m-%d").tolist()
    own = [name for name in rows.columns if name != "as_of"]
    return {
        "name": SCOPES[which],
        "plot": canvas.svg(backtest_plots.trend(rows, f"NDCG@{k}"), f"trend-{which}", title),
        "columns": ["As-of date", *map(label, own)],
        "rows": [
            {"name": day, "style": "", "cells": [_number(value) for value in values]}
            for day, values in zip(days, rows[own].to_numpy(), strict=True)
        ],
        "sql": text,
    }


def _cohorts(query: Query, which: str) -> Line | None:
    text = backtest_queries.cohorts(which, COMPARED)
    rows = query(text)
    if rows.empty:
        return None
    own = [name for name in COMPARED if rows[name].notna().any()]
    lines = []
    for row in _records(rows):
        best = max(row[name] for name in own if pd.notna(row[name]))
        cells = [
            {
                "value": _number(row[name]),
                "interval": _interval(row[f"{name}_low"], row[f"{name}_high"]),
                "best": row[name] == best > 0,
            }
            for name in own
        ]
        lines.append({"name": row["cohort"], "customers": int(row["customers"]), "cells": cells})
    return {"name": SCOPES[which], "columns": list(map(label, own)), "rows": lines, "sql": text}


def _coverage(query: Query, which: str, k: int) -> Line | None:
    text = backtest_queries.coverage(which, k)
    rows = query(text)
    points = rows[rows["coverage"] > 0].rename(columns={"coverage": "x", "ndcg": "y"})
    if points.empty:
        return None
    title = f"Accuracy against coverage: {LIST_LABELS[which].lower()}"
    draw = plots.scatter(
        points, "share of the catalogue shown to anyone", f"NDCG@{k}", log_x=True, percent_x=True, size=WIDE
    )
    return {
        "name": SCOPES[which],
        "plot": canvas.svg(draw, f"coverage-{which}", title),
        "columns": ["Recommender", "Coverage", f"NDCG@{k}"],
        "rows": [
            {**_named(str(row["recommender"])), "cells": [f"{100 * row['coverage']:.2f} %", _number(row["ndcg"])]}
            for row in _records(rows)
        ],
        "sql": text,
    }


def _list_metrics(query: Query, k: int) -> Line | None:
    text = backtest_queries.list_metrics("both", k)
    rows = query(text)
    if rows.empty:
        return None
    return {
        "columns": ["Recommender", *map(_title, LIST_METRICS)],
        "rows": [
            {**_named(str(row["recommender"])), "cells": [_number(row[name], 3) for name in LIST_METRICS]}
            for row in _records(rows)
        ],
        "sql": text,
    }


def _basket(query: Query, protocol: str, k: int) -> Line:
    """One board of baskets; without rows where there is none."""
    name, meaning = BASKETS[protocol]
    text = backtest_queries.basket_board(protocol, "both", k, BASKET_BASELINE)
    rows = query(text)
    return {
        "name": name,
        "meaning": meaning,
        "customers": int(rows["customers"].max()) if len(rows) else 0,
        "plot": _dots(rows, f"NDCG@{k}", f"forest-{protocol}", name) if len(rows) else "",
        "baseline": label(BASKET_BASELINE),
        "rows": [
            {
                **_named(str(row["recommender"])),
                "cells": [
                    _number(row["recall"]),
                    _share(row["recall_lead"]),
                    _number(row["value"]),
                    _share(row["ndcg_lead"]),
                ],
            }
            for row in _records(rows)
        ],
        "sql": text,
    }


def _dots(rows: pd.DataFrame, x_label: str, name: str, of: str) -> str:
    return canvas.svg(plots.forest(rows, x_label), name, f"{x_label}, {of}, by recommender")


def _records(rows: pd.DataFrame) -> list[Line]:
    return [{str(name): value for name, value in row.items()} for row in rows.to_dict("records")]


def _named(recommender: str) -> Line:
    return {
        "name": label(recommender),
        "style": "ours" if recommender == PUBLISHED else "base" if recommender == BASELINE else "",
    }


def _number(value: float, digits: int = 4) -> str:
    return f"{value:.{digits}f}" if pd.notna(value) else DASH


def _signed(value: float) -> str:
    return f"{value:+.4f}" if pd.notna(value) else ""


def _of(some: float, all_of: float) -> str:
    return f"{some:.0f} of {all_of:.0f}" if pd.notna(all_of) else ""


def _share(value: float) -> str:
    return f"{100 * value:+.1f} %" if pd.notna(value) else DASH


def _interval(low: float, high: float) -> str:
    return f"{low:.4f}{DASH}{high:.4f}" if pd.notna(low) else ""


def _title(metric: str) -> str:
    return metric.replace("_", " ").capitalize()
