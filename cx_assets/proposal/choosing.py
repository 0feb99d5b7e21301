"""Which column is which part of an event, when each can be only one.

Belongs here: the choice and how sure it is, beside what else was possible. Does not: scores (`roles`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cx_assets.proposal.columns import Column
from cx_assets.proposal.roles import NAMES, Join, score

# Below this a guess is worse than none.
WORTH_SAYING = 0.3
# A rival within this distance makes a choice unsure, whatever its own score.
CLOSE = 0.1
CONTESTED = 0.6


@dataclass(frozen=True)
class Choice:
    """The column that was chosen for a part.

    Attributes:
        column: the column.
        sureness: 0 to 1.
        others: names of columns that are nearly as likely.
    """

    column: Column
    sureness: float
    others: tuple[str, ...] = ()

    @property
    def doubt(self) -> str:
        """What else it could be, a sentence with a blank after it; nothing if there are no rivals."""
        return f"It could also be {' or '.join(self.others)}. " if self.others else ""


def chosen(
    columns: Sequence[Column], joins: Mapping[tuple[str, str], Join], parts: Sequence[str] = tuple(NAMES)
) -> dict[str, Choice]:
    """A column for each part that one fits, the surest first; no column is two parts.

    Args:
        columns: of one group of files.
        joins: by part and column name.
        parts: of an event, those to look for.
    """
    scores = {(part, column.name): score(part, column, joins) for part in parts for column in columns}
    by_name = {column.name: column for column in columns}
    order = {column.name: number for number, column in enumerate(columns)}
    # Of two that fit as well, the one that tells the time of day too.
    days = {column.name for column in columns if column.time is not None and not column.time.clock}
    left = sorted(scores, key=lambda key: (-scores[key], parts.index(key[0]), key[1] in days, order[key[1]]))
    found: dict[str, Choice] = {}
    taken: set[str] = set()
    for part, name in left:
        if part in found or name in taken or scores[part, name] < WORTH_SAYING:
            continue
        rivals = [
            other
            for other in by_name
            if other not in taken | {name} and scores[part, other] >= max(WORTH_SAYING, scores[part, name] - CLOSE)
        ]
        sureness = min(scores[part, name], CONTESTED) if rivals else scores[part, name]
        found[part] = Choice(by_name[name], sureness, tuple(rivals))
        taken.add(name)
    # A rival that has found a part of its own is none any more.
    return {
        part: choice
        if not choice.others or set(choice.others) - _elsewhere(found, part, scores)
        else Choice(choice.column, scores[part, choice.column.name])
        for part, choice in found.items()
    }


def _elsewhere(found: Mapping[str, Choice], part: str, scores: Mapping[tuple[str, str], float]) -> set[str]:
    return {
        choice.column.name
        for other, choice in found.items()
        if other != part and scores[other, choice.column.name] > scores[part, choice.column.name]
    }  # fmt: skip
