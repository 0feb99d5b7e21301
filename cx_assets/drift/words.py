"""What is said about a figure that strayed: which column and day, what was expected, what came, where to look.

Belongs here: sentences. Does not: which figures stray (`judging`) or which days are told about (`checks`).
"""

from datetime import date
from typing import Final

import pandas as pd

ADVICE: Final = {
    "volume": "look whether a file of the day is missing, cut short or delivered twice",
    "duplicate share": "look whether the export was written twice",
    "rejected share": "see warehouse.rejected_events of the day for reasons, files and rows",
    "null share": "look whether the export still fills the column, under the same name",
    "distinct share": "look whether the column was filled with a constant, or ids were cut or made anew",
    "new share": "look whether ids or names changed; if they are meant to be new, there is nothing to do",
    "zero share": "look whether the export still fills the column with its numbers",
    "top share": "look whether the column was filled with a constant",
    "middle": "look whether the unit, the currency or the decimal sign changed",
    "mix": "look whether values were swapped, renamed or put under another code",
    "vanished": "look whether its files arrived",
}
SHARES: Final = (
    "duplicate share",
    "rejected share",
    "null share",
    "zero share",
    "top share",
    "distinct share",
    "new share",
)


def tell(figure: pd.Series) -> str:
    """A figure that strayed, in one sentence.

    Args:
        figure: a row of `drift.daily_figures` that has an expected value.
    """
    kind = str(figure["figure"])
    subject = f"{_day(figure['day'])}, {figure['column_name']}: "
    detail = f" [{figure['detail']}]" if isinstance(figure["detail"], str) and figure["detail"] else ""
    advice = ADVICE[kind]
    if kind == "vanished":
        return f"{subject}{figure['value']:.0f} vanished{detail}; {advice}."
    came, expected, low, high = (_number(kind, figure[name]) for name in ("value", "expected", "low", "high"))
    name = "mix has changed, by PSI" if kind == "mix" else kind
    return f"{subject}{name} {came}, expected {expected} ({low} to {high}){detail}; {advice}."


def _day(day: date) -> str:
    return f"{day:%A %Y-%m-%d}"


def _number(kind: str, value: float) -> str:
    if kind in SHARES:
        return f"{value:.2%}"
    return f"{value:,.0f}" if kind == "volume" else f"{value:,.3g}"
