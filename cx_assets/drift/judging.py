"""Every figure of every day beside what was to be expected of it: the table of the stage.

Belongs here: which scale each kind of figure is judged on and how far it may stray. Does not: counting (`counting`),
predicting (`bounds`), or telling a person (`words`).
"""

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa

from cx_assets.drift.bounds import YOUNG_DAYS, predict
from cx_assets.drift.counting import LABELS
from cx_assets.drift.mix import Mix, mix

Transform = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Kind:
    """How a kind of figure is judged.

    Attributes:
        to: onto the scale on which it is predicted, and `back` from it.
        limit: how many scales it may stray from what is expected.
        least: the smallest scale that is believed: that of a normal noise that nobody would call a drift.
        noise: what the scale is at least with n rows, times the square root of n.
        lower: whether too little is an alarm as well as too much.
        room: below this, it is never too much.
    """

    to: Transform
    back: Transform
    limit: float
    least: float = 0.0
    noise: float = 0.0
    lower: bool = True
    room: float = 0.0


def _angle(share: np.ndarray) -> np.ndarray:
    return np.asarray(np.arcsin(np.sqrt(np.clip(share, 0, 1))))


def _share(angle: np.ndarray) -> np.ndarray:
    return np.asarray(np.sin(np.clip(angle, 0, np.pi / 2)) ** 2)


def _square(root: np.ndarray) -> np.ndarray:
    return np.asarray(np.maximum(root, 0) ** 2)


# Limits are fitted on generated years: `python -m cx_assets_tests.benchmarks.drift`.
KINDS: Final = {
    "volume": Kind(np.log1p, np.expm1, 4.0, least=0.05, noise=1.0),
    "duplicate share": Kind(_angle, _share, 4.5, least=0.02, noise=0.5, lower=False),
    "rejected share": Kind(_angle, _share, 4.5, least=0.02, noise=0.5, lower=False),
    "null share": Kind(_angle, _share, 4.5, least=0.01, noise=0.5, lower=False),
    "zero share": Kind(_angle, _share, 5.0, least=0.01, noise=0.5),
    "top share": Kind(_angle, _share, 5.0, least=0.01, noise=0.5),
    "distinct share": Kind(np.log, np.exp, 5.0, least=0.05, noise=1.0),
    "new share": Kind(_angle, _share, 5.0, least=0.06, noise=0.5),
    "new label share": Kind(_angle, _share, 5.0, least=0.02, noise=0.5, lower=False),
    "middle": Kind(np.log, np.exp, 5.0, least=0.03),
    "mix": Kind(np.sqrt, _square, 4.2, least=0.01, lower=False, room=0.1),
}
VANISHED_LIMIT: Final = 4.6
_NOTHING: Final = pa.schema(
    [
        ("day", pa.date32()),
        *((name, pa.string()) for name in ("column_name", "figure", "detail")),
        *((name, pa.float64()) for name in ("value", "expected", "low", "high")),
        ("alarm", pa.bool_()),
    ]
)
VANISHED: Final = "vanished"


def judge_figures(figures: pd.DataFrame, categories: pd.DataFrame) -> pd.DataFrame:
    """Every figure of every day with its bounds, from the days before it.

    Args:
        figures: of `counting.daily_figures`.
        categories: of `counting.daily_categories`.

    Returns:
        The columns of `drift.daily_figures`.
    """
    if figures.empty:
        return pd.DataFrame(_NOTHING.empty_table().to_pandas(types_mapper=pd.ArrowDtype))
    days = pd.date_range(figures["day"].min(), figures["day"].max())
    mixes = {name: (labels, mix(rows)) for name, (labels, rows) in _by_column(categories, days).items()}
    told = [figures, *(_psi(name, labels, found, days) for name, (labels, found) in mixes.items())]
    judged = [_judged(group, str(kind), days) for kind, group in _by_kind(pd.concat(told, ignore_index=True))]
    gone = [_vanished(name, *mixes[name], days) for name in LABELS if name in mixes]
    table = pd.concat([*judged, *gone], ignore_index=True)
    table = table.sort_values(["day", "column_name", "figure"], ignore_index=True)
    return table.assign(day=table["day"].dt.date)


def _by_column(categories: pd.DataFrame, days: pd.DatetimeIndex) -> dict[str, tuple[list[str], np.ndarray]]:
    """By column, the names of its categories and their counts on each day.

    Only categories that hold enough on two days can hold it on a median day; the others are one.
    """
    found = {}
    for name, group in categories.groupby("column_name"):
        share = group["count"] / group.groupby("day")["count"].transform("sum")
        often = group.loc[share >= 0.01, "category"].value_counts()
        label = group["category"].where(group["category"].isin(often.index[often >= 2]), "")
        named = pd.DataFrame({"label": label, "day": group["day"], "count": group["count"]})
        counts = named.pivot_table(index="label", columns="day", values="count", aggfunc="sum")
        counts = counts.reindex(columns=days).fillna(0)
        found[str(name)] = ([str(text) for text in counts.index], counts.to_numpy(dtype=np.float64))
    return found


def _by_kind(figures: pd.DataFrame) -> Iterator[tuple[Hashable, pd.DataFrame]]:
    """The figures of each of the `KINDS`: a new label is rarer than a new id, and tells more."""
    labels = (figures["figure"] == "new share") & figures["column_name"].isin(LABELS)
    yield from figures.groupby(figures["figure"].mask(labels, "new label share"))


def _judged(figures: pd.DataFrame, name: str, days: pd.DatetimeIndex) -> pd.DataFrame:
    """The figures of one kind, each with its bounds."""
    kind, is_volume = KINDS[name], name == "volume"
    wide = figures.pivot_table(index=["column_name", "figure"], columns="day", values="value").reindex(columns=days)
    counts = figures.pivot_table(index=["column_name", "figure"], columns="day", values="rows").reindex(columns=days)
    values, rows = wide.to_numpy(dtype=np.float64), counts.to_numpy(dtype=np.float64)
    if is_volume:  # no event is a volume too; of nothing there is no share
        values, rows = np.nan_to_num(values), np.nan_to_num(rows)
    prediction = predict(kind.to(values))
    count = np.fmax(kind.back(prediction.expected), 1) if is_volume else np.fmax(rows, 1)
    # Where nothing is expected, scale and expectation are NaN, and `maximum` keeps it so: nothing is judged there.
    reach = kind.limit * np.maximum(np.maximum(prediction.scale, kind.least), kind.noise / np.sqrt(count))
    expected = kind.back(prediction.expected)
    high = np.maximum(kind.back(prediction.expected + reach), kind.room)
    low = kind.back(prediction.expected - reach) if kind.lower else np.where(np.isnan(high), np.nan, 0.0)
    table = pd.DataFrame(
        {
            "day": np.tile(days.to_numpy(), len(wide)),
            "column_name": np.repeat(wide.index.get_level_values("column_name"), len(days)),
            "figure": np.repeat(wide.index.get_level_values("figure"), len(days)),
            **{
                name: array.ravel()
                for name, array in (("value", values), ("expected", expected), ("low", low), ("high", high))
            },
        }
    ).dropna(subset=["value"])
    table["alarm"] = (table["value"] > table["high"]) | (table["value"] < table["low"])
    return table.merge(figures[["day", "column_name", "figure", "detail"]], "left", ["day", "column_name", "figure"])


def _psi(name: str, labels: list[str], found: Mix, days: pd.DatetimeIndex) -> pd.DataFrame:
    """The PSI of a column as a figure; `detail` names the three categories that make up most of it."""
    known = np.flatnonzero(np.isfinite(found.psi))
    share = found.share[:, known]
    usual = found.usual[:, known]
    moved = np.where(usual > 0, np.abs(share - usual), 0.0)
    details = []
    for column, order in enumerate(np.argsort(-moved, axis=0, kind="stable")[:3].T):
        told = [
            f"{labels[row]}: {usual[row, column]:.1%} to {share[row, column]:.1%}"
            for row in order
            if moved[row, column] > 0
        ]
        details.append("; ".join(told))
    return pd.DataFrame(
        {
            "day": days[known],
            "column_name": name,
            "figure": "mix",
            "value": np.maximum(found.psi[known], 0.0),
            "rows": 1.0,
            "detail": details,
        }
    )


def _vanished(name: str, labels: list[str], found: Mix, days: pd.DatetimeIndex) -> pd.DataFrame:
    """How many categories of a column vanished on each day, and which."""
    vanished = found.absence > VANISHED_LIMIT
    count = vanished.sum(axis=0)
    known = np.isfinite(found.psi)
    names = [
        ", ".join(f"{labels[row]} ({found.usual[row, day]:.1%})" for row in np.flatnonzero(gone)) or None
        for day, gone in zip(np.flatnonzero(known), vanished.T[known], strict=True)
    ]
    return pd.DataFrame(
        {
            "day": days[known],
            "column_name": name,
            "figure": VANISHED,
            "value": count[known].astype(np.float64),
            **dict.fromkeys(("expected", "low", "high"), np.where(np.flatnonzero(known) < YOUNG_DAYS, np.nan, 0.0)),
            "alarm": count[known] > 0,
            "detail": names,
        }
    )
