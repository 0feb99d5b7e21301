"""Missing attribute values: which are missing, what stands in for them, and what was done.

Belongs here: the policies that a manifest may name per column, and their arithmetic. Does not: reading a manifest
(`dataset`), telling good events from bad ones (an event is rejected, never filled), or what an attribute means.

No policy knows the truth. On the default dataset a model barely beats the most common value, and values are not missing
at random, so every column that is filled gets a flag beside it and every count is handed back.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.preprocessing import OneHotEncoder

from cx_assets.sections import UNKNOWN, MissingPolicy

FLAG_SUFFIX = "_imputed"

# Below this many examples, or above this many answers, a forest is slower than the most common value and no better.
MIN_KNOWN_ROWS = 20
MAX_CLASSES = 50
# Bounds time and memory on a large catalogue; the accuracy of a forest has long levelled off by then.
MAX_TRAINING_ROWS = 20_000
MAX_VALUES_PER_ATTRIBUTE = 30


@dataclass(frozen=True)
class Filled:
    """A column without missing values, and the name of what filled it."""

    column: pd.Series
    policy: str


def fill_missing(
    frame: pd.DataFrame, policies: Mapping[str, MissingPolicy], *, key: str, seed: int = 0
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Fill or drop what is missing, column by column, and say where and how much.

    Missing is null, NaN and text that is empty or blank. Rows are dropped first; statistics and models see the rows
    that stay. Each column is filled from the values as they came, so neither the order of the policies nor that of
    the rows changes the outcome. Columns without a policy are left as they are.

    Args:
        frame: one row per thing; any columns.
        policies: by column.
        key: the column that identifies a row; it fixes the order in which rows are added up and learnt from.
        seed: of the forest behind `predict`.

    Returns:
        The filled frame: same columns, same row order, a fresh index, plus `<column>_imputed` (bool) per policy column
        in the order of the frame. And one row per policy column: `column`, `policy`, `missing` (before any row was
        dropped), `filled`, `dropped` (rows that this column alone would drop). Where a policy had to give way, `policy`
        says to what: `predict->mode` and `predict->median` (fewer than 20 known values, only one distinct value, more
        than 50 distinct texts, or no other column to learn from), `mode->constant` and `predict->constant` (a text
        column of which no value is known becomes 'unknown').

    Raises:
        ValueError: naming the column, if it does not exist or is the key; its flag exists already; it is not numeric
            and the policy is mean or median; the constant is missing or of another type than the column; or a column
            that is not text has no known value to learn from.
    """
    _validate(frame, policies, key)
    columns = [c for c in frame.columns if c in policies]
    missing = {c: is_missing(frame[c]) for c in columns}
    keep = np.ones(len(frame), dtype=bool)
    for c in columns:
        if policies[c].policy == "drop":
            keep &= ~missing[c]
    # In key order, so that sums and samples do not depend on how the rows arrived.
    position = np.flatnonzero(keep)
    position = position[np.argsort(frame[key].iloc[position].astype(str).to_numpy(dtype=object), kind="stable")]
    known = frame.iloc[position].reset_index(drop=True)
    for c in columns:
        known[c] = known[c].mask(missing[c][position])
    back = np.argsort(position)

    filled = frame[keep].reset_index(drop=True)
    counts = []
    for c in columns:
        gaps = missing[c][position]
        result = fill_column(known, c, gaps, policies[c], [o for o in columns if o != c], seed)
        if gaps.any():
            filled[c] = result.column.iloc[back].reset_index(drop=True)
        dropped = int(missing[c].sum()) if policies[c].policy == "drop" else 0
        counts.append((c, result.policy, int(missing[c].sum()), int(gaps.sum()), dropped))
    for c in columns:
        filled[c + FLAG_SUFFIX] = missing[c][keep]
    return filled, pd.DataFrame(counts, columns=["column", "policy", "missing", "filled", "dropped"])


def is_missing(column: pd.Series) -> np.ndarray:
    """Where `column` has no value: null, NaN, or text that is empty or blank (bool, one per row)."""
    empty = column.isna().to_numpy(dtype=bool)
    if _is_text(column):
        empty = empty | np.fromiter(
            (isinstance(v, str) and not v.strip() for v in column), dtype=bool, count=len(column)
        )
    return empty


def _validate(frame: pd.DataFrame, policies: Mapping[str, MissingPolicy], key: str) -> None:
    """Refuse what cannot be done, whatever the data turn out to be."""
    if key not in frame.columns:
        raise ValueError(f"no key column {key!r}; there are: {', '.join(map(str, frame.columns))}")
    for c, policy in policies.items():
        if c not in frame.columns:
            raise ValueError(f"{c}: no such column to fill; there are: {', '.join(map(str, frame.columns))}")
        if c == key:
            raise ValueError(f"{c}: is the key; a row without it cannot be filled in, only rejected")
        if c + FLAG_SUFFIX in frame.columns:
            raise ValueError(f"{c}: the column {c + FLAG_SUFFIX!r} exists already, but is needed for the flag")
        if policy.policy in ("mean", "median") and not is_numeric(frame[c]):
            raise ValueError(
                f"{c}: policy {policy.policy!r} needs numbers, the column is {frame[c].dtype}; use mode or constant"
            )
        if policy.policy == "constant" and not _is_value(policy.value):
            raise ValueError(f"{c}: policy 'constant' needs a value that is not itself missing, got {policy.value!r}")


def fill_column(
    known: pd.DataFrame, name: str, gaps: np.ndarray, policy: MissingPolicy, others: list[str], seed: int
) -> Filled:
    """One column with its gaps filled, as `fill_missing` does it; for whoever scores a policy on values that are known.

    Args:
        known: rows in key order, gaps and every other missing value null.
        name: the column.
        gaps: bool, one per row: where it is to be filled.
        policy: any but drop, which fills nothing.
        others: columns that `predict` may learn from.
        seed: of the forest.

    Raises:
        ValueError: as `fill_missing`.
    """
    column = known[name]
    if not gaps.any():
        return Filled(column, policy.policy)
    if policy.policy == "constant":
        return Filled(_put(column, gaps, _constant(column, name, policy.value)), "constant")
    if gaps.all():
        if _is_text(column):
            return Filled(_put(column, gaps, UNKNOWN), f"{policy.policy}->constant")
        raise ValueError(
            f"{name}: no value is known, so there is no {policy.policy} to fill in; use policy 'constant' with a value"
        )
    if policy.policy == "predict":
        if _can_learn(column, others):
            return Filled(_put(column, gaps, _predict(known, name, gaps, others, seed)), "predict")
        simpler = "median" if is_numeric(column) else "mode"
        return Filled(_put(column, gaps, _statistic(column, simpler)), f"predict->{simpler}")
    return Filled(_put(column, gaps, _statistic(column, policy.policy)), policy.policy)


def _statistic(column: pd.Series, policy: str) -> object:
    """The mean, the median or the most common value (the smallest of several) of what is known."""
    if policy == "mean":
        return float(column.mean())
    if policy == "median":
        return float(column.median())
    return column.mode().iloc[0]  # sorted, so the first is the smallest


def _constant(column: pd.Series, name: str, value: str | float | None) -> object:
    """The constant as a value of the column's type."""
    if _is_text(column):
        return value if isinstance(value, str) else f"{value:.15g}"
    if is_numeric(column) and not isinstance(value, str):
        return value
    raise ValueError(
        f"{name}: the constant {value!r} does not fit a column of {column.dtype}; give another value, or use 'mode'"
    )


def _can_learn(column: pd.Series, others: list[str]) -> bool:
    """Whether a forest has enough to learn from, and few enough answers to choose between."""
    known = column.dropna()
    distinct = known.nunique()
    few_answers = is_numeric(column) or distinct <= MAX_CLASSES
    return bool(others) and len(known) >= MIN_KNOWN_ROWS and distinct > 1 and few_answers


def _predict(known: pd.DataFrame, name: str, gaps: np.ndarray, others: list[str], seed: int) -> np.ndarray:
    """What a forest grown on the rows with a known value says about the others, one value per gap.

    A random forest, because it needs no tuning, takes mixed attributes and gives the same answer for the same seed.
    Source: Breiman (2001), "Random forests".
    """
    rows = np.flatnonzero(~gaps)
    if len(rows) > MAX_TRAINING_ROWS:
        rows = np.sort(np.random.default_rng(seed).choice(rows, MAX_TRAINING_ROWS, replace=False))
    features = _encode(known[others], rows)
    numeric = is_numeric(known[name])
    forest_type = RandomForestRegressor if numeric else RandomForestClassifier
    # One thread: trees that finish in another order would add up to another last digit.
    forest = forest_type(n_estimators=100, min_samples_leaf=3, random_state=seed, n_jobs=1)
    target = known[name].iloc[rows].to_numpy(dtype=float if numeric else object)
    # Codes, since a forest takes text, dates and truth values alike only so; sorted, so ties fall to the smallest.
    answers = np.unique(target) if not numeric else np.array([])
    forest.fit(features[rows], target if numeric else np.searchsorted(answers, target))
    predicted = forest.predict(features[gaps])
    return np.asarray(predicted if numeric else answers[predicted])


def _encode(attributes: pd.DataFrame, learnt: np.ndarray) -> np.ndarray:
    """Attributes as float32 columns: numbers with NaN, everything else one-hot with missing as a value of its own.

    Which values are common enough for a column of their own is found out on the rows `learnt` from: a customer or item
    that only events name has no attribute, and however many of them come, what is filled in elsewhere stays.
    """
    numeric = [c for c in attributes.columns if is_numeric(attributes[c])]
    other = [c for c in attributes.columns if c not in numeric]
    blocks = [attributes[numeric].to_numpy(dtype=np.float32, na_value=np.nan)]
    if other:
        text = attributes[other].astype(object).where(attributes[other].notna(), "").astype(str)
        encoder = OneHotEncoder(
            max_categories=MAX_VALUES_PER_ATTRIBUTE,
            handle_unknown="infrequent_if_exist",
            sparse_output=False,
            dtype=np.float32,
        )
        blocks.append(encoder.fit(text.iloc[learnt]).transform(text))
    return np.hstack(blocks)


def _put(column: pd.Series, gaps: np.ndarray, values: object) -> pd.Series:
    """`column` with `values` (one, or one per gap) in its gaps; whole numbers stay whole where they can."""
    if not is_numeric(column):
        filled = column.astype(object)
        filled[gaps] = values
        return filled.astype(column.dtype)
    numbers = column.to_numpy(dtype=float, na_value=np.nan).copy()
    numbers[gaps] = values
    whole = pd.api.types.is_integer_dtype(column.dtype)
    if whole and isinstance(values, np.ndarray):
        numbers[gaps] = np.rint(numbers[gaps])
    if whole and not (numbers == np.rint(numbers)).all():
        return pd.Series(numbers, index=column.index, name=column.name)
    return pd.Series(numbers, index=column.index, name=column.name).astype(column.dtype)


def is_numeric(column: pd.Series) -> bool:
    """Numbers that can be averaged: a truth value cannot."""
    return pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype)


def _is_text(column: pd.Series) -> bool:
    """Text, or objects that are all text as far as they are known."""
    if pd.api.types.is_object_dtype(column.dtype):
        return pd.api.types.infer_dtype(column, skipna=True) in ("string", "empty")
    return pd.api.types.is_string_dtype(column.dtype)


def _is_value(value: str | float | None) -> bool:
    """Whether a constant is something, rather than nothing, NaN or blank."""
    return bool(value.strip()) if isinstance(value, str) else value is not None and math.isfinite(value)
