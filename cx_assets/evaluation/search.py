"""Choosing the ranker's settings on days before those that it is judged on.

Belongs here: which days those are, what is tried, and how the best is told. Does not: learning (`recommendations.
ranker`), judging (`shortlists`) or reading tables (`search_assets`).

A figure is only worth something on days that nothing was chosen by. So every cut lies at least a horizon before the
first test day, and whoever calls this hands over nothing of that day or later.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from cx_assets.evaluation.shortlists import Shortlists, ndcg_of
from cx_assets.evaluation.split import LISTS, Window, truth_of_list
from cx_assets.recommendations.ranker import Ranker, RankerSettings

TEST_HORIZONS, VALIDATION_CUTS = 5, 3

DEFAULT_TRIALS: dict[str, dict[str, Any]] = {
    "as it is": {},
    "four dates": {"cuts": 4},
    "two dates": {"cuts": 2},
    "half the negatives": {"negatives": 0.075},
    "smaller steps": {"iterations": 150, "learning_rate": 0.08},
    "all features": {"sparing": False},
    "large trees": {"leaves": 31},
    "large leaves": {"min_leaf": 300},
    "three models": {"bags": 3},
    "customers alike": {"balance": 0.5},
}
"""What is tried unless told otherwise: changes of the settings that the ranker has, by the trial's name."""

OF_THE_TREES = ("iterations", "learning_rate", "leaves", "min_leaf", "l2", "features", "sparing", "bags")
"""Settings that trials with the same examples may differ in; a new one is safe until it is named here."""

COLUMNS = ["as_of", "trial", "settings", "list", "ndcg", "customers", "chosen"]

CRITERION = ("both", "discovery")
"""The mean over the cuts of NDCG@10 on these lists, added up, is what the best trial has most of."""


def first_test_day(until: datetime, horizon_days: int, horizons: int = TEST_HORIZONS) -> datetime:
    """The Monday from which on the last horizons of the data are test days.

    Args:
        until: the midnight that the data end at.
        horizon_days: days that a list is judged on.
        horizons: how many of them the test window has.
    """
    first = until - timedelta(days=horizons * horizon_days)
    # As-of dates of backtests are Mondays, and none of them may begin before the test window does.
    return first - timedelta(days=first.weekday())


def validation_windows(before: datetime, horizon_days: int, cuts: Sequence[datetime] | int) -> list[Window]:
    """The windows that trials are judged on.

    Args:
        before: the first test day.
        horizon_days: of each window.
        cuts: the as-of dates, or how many horizons before the test window to take.

    Raises:
        ValueError: if there is no cut, or a window reaches into the test window.
    """
    if isinstance(cuts, int):
        cuts = [before - timedelta(days=horizon_days * number) for number in range(cuts, 0, -1)]
    windows = [Window(cut, horizon_days) for cut in sorted(set(cuts))]
    if not windows:
        raise ValueError("there is no validation cut: at least one is needed")
    for window in windows:
        if window.end > before:
            raise ValueError(
                f"the validation cut {window.as_of:%Y-%m-%d} can't be used: its horizon of {horizon_days} days ends on "
                f"{window.end:%Y-%m-%d}, within the test window, which begins on {before:%Y-%m-%d}. Choose cuts up to "
                f"{before - timedelta(days=horizon_days):%Y-%m-%d}."
            )
    return windows


def tried(base: RankerSettings, trials: Mapping[str, Mapping[str, Any]]) -> dict[str, RankerSettings]:
    """The settings of each trial.

    Args:
        base: what a trial doesn't change.
        trials: by name, fields of `RankerSettings` and their values.

    Raises:
        ValueError: if there is no trial, or one changes what isn't a setting, or the horizon.
    """
    if not trials:
        raise ValueError("there is nothing to try: name at least one trial")
    known = [one.name for one in fields(RankerSettings) if one.name != "horizon"]
    found = {}
    for name, changes in trials.items():
        unknown = [change for change in changes if change not in known]
        if unknown:
            raise ValueError(
                f"trial {name!r}: {unknown[0]!r} is no setting of the ranker that a trial may change. It has "
                f"{', '.join(known)}."
            )
        values: dict[str, Any] = {key: _as(getattr(base, key), value) for key, value in changes.items()}
        found[name] = replace(base, **values)
    return found


@dataclass
class Trials:
    """What the trials came to, cut by cut.

    Attributes:
        settings: of each trial, in the order in which ties are broken.
        rows: as_of, trial, list, ndcg, customers of each cut.
        seconds: by trial, learning and scoring over all cuts; examples count for the first trial that needs them.
        customers: by list, who was judged on any cut.
    """

    settings: dict[str, RankerSettings]
    rows: list[tuple[datetime, str, str, float, int]] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    customers: dict[str, set[str]] = field(default_factory=dict)

    def judge(self, given: Shortlists, log: Callable[[str], None]) -> None:
        """Let every trial learn before a cut, and judge its lists on what followed."""
        for which in LISTS:
            self.customers.setdefault(which, set()).update(truth_of_list(given.pairs, which)["customer_id"])
        found: dict[str, list[tuple[datetime, str, str, float, int]]] = {}
        # Trials that learn from the same examples come one after the other, so that only one set is held.
        sharing: dict[tuple[Any, ...], list[str]] = {}
        for name, settings in self.settings.items():
            sharing.setdefault(_examples_of(settings), []).append(name)
        for names in sharing.values():
            start = time.perf_counter()
            examples = Ranker(self.settings[names[0]]).examples(given.training)
            for name in names:
                ranker = Ranker(self.settings[name]).learn(given.training, given.maker, examples)
                figures = ndcg_of(given, map(ranker.probabilities, given.blocks))
                found[name] = [
                    (given.window.as_of, name, which, float(values.mean()), len(values))
                    for which, values in figures.items()
                ]
                seconds = time.perf_counter() - start
                self.seconds[name] = self.seconds.get(name, 0.0) + seconds
                log(f"{given.window.as_of:%Y-%m-%d}: {name!r} in {seconds:.1f} s")
                start = time.perf_counter()
        self.rows += [row for name in self.settings for row in found[name]]

    def table(self) -> pd.DataFrame:
        """`COLUMNS`: every figure, then the means over the cuts, without an as-of date.

        Raises:
            ValueError: if nobody was judged on any cut.
        """
        cuts = pd.DataFrame(self.rows, columns=["as_of", "trial", "list", "ndcg", "customers"])
        if cuts.empty:
            raise ValueError("nobody who has a history took anything on the days of any cut: nothing can be chosen")
        means = cuts.groupby(["trial", "list"], sort=False)["ndcg"].mean().reset_index()
        means["customers"] = [len(self.customers[str(which)]) for which in means["list"]]
        found = pd.concat([cuts, means], ignore_index=True)
        found["settings"] = found["trial"].map({name: as_json(one) for name, one in self.settings.items()})
        found["chosen"] = found["trial"] == best(means, list(self.settings))
        return found[COLUMNS].astype({"as_of": "datetime64[us]"})


def best(means: pd.DataFrame, order: Sequence[str]) -> str:
    """The trial with the highest sum of mean NDCG on both together and on discovery; of equals the first in order.

    A list that nobody was judged on adds nothing to any.

    Args:
        means: trial, list, ndcg.
        order: the trials.
    """
    counted = means[means["list"].isin(CRITERION)].groupby("trial")["ndcg"].sum()
    sums = counted.reindex(list(order), fill_value=0.0).to_numpy()
    return order[int(np.argmax(sums))]


def as_json(settings: RankerSettings) -> str:
    """Settings as text, with the horizon spelled out."""
    return json.dumps({one.name: _plain(getattr(settings, one.name)) for one in fields(settings)})


def _examples_of(settings: RankerSettings) -> tuple[Any, ...]:
    """What examples depend on: every setting that isn't known to be of the trees alone."""
    return tuple(getattr(settings, one.name) for one in fields(settings) if one.name not in OF_THE_TREES)


def _as(present: object, value: object) -> object:
    """A configured number as the kind of number that the setting is."""
    return float(value) if isinstance(present, float) and isinstance(value, int) else value


def _plain(value: object) -> object:
    return value if isinstance(value, int | float | str | bool | None) else repr(value)
