"""The parts of the backtest's page about the ranker itself: its probabilities, its parts, its settings, its lists.

Belongs here: what stands in these parts. Does not: who recommends best (`backtest_report`), queries
(`evidence_queries`) or drawing (`evidence_plots`). A part without its table is left out, and a sentence says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby

import duckdb
import pandas as pd

from cx_assets import canvas
from cx_assets.aims import Aim
from cx_assets.evaluation import evidence_plots, evidence_queries, tables
from cx_assets.evaluation.boards import BOARD_LISTS, DASH, Line
from cx_assets.evaluation.feature_groups import MEANINGS
from cx_assets.evaluation.narrative import LIST_LABELS, label
from cx_assets.evaluation.ranker_study import FULL, OTHER_SEED
from cx_assets.table import TableSpec

Query = Callable[[str], pd.DataFrame]

NAMES = {FULL: "Full ranker: its NDCG@10", OTHER_SEED: "Nothing, but another seed"}


@dataclass(frozen=True)
class Evidence:
    """What is known of the ranker; None for what was not made.

    Attributes:
        calibration: `evaluation.calibration`.
        study: `evaluation.ranker_study`.
        trials: `evaluation.search_trials`.
        customers: what `evidence_queries.CUSTOMERS_LISTS` finds among the published tables.
        aims: what the manifest wants it to reach.
    """

    calibration: pd.DataFrame | None = None
    study: pd.DataFrame | None = None
    trials: pd.DataFrame | None = None
    customers: pd.DataFrame | None = None
    aims: tuple[Aim, ...] = ()

    @property
    def stored(self) -> dict[str, tuple[TableSpec, pd.DataFrame]]:
        """The tables that there are, by name."""
        given = (
            (tables.CALIBRATION, self.calibration),
            (tables.RANKER_STUDY, self.study),
            (tables.SEARCH_TRIALS, self.trials),
        )
        return {spec.name: (spec, frame) for spec, frame in given if frame is not None}


def load(connection: duckdb.DuckDBPyConnection, spec: TableSpec, frame: pd.DataFrame) -> None:
    """Put a frame where the page's queries look for its table."""
    connection.execute(spec.ddl())
    connection.register("given", frame.astype({"as_of": "datetime64[us]"}) if "as_of" in frame else frame)
    connection.execute(f"insert into {spec.qualified} by name select * from given")
    connection.unregister("given")


def parts(query: Query, evidence: Evidence) -> Line:
    """What the template is given for these parts; None for a part with nothing to show."""
    there = {name for name, (_, frame) in evidence.stored.items() if len(frame)}
    customers = evidence.customers if evidence.customers is not None else pd.DataFrame()
    return {
        "categories": [one for which in BOARD_LISTS if (one := _categories(query, which))],
        "calibration": _calibration(query) if "calibration" in there else None,
        "sources": _sources(query) if "ranker_study" in there else None,
        "groups": _groups(query) if "ranker_study" in there else None,
        "search": _search(query) if "search_trials" in there else None,
        "customers": _customers(customers) if len(customers) else None,
    }


def _categories(query: Query, which: str) -> Line | None:
    text = evidence_queries.categories(which)
    rows = query(text)
    if rows.empty:
        return None
    return {
        "name": LIST_LABELS[which],
        "customers": int(rows["customers"].max()),
        "columns": ["Recommender", "NDCG@10", "95 % interval", "Precision", "Recall", "Hit rate"],
        "rows": [
            _row(
                label(row["recommender"]),
                *(f"{row['ndcg']:.4f}", f"{row['ci_low']:.4f}{DASH}{row['ci_high']:.4f}"),
                *(f"{row[name]:.3f}" for name in ("precision", "recall", "hit_rate")),
            )
            for row in _records(rows)
        ],
        "sql": text,
    }


def _calibration(query: Query) -> Line:
    rows = query(evidence_queries.CALIBRATION)
    lists = [which for which in BOARD_LISTS if which in set(rows["list"])]
    firsts = rows.drop_duplicates("list").set_index("list").loc[lists]
    panels = [(LIST_LABELS[which], rows[rows["list"] == which]) for which in lists]
    return {
        "plot": canvas.svg(evidence_plots.calibration(panels), "calibration", "What was foreseen, and what was taken"),
        "columns": ["List", "Foreseen, mean", "Taken", "Expected calibration error"],
        "rows": [
            _row(
                LIST_LABELS[str(which)],
                *(_percent(row[name]) for name in ("all_predicted", "all_taken")),
                _percent(row["expected_error"]),
            )
            for which, row in firsts.iterrows()
        ],
        "says": [_says(LIST_LABELS[str(which)], row) for which, row in firsts.iterrows()],
        "sql": evidence_queries.CALIBRATION,
    }


def _says(name: str, row: pd.Series) -> str:
    side = "more than was taken" if row["all_predicted"] > row["all_taken"] else "no more than was taken"
    return (
        f"{name}: of a hundred places {100 * row['all_predicted']:.1f} were foreseen to be taken and "
        f"{100 * row['all_taken']:.1f} were, so the ranker foresees {side}."
    )


def _sources(query: Query) -> Line:
    rows = query(evidence_queries.SOURCES)
    return {
        "columns": ["Source", "List", "Candidates", "Finds", "95 % interval", "Only it finds", "Adds to NDCG@10"],
        "rows": [
            _row(
                label(row["name"]),
                LIST_LABELS[row["list"]],
                f"{row['candidates']:.0f}",
                _percent(row["recall"]),
                f"{100 * row['recall_low']:.1f}{DASH}{100 * row['recall_high']:.1f}",
                _percent(row["lost"]) if pd.notna(row["lost"]) else "",
                _added(row["added"], row["added_low"], row["added_high"]),
            )
            for row in _records(rows)
        ],
        "sql": evidence_queries.SOURCES,
    }


def _groups(query: Query) -> Line:
    rows = query(evidence_queries.PARTS)
    return {
        "columns": ["Left out", *(LIST_LABELS[which] for which in BOARD_LISTS)],
        "rows": [
            _row(
                NAMES.get(str(row["name"]), str(row["name"]).removeprefix("features: ").capitalize()),
                *(
                    f"{row[which]:.4f}"
                    if row["measure"] == "ndcg" and pd.notna(row[which])
                    else _added(row[which], row[f"{which}_low"], row[f"{which}_high"])
                    for which in BOARD_LISTS
                ),
            )
            for row in _records(rows)
        ],
        "words": [(name.capitalize(), meaning) for name, meaning in MEANINGS.items()],
        "sql": evidence_queries.PARTS,
    }


def _search(query: Query) -> Line:
    rows = query(evidence_queries.SEARCH)
    return {
        "cuts": int(rows["cuts"].max()),
        "before": f"{rows['first_test_day'].max():%Y-%m-%d}",
        "columns": ["Trial", *(LIST_LABELS[which] for which in BOARD_LISTS)],
        "rows": [
            {
                **_row(
                    str(row["trial"]) + (" (chosen)" if row["chosen"] else ""),
                    *(f"{row[which]:.4f}" if pd.notna(row[which]) else DASH for which in BOARD_LISTS),
                ),
                "style": "ours" if row["chosen"] else "",
            }
            for row in _records(rows)
        ],
        "sql": evidence_queries.SEARCH,
    }


def _customers(rows: pd.DataFrame) -> Line:
    """Customers in their order, each with the first places of both lists."""
    shown = []
    for (customer, baskets), own in groupby(_records(rows), lambda row: (row["customer_id"], row["baskets"])):
        lists = [
            {"name": LIST_LABELS[which], "items": [{"item": row["item"], "reason": row["reason"]} for row in places]}
            for which, places in groupby(own, lambda row: row["list"])
        ]
        shown.append({"id": customer, "baskets": int(baskets), "lists": lists})
    return {"shown": shown, "sql": evidence_queries.CUSTOMERS_LISTS}


def _records(rows: pd.DataFrame) -> list[Line]:
    return [{str(name): value for name, value in row.items()} for row in rows.to_dict("records")]


def _row(name: str, *cells: str) -> Line:
    return {"name": name, "style": "", "cells": list(cells)}


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _added(value: float, low: float, high: float) -> str:
    return f"{value:+.4f} ({low:+.4f} to {high:+.4f})" if pd.notna(value) else ""
