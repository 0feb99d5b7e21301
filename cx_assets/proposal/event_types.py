"""What was done: the type of the events of a file.

Belongs here: the expression for it, from a column's words or from the file's name, and types that a manifest must
declare. Does not: the words (`words`).
"""

import re
from collections.abc import Mapping

from cx_assets.proposal.choosing import Choice
from cx_assets.proposal.columns import Column
from cx_assets.proposal.groups import Group
from cx_assets.proposal.guesses import Guess
from cx_assets.proposal.words import concepts, event_type_meant, own_event_type, taken_back
from cx_assets.table.schema import literal

MEANINGS = {
    "like": "An item was liked",
    "share": "An item was shared",
    "download": "An item was downloaded",
    "bookmark": "An item was kept for later",
    "follow": "An item was followed",
    "comment": "An item was commented on",
}
ADVICE = "Every row of the file is of this type: purchase, view, cart, rating, or one of your own under event_types:."


def type_guess(pick: Choice | None, picks: Mapping[str, Choice], group: Group) -> Guess:
    """The event type: a column whose values mean types, or one type for the whole file."""
    if pick is not None and any(_meant(value) for value in pick.column.few):
        return _by_column(pick, pick.column)
    name = group.title
    kind, sureness, why = _by_file(name, picks)
    return Guess("event_type", literal(kind), (), (), sureness, f"{why} {ADVICE}".strip())


def own_types(guess: Guess) -> tuple[str, ...]:
    """The types of a guess that a manifest must declare."""
    return tuple(name for name in MEANINGS if name in re.findall("'([a-z]+)'", guess.expression))


def _meant(value: str) -> str | None:
    return event_type_meant(value) or own_event_type(value)


def _by_column(pick: Choice, column: Column) -> Guess:
    meant = {value: _meant(value) for value in column.few}
    if all(value == event_type_meant(value) for value in meant):
        return Guess("event_type", column.sql, (column.name,), column.examples, pick.sureness)
    whens = " ".join(
        f"when {literal(value.lower())} then {literal(kind)}" for value, kind in meant.items() if kind is not None
    )
    unknown = [value for value, kind in meant.items() if kind is None]
    check = "Each delivered word as purchase, view, cart or rating, or as one of your own under event_types:. "
    if unknown:
        check += (
            f"Nothing is known of {', '.join(map(repr, unknown))}: such rows are rejected until a 'when' says what "
            "they mean. "
        )
    expression = f"case lower(trim({column.sql})) {whens} else {column.sql} end"
    sureness = pick.sureness * (0.9 if not unknown else 0.6)
    return Guess("event_type", expression, (column.name,), column.few[:4], sureness, check + pick.doubt)


def _by_file(name: str, picks: Mapping[str, Choice]) -> tuple[str, float, str]:
    """The type of all rows of a file, how sure it is, and what speaks for it or against it."""
    word, own = event_type_meant(name), own_event_type(name)
    if "rating" in picks and not {"quantity", "value"} & picks.keys():
        return "rating", picks["rating"].sureness, ""
    if taken_back(name):
        return "purchase", 0.3, (
            "The file's name speaks of what was taken back. Such rows are no purchases: leave the file out, or see "
            "returns in template.yaml."
        )  # fmt: skip
    if "value" in picks or word == "purchase":
        return "purchase", 0.9 if "order" in concepts(name) or "value" in picks else 0.7, ""
    if word == "rating":
        return (
            word,
            0.4,
            "The file's name says so, but no column tells the rating, without which such rows are rejected.",
        )
    if word is not None:
        return word, 0.5 if "quantity" in picks else 0.7, "The file's name says so."
    if own is not None:
        return own, 0.5, "The file's name says so; it is declared under event_types:, where its weight is to be chosen."
    if "quantity" in picks:
        return "purchase", 0.7, ""
    return "purchase", 0.4, "Nothing tells what was done."
