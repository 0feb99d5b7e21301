"""Backtests for a person at a terminal: who leads, by how much one leads another, and which settings are best.

Belongs here: reading stored figures and laying them out. Does not: computing them (`backtest_figures`, `search`).
"""

from __future__ import annotations

from pathlib import Path

import duckdb
from rich.console import Group
from rich.padding import Padding
from rich.table import Table as Board

from cx_assets.evaluation.split import LISTS

PROTOCOLS = {
    "horizon": "the days after the as-of date, mean over dates",
    "next_basket": "the next basket after the as-of date, mean over dates",
    "last_basket": "every customer's last basket",
}
K = 10
COMPARED = ("precision", "recall", "ndcg", "hit_rate")


def leader_boards(database: Path) -> Group:
    """NDCG@10 of every recommender by protocol and list, the best first, with 95 % intervals."""
    with duckdb.connect(str(database), read_only=True) as connection:
        rows = connection.execute(
            f"""
            select protocol, list, recommender, "value", ci_low, ci_high from evaluation.backtest_metrics
            where as_of is null and cohort = 'all' and metric = 'ndcg' and k = {K}
            """
        ).fetchall()
    boards = []
    for protocol, meaning in PROTOCOLS.items():
        found = {(row[1], row[2]): row[3:] for row in rows if row[0] == protocol}
        names = sorted({name for _, name in found}, key=lambda name: -found.get(("both", name), (0.0, 0.0, 0.0))[0])
        if not names:
            continue
        board = _board(f"NDCG@{K} with 95 % interval: {meaning}")
        board.add_column("recommender", no_wrap=True)
        for which in LISTS[::-1]:
            board.add_column(which, justify="right", no_wrap=True)
        for name in names:
            board.add_row(name, *(_figure(found.get((which, name))) for which in LISTS[::-1]))
        boards.append(Padding(board, (0, 0, 1, 0)))
    return Group(*boards)


def comparison(database: Path, recommender: str, baseline: str) -> Group:
    """One recommender against another, by protocol, list and metric.

    Raises:
        LookupError: if there is no backtest, or it doesn't know one of the two.
    """
    if not database.exists():
        raise LookupError("There is no backtest yet: run `cx backtest`.")
    with duckdb.connect(str(database), read_only=True) as connection:
        names = [
            row[0]
            for row in connection.execute(
                "select distinct recommender from evaluation.backtest_metrics order by recommender"
            ).fetchall()
        ]
        for name in (recommender, baseline):
            if name not in names:
                raise LookupError(f"The backtest has no recommender {name!r}. It has {', '.join(names)}.")
        rows = connection.execute(
            """
            select c.protocol, c.list, c.metric, m."value" as theirs, c.difference, c.ci_low, c.ci_high,
                c.relative, c.p_value, c.dates_ahead, c.dates
            from evaluation.backtest_comparisons c
            join evaluation.backtest_metrics m on m.protocol = c.protocol and m.recommender = c.baseline
                and m.list = c.list and m.metric = c.metric and m.k = c.k and m.as_of is null and m.cohort = 'all'
            where c.recommender = ? and c.baseline = ? and c.k = ?
            order by c.list, c.metric
            """,
            [recommender, baseline, K],
        ).fetchall()
    boards = []
    for protocol, meaning in PROTOCOLS.items():
        board = _board(f"{recommender} over {baseline}: {meaning}")
        for place, column in enumerate(("list", f"at {K}", "theirs", "own", "lead", "95 % interval", "", "p", "dates")):
            board.add_column(column, justify="left" if place <= 1 else "right", no_wrap=True)
        for told, which, metric, theirs, lead, low, high, relative, p, ahead, dates in rows:
            if told == protocol and metric in COMPARED:
                board.add_row(
                    which,
                    metric,
                    f"{theirs:.4f}",
                    f"{theirs + lead:.4f}",
                    f"{lead:+.4f}",
                    f"{low:.4f} to {high:.4f}",
                    f"{relative:+.1%}" if theirs > 0 else "",
                    f"{p:.1g}",
                    f"{ahead}/{dates}",
                )
        if board.row_count:
            boards.append(Padding(board, (0, 0, 1, 0)))
    return Group(*boards)


def trials(database: Path) -> Board:
    """NDCG@10 of every trial of the search for settings, mean over its cuts; the chosen one is marked.

    Args:
        database: the working one, which nobody else may be writing to.
    """
    with duckdb.connect(str(database), read_only=True) as connection:
        rows = connection.execute(
            "select trial, chosen, list, ndcg from evaluation.search_trials where as_of is null"
        ).fetchall()
        cuts, before = connection.execute(
            "select count(distinct as_of), max(first_test_day) from evaluation.search_trials"
        ).fetchall()[0]
    board = Board(
        title=f"NDCG@{K}: mean of {cuts} cut{'s' * (cuts > 1)} before {before:%Y-%m-%d}", title_justify="left"
    )
    board.add_column("trial")
    for which in LISTS[::-1]:
        board.add_column(which, justify="right")
    for name, chosen in dict.fromkeys(row[:2] for row in rows):
        found = {row[2]: f"{row[3]:.4f}" for row in rows if row[0] == name}
        board.add_row(f"{name} (chosen)" if chosen else name, *(found.get(which, "") for which in LISTS[::-1]))
    return board


def _board(title: str) -> Board:
    """Narrow enough for 80 columns, where whole figures count more than lines between them."""
    return Board(title=title, title_justify="left", box=None, padding=(0, 1, 0, 0), pad_edge=False)


def _figure(found: tuple[float, float, float] | None) -> str:
    """`0.4199 .409-.430`: three of these, and a name, fit into 80 columns."""
    if found is None:
        return ""
    low, high = (f"{bound:.3f}".removeprefix("0") for bound in found[1:])
    return f"{found[0]:.4f} {low}-{high}"
