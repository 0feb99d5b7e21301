"""Judging the stored lists of a backtest.

Belongs here: which lists are judged on what, and what a judgement rests on. Does not: the figures (`backtest_figures`)
or making lists (`backtest`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from cx_assets.evaluation.backtest import DEPTH, fingerprint
from cx_assets.evaluation.backtest_figures import apart, judged
from cx_assets.evaluation.config import EvaluationSettings
from cx_assets.evaluation.figures import JudgedLists
from cx_assets.evaluation.last_basket import before_the_last_basket, last_basket_truth, usual_events
from cx_assets.evaluation.split import Window, next_basket_truth, truth
from cx_assets.matrices.config import InteractionWeights
from cx_assets.table import Table, as_of_date, sql
from cx_assets.table.schema import instant


@dataclass(frozen=True)
class Judging:
    """Stored lists and all that they are judged by.

    Attributes:
        backtest_lists: by as-of date.
        last_basket_lists: as of each customer's last basket.
        events: what customers did.
        items: what was there to be recommended.
        settings: horizons, lengths of lists and draws.
        interaction_weights: with which the past is folded.
    """

    backtest_lists: Table
    last_basket_lists: Table
    events: Table
    items: Table
    settings: EvaluationSettings
    interaction_weights: InteractionWeights

    def version(self, code: str) -> str:
        """A fingerprint of all of it: equal lists, data, settings and code, equal figures.

        Lists are known by their versions, which are far fewer than they.
        """
        lists = [
            sql("select distinct as_of, recommender, version from t", t=self.backtest_lists),
            sql("select distinct recommender, version from t", t=self.last_basket_lists),
        ]
        known = fingerprint(*lists, self.events, self.items)
        judged_by = (
            self.settings.horizon_days,
            self.settings.list_lengths,
            self.settings.resamples,
            self.settings.seed,
        )
        told = f"{code}\n{known}\n{judged_by}\n{self.interaction_weights.weights()}"
        return hashlib.sha256(told.encode()).hexdigest()[:16]

    def by_protocol(self, *, overlapping: bool = True) -> dict[str, list[JudgedLists]]:
        """Stored lists, judged: by protocol, one for each as-of date; those of the last basket are one.

        Without `overlapping` ones only the dates of `non_overlapping` are judged: of a range of weeks a quarter.
        """
        dates = [row[0] for row in sql("select distinct as_of from t order by as_of", t=self.backtest_lists).fetchall()]
        found: dict[str, list[JudgedLists]] = {"horizon": [], "next_basket": [], "last_basket": []}
        for as_of in reversed(dates):
            window = Window(as_of, self.settings.horizon_days)
            lists = sql(f"select * from t where as_of = {instant(as_of)}", t=self.backtest_lists)
            for protocol, taken in (("horizon", truth), ("next_basket", next_basket_truth)):
                if not overlapping and found[protocol] and window.end > found[protocol][0].date:
                    continue
                pairs = taken(self.events, self.items, window)
                date = judged(lists, pairs, as_of=as_of, horizon_days=window.horizon_days, depth=DEPTH)
                found[protocol][:0] = [date] if date.lists else []
        until = as_of_date(self.events)
        past = before_the_last_basket(
            usual_events(self.events), self.items.df(), until, self.interaction_weights.weights()
        )
        last = judged(self.last_basket_lists, last_basket_truth(past), as_of=until, horizon_days=1, depth=DEPTH)
        found["last_basket"] = [last] if last.lists else []
        return found


def non_overlapping(dates: Sequence[JudgedLists]) -> list[JudgedLists]:
    """Of dates those whose horizons don't overlap, from the last backwards; a date without anybody judged is none."""
    told = [one for one in dates if one.as_of is not None and one.horizon_days is not None]
    chosen = set(apart([one.date for one in told], max((one.horizon_days or 0 for one in told), default=0)))
    return [one for one in told if one.as_of in chosen]
