"""Chooses the weights of the blend, on dates that the evaluation never looks at.

    python -m cx_assets_tests.benchmarks.choose_blend [published database]

Belongs here: the search that the defaults of `BlendWeights` come from. Does not: the evaluation of the blend, whose
window begins on 2017-12-05; the last day judged here is 2017-12-04.

One weight is varied at a time around the defaults, and variants are ordered by their mean over three dates: what wins
on one date loses on the next. Only `half_life_days` and `neighbours_in_repeat` make a difference that holds on all or
most dates. The small weights of `item_knn`, `rules` and `popularity` win nothing: they are kept for the reasons that
they give and for customers without neighbours, at a size that costs nothing visible. On new items the blend is level
with customer kNN alone.
"""

import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from cx_assets.evaluation.figures import JudgedLists
from cx_assets.evaluation.judging import judge, training_before
from cx_assets.evaluation.metrics import accuracy
from cx_assets.evaluation.split import Window, truth
from cx_assets.matrices.interactions import EventWeights
from cx_assets.recommendations.blend import Blend, BlendWeights
from cx_assets.recommendations.popularity import Popularity
from cx_assets.recommendations.recommender import Recommender
from cx_assets.rules.mining import ITEM_SETTINGS
from cx_assets.settings import Settings
from cx_assets.table import Table

CUTS = (datetime(2017, 9, 12), datetime(2017, 10, 10), datetime(2017, 11, 7))
HORIZON_DAYS = 28
K = 10

VARIED: dict[str, tuple[float, ...]] = {
    "half_life_days": (60.0, 120.0),
    "neighbours_in_repeat": (0.0, 0.5, 2.0),
    "item_knn": (0.0, 0.3),
    "content": (0.05,),
    "rules": (0.0, 0.2),
    "popularity": (0.0, 0.1),
    "discovery_scale": (0.5,),
}


def variants() -> list[Recommender]:
    """Popularity for comparison, the defaults, and the defaults with one weight changed."""
    changed: list[Recommender] = [
        Blend(replace(BlendWeights(), **{name: value}), name=f"{name} = {value:g}")
        for name, values in VARIED.items()
        for value in values
    ]
    return [Popularity(), Blend(name="defaults"), *changed]


def judged_on(events: Table, items: Table, as_of: datetime) -> pd.DataFrame:
    """NDCG of every variant on one date: recommender, list, as_of, ndcg."""
    window = Window(as_of, HORIZON_DAYS)
    training = training_before(events, items.df(), window, EventWeights(), ITEM_SETTINGS)
    judged = judge(variants(), training, truth(events, items, window), window, depth=K)
    rows = [
        (one.recommender, one.which, as_of.date(), float(np.mean(accuracy(one.hit, one.relevant, [K])["ndcg", K])))
        for one in JudgedLists.from_arrow(judged.rows, K).lists
    ]
    return pd.DataFrame(rows, columns=["recommender", "list", "as_of", "ndcg"])


def main(database: Path) -> None:
    """Print NDCG@10 per list, variant and date, and the best of each list."""
    with duckdb.connect(str(database), read_only=True) as connection:
        events = Table(connection, "select * from warehouse.events")
        items = Table(connection, "select * from warehouse.items")
        found = pd.concat([judged_on(events, items, as_of) for as_of in CUTS])
    for which, rows in found.groupby("list", sort=False):
        board = rows.pivot_table(index="recommender", columns="as_of", values="ndcg")
        board["mean"] = board.mean(axis=1)
        board = board.sort_values("mean", ascending=False, kind="stable")
        print(f"\n{which}: NDCG@{K}, {HORIZON_DAYS} days from each date; best: {board.index[0]}")
        print(board.round(4).to_string())


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Settings().published_dir / "cx.duckdb")
