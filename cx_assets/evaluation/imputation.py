"""How good every missing-value policy is, on values that are known and held out.

Belongs here: hiding known values the way others are really missing, letting each policy fill them, and how far off it
is. Does not: the policies (`warehouse.missing`), which of them to choose (`imputation_choice`) or printing
(`imputation_report`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cx_assets.evaluation.bootstrap import intervals
from cx_assets.sections import UNKNOWN, Attribute, MissingPolicy
from cx_assets.warehouse.missing import fill_column, is_missing, is_numeric

FOLDS = 5
# Below this nothing can be told apart.
MIN_KNOWN = 30
# A forest learns from 20,000 rows at most, which is four fifths of these.
MAX_KNOWN = 25_000
RESAMPLES = 1000


@dataclass(frozen=True)
class Figure:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class PolicyScore:
    """What one policy is worth on held-out values.

    Attributes:
        policy: its name in a manifest.
        made: what filled the values; differs from `policy` where it had to give way, as `predict->mode`.
        loss: float64 of shape (held out,), what is compared: the absolute error, or 1 for a wrong category.
        figures: by name. Of numbers `mae` and `rmse`, each over what it is when the median (the mean) is filled in, so
            that 1 is "no better than that" for every column. Of categories `accuracy` and `macro_f1`.
    """

    policy: str
    made: str
    loss: NDArray[np.float64]
    figures: dict[str, Figure]


@dataclass(frozen=True)
class ColumnScores:
    """A column with missing values, and what each policy is worth there.

    Attributes:
        column: its name.
        attribute: as the manifest declares it.
        rows: all rows.
        missing: rows without a value.
        missing_with_events: those of them that an event names: a run stops when `drop` removes them.
        held_out: known values that were held out, one fold after the other.
        scores: by policy, the simplest first; empty with fewer than 30 known values.
    """

    column: str
    attribute: Attribute
    rows: int
    missing: int
    missing_with_events: int
    held_out: int
    scores: dict[str, PolicyScore]

    @property
    def is_number(self) -> bool:
        """Whether its values can be averaged."""
        return self.attribute.type in ("double", "bigint")


def score_column(
    frame: pd.DataFrame, attributes: dict[str, Attribute], column: str, *, key: str, seed: int = 0
) -> ColumnScores:
    """Score every policy of a column on its known values.

    Every known value is held out once, in one of five folds. A held-out row is made to look like a row that really
    lacks the column: it also loses the other attributes that such a row, drawn at random, lacks. Where all attributes
    are missing together, `predict` then has nothing to go by, here as in a run. The policies fill it with what they
    learn from the other folds, by the code that a run uses.

    Args:
        frame: one row per customer or item with `has_events` and the attributes, missing values not filled.
        attributes: as the manifest declares them.
        column: which to score.
        key: the column that identifies a row.
        seed: of the folds, the drawn rows, the forest and the intervals.
    """
    attribute = attributes[column]
    # By key, so that the folds don't depend on how the rows arrived.
    frame = frame.iloc[np.argsort(frame[key].astype(str).to_numpy(dtype=object), kind="stable")].reset_index(drop=True)
    missing = is_missing(frame[column])
    with_events = int((missing & frame["has_events"].to_numpy(dtype=bool)).sum())
    known = np.flatnonzero(~missing)
    random = np.random.default_rng(seed)
    if len(known) > MAX_KNOWN:
        known = np.sort(random.choice(known, MAX_KNOWN, replace=False))
    counts = len(frame), int(missing.sum()), with_events, len(known)
    if len(known) < MIN_KNOWN or not missing.any():
        return ColumnScores(column, attribute, *counts, {})
    others = [name for name in attributes if name != column]
    nulls = {name: is_missing(frame[name]) for name in others}
    rows = frame.iloc[known].reset_index(drop=True)
    for name in others:
        rows[name] = rows[name].mask(is_missing(rows[name]))
    really_missing = np.flatnonzero(missing)
    filled: dict[str, list[pd.Series]] = {}
    made: dict[str, str] = {}
    fold_of = random.permutation(np.arange(len(rows)) % FOLDS)
    for fold in range(FOLDS):
        gaps = fold_of == fold
        like = random.choice(really_missing, int(gaps.sum()))
        hidden = rows.copy()
        hidden[column] = hidden[column].mask(gaps)
        for name in others:
            also = np.zeros(len(rows), dtype=bool)
            also[gaps] = nulls[name][like]
            hidden[name] = hidden[name].mask(also)
        for policy in policies(attribute):
            result = fill_column(hidden, column, gaps, policy, others, seed)
            values = result.column[gaps]
            filled.setdefault(policy.policy, []).append(values.round() if attribute.type == "bigint" else values)
            made[policy.policy] = result.policy
    truth = rows[column]
    scores = {
        name: _score(name, made[name], truth, pd.concat(parts).sort_index(), seed) for name, parts in filled.items()
    }
    return ColumnScores(column, attribute, *counts, scores)


def policies(attribute: Attribute) -> Iterator[MissingPolicy]:
    """The policies that fill a column of this type, the simplest first.

    A constant for numbers is scored only where the manifest has one: no other is better than any.
    """
    declared = attribute.missing
    if attribute.type == "varchar":
        value = declared.value if declared.policy == "constant" else UNKNOWN
        yield MissingPolicy(policy="constant", value=value)
    elif declared.policy == "constant":
        yield declared
    if attribute.type in ("double", "bigint"):
        yield MissingPolicy(policy="median")
        yield MissingPolicy(policy="mean")
    yield MissingPolicy(policy="mode")
    yield MissingPolicy(policy="predict")


def _score(policy: str, made: str, truth: pd.Series, filled: pd.Series, seed: int) -> PolicyScore:
    if is_numeric(truth):
        loss, figures = _number_figures(truth, filled, seed)
    else:
        loss, figures = _category_figures(truth, filled, seed)
    return PolicyScore(policy, made, loss, figures)


def _number_figures(truth: pd.Series, filled: pd.Series, seed: int) -> tuple[NDArray[np.float64], dict[str, Figure]]:
    """The absolute errors, with MAE and RMSE over the column's own spread."""
    true = truth.to_numpy(dtype=np.float64)
    error = np.abs(filled.to_numpy(dtype=np.float64) - true)
    found = intervals(np.column_stack([error, error**2]), resamples=RESAMPLES, seed=seed)
    # A column with one value has no spread, and every policy that fills that value is right.
    spread = np.abs(true - np.median(true)).mean() or 1.0, true.std() or 1.0
    absolute = (float(part[0] / spread[0]) for part in (found.mean, found.low, found.high))
    squared = (float(np.sqrt(part[1]) / spread[1]) for part in (found.mean, found.low, found.high))
    return error, {"mae": Figure(*absolute), "rmse": Figure(*squared)}


def _category_figures(truth: pd.Series, filled: pd.Series, seed: int) -> tuple[NDArray[np.float64], dict[str, Figure]]:
    """1 for every wrong category, with the accuracy and the mean F1 of the true categories."""
    codes, values = pd.factorize(pd.concat([truth, filled]).astype(str), sort=True)
    true, given = codes[: len(truth)], codes[len(truth) :]
    wrong = (true != given).astype(np.float64)
    right = intervals(1 - wrong[:, None], resamples=RESAMPLES, seed=seed)
    random = np.random.default_rng(seed)
    draws = [random.integers(0, len(true), len(true)) for _ in range(RESAMPLES // 5)]
    f1 = [macro_f1(true[drawn], given[drawn], len(values)) for drawn in draws]
    low, high = np.quantile(f1, [0.025, 0.975])
    return wrong, {
        "accuracy": Figure(float(right.mean[0]), float(right.low[0]), float(right.high[0])),
        "macro_f1": Figure(macro_f1(true, given, len(values)), float(low), float(high)),
    }


def macro_f1(true: NDArray[np.int64], given: NDArray[np.int64], categories: int) -> float:
    """The mean over the categories that are true somewhere of F1 = 2 right / (true + given).

    Args:
        true: int64 of shape (rows,), numbers of categories.
        given: what was filled in, of the same shape.
        categories: how many numbers there are.
    """
    right = np.bincount(true[true == given], minlength=categories)
    truly = np.bincount(true, minlength=categories)
    total = truly + np.bincount(given, minlength=categories)
    there = truly > 0
    return float((2 * right[there] / total[there]).mean())
