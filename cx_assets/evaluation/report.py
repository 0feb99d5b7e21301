"""The report for people: one HTML page that needs nothing beside it.

Belongs here: what stands on the page and in which order, from frames that have been read already. Does not belong here:
reading tables (`report_data`), wording (`narrative`), drawing (`plots`), fixed text and looks (`templates/`).

Every part is left out when there is nothing to show in it, so a small dataset gets a smaller page and never a wrong
one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

import pandas as pd

from cx_assets import canvas
from cx_assets.evaluation import boards, narrative, plots
from cx_assets.evaluation.boards import Line
from cx_assets.evaluation.page import rendered


@dataclass(frozen=True)
class Quality:
    """What became of the raw rows.

    Attributes:
        flow: name and count of each step from raw to clean, in order.
        rejected: reason and count, most frequent first.
    """

    flow: list[tuple[str, int]]
    rejected: list[tuple[str, int]]


@dataclass(frozen=True)
class ReportInput:
    """All that the page is made of.

    Attributes:
        title: of the dataset.
        until: end of the data.
        metrics: `evaluation.metrics`.
        comparisons: `evaluation.comparisons`.
        who: as `split.who_is_judged` returns it.
        horizon_days: days in the window.
        recommendable: items that may be recommended.
        quality: what became of the raw rows.
        segments: name, customers (int), value_share (0 to 1), apart, categories; largest first. Empty without segments.
        rules: level, antecedent, consequent, confidence, lift, customers; best first. Empty without rules.
        examples: customer_id, segment, had (list of names), repeat and discovery (lists of item and reason).
        recommender_words: what each recommender does, by its name.
        resamples: draws behind each interval.
    """

    title: str
    until: datetime
    metrics: pd.DataFrame
    comparisons: pd.DataFrame
    who: pd.DataFrame
    horizon_days: int
    recommendable: int
    quality: Quality
    segments: pd.DataFrame
    rules: pd.DataFrame
    examples: list[Line]
    recommender_words: dict[str, str]
    resamples: int
    as_of: datetime | None = field(default=None)


def render(given: ReportInput) -> str:
    """The whole page.

    Args:
        given: what it's made of.

    Returns:
        A complete HTML document; the same text for the same input.
    """
    return rendered("report.html.j2", content(given))


def content(given: ReportInput) -> Line:
    """What the template is given: sentences, rows with their figures written out, and plots as SVG."""
    k = boards.board_k(given.metrics)
    page: Line = {
        "title": given.title,
        "until": given.until,
        "as_of": given.as_of,
        "horizon_days": given.horizon_days,
        "resamples": given.resamples,
        "k": k,
        "headline": narrative.headline(given.metrics, k, given.horizon_days),
        "opening": _opening(given, k),
        "facts": _facts(given),
        "boards": [
            boards.leader_board(given.metrics, given.comparisons, which, k)
            for which in boards.BOARD_LISTS
            if (given.metrics["list"] == which).any()
        ],
        "repeat_share": narrative.repeat_share(given.who),
        "repeat_plot": boards.repeat_plot(given.metrics, k),
        "tradeoff_plots": [
            plot for wanted in boards.TRADEOFFS if (plot := boards.tradeoff_plot(given.metrics, *wanted, k))
        ],
        "tables": [
            boards.metric_tables(given.metrics, which)
            for which in boards.BOARD_LISTS
            if (given.metrics["list"] == which).any()
        ],
        "segments": given.segments.to_dict("records"),
        "segment_plot": _segment_plot(given.segments),
        "rules": [
            {"name": f"By {level}", "rules": rows.to_dict("records")}
            for level, rows in given.rules.groupby("level", sort=True)
        ],
        "examples": given.examples,
        "quality": {
            "flow": [{"name": name, "count": count} for name, count in given.quality.flow],
            "rejected": [{"name": name, "count": count} for name, count in given.quality.rejected],
        },
        "judged_rows": [
            {**row, "name": narrative.LIST_LABELS[row["list"]], "meaning": narrative.LIST_MEANINGS[row["list"]]}
            for row in given.who.to_dict("records")
        ],
        "newcomers": int(given.who["no_history"].max()) if len(given.who) else 0,
        "metric_words": [
            (f"{narrative.METRIC_LABELS[name]}", meaning) for name, meaning in narrative.METRIC_MEANINGS.items()
        ],
        "recommender_words": [(narrative.label(name), text) for name, text in given.recommender_words.items()],
    }
    return page | {"parts": _parts(page)}


def _opening(given: ReportInput, k: int) -> list[str]:
    """The sentences below the headline: what may be said of the gate, list by list."""
    if given.metrics.empty:
        return []
    if int(given.who["judged"].max()) < narrative.ENOUGH_CUSTOMERS:
        return [narrative.verdict(given.comparisons, "both", k)]
    return [
        " ".join(
            (f"{name}:", *(say(given.comparisons, which, k) for say in (narrative.verdict, narrative.strongest_rival)))
        )
        for which, name in (("both", "All items"), ("discovery", "New items only"))
    ]


def _facts(given: ReportInput) -> list[Line]:
    """The figures that every reader needs first."""
    both = given.who.loc[given.who["list"] == "both"]
    judged, excluded = int(both["judged"].sum()), int(both[["nothing_relevant", "no_history"]].to_numpy().sum())
    as_of = f"{given.as_of.day} {given.as_of:%b %Y}" if given.as_of else "none"
    return [
        {"name": "As of", "value": as_of, "note": "nothing later was seen by any recommender"},
        {"name": "Horizon", "value": f"{given.horizon_days} days", "note": "on which the lists were judged"},
        {"name": "Customers judged", "value": f"{judged:,}", "note": "took something that could be foreseen"},
        {"name": "Customers excluded", "value": f"{excluded:,}", "note": "took nothing, or had no history"},
        {
            "name": "Recommenders",
            "value": str(given.metrics["recommender"].nunique()),
            "note": "random and popularity too",
        },
        {"name": "Items", "value": f"{given.recommendable:,}", "note": "that may be recommended"},
    ]


def _segment_plot(segments: pd.DataFrame) -> str:
    if segments.empty:
        return ""
    share = segments["customers"] / segments["customers"].sum()
    draw = plots.pairs_of_bars(
        segments["name"].tolist(), share.tolist(), segments["value_share"].tolist(), ("customers", "value")
    )
    return canvas.svg(draw, "segments", "Share of customers and of value, by segment")


def _parts(page: Line) -> list[Line]:
    """The parts that the page has, for its navigation."""
    parts = [
        ("leaders", "Leader board", page["boards"]),
        ("tradeoffs", "Repeat & discovery", page["repeat_plot"] or page["tradeoff_plots"]),
        ("metrics", "All metrics", page["tables"]),
        ("segments", "Segments", page["segments"]),
        ("rules", "Rules", page["rules"]),
        ("customers", "Customers", page["examples"]),
        ("quality", "Data quality", True),
        ("method", "Method & limits", True),
    ]
    return [{"id": part, "name": name} for part, name, there in parts if there]
