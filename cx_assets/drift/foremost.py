"""Which alarms are told where there is no room for all.

Belongs here: how far a figure strayed, and the order of alarms. Does not: sentences (`words`), or which days a check is
about (`checks`). A noisy day has many alarms, and must not push out the one of another.
"""

import numpy as np
import pandas as pd

TIES = ["column_name", "figure"]


def foremost(alarms: pd.DataFrame, most: int) -> pd.DataFrame:
    """The alarms to tell, in order: the first of each day, the newest day first, then the strongest of the others.

    The first of a day is its volume where that strays, for shares of half a day say little; else its strongest.
    Where there are more days than room, those with the strongest are told.

    Args:
        alarms: rows of `drift.daily_figures` that are alarms.
        most: how many may be told.
    """
    ranked = alarms.assign(strength=strength(alarms), other=alarms["figure"] != "volume")
    ranked = ranked.sort_values(
        ["day", "other", "strength", *TIES], ascending=[False, True, False, True, True], kind="stable"
    )
    later = ranked.duplicated("day")
    first, others = ranked[~later], ranked[later]
    told = first.sort_values("strength", ascending=False, kind="stable").head(most)
    told = told.sort_values("day", ascending=False, kind="stable")
    others = others.sort_values(["strength", "day", *TIES], ascending=[False, False, True, True], kind="stable")
    return pd.concat([told, others.head(most - len(told))])[alarms.columns]


def strength(alarms: pd.DataFrame) -> pd.Series:
    """How far each figure strayed from what was expected, in distances of the bound that it broke.

    What can be measured so is above 1. What has no bounds, such as categories that vanished, is just out of them: 1.
    """
    bound = alarms["high"].where(alarms["value"] > alarms["high"], alarms["low"])
    strayed, allowed = (alarms["value"] - alarms["expected"]).abs(), (bound - alarms["expected"]).abs()
    return (strayed / allowed.replace(0.0, np.nan)).fillna(1.0)
