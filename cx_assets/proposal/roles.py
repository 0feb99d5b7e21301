"""How well a column fits a part: the customer, the item, the time, the value of an event.

Belongs here: the score of one column for one part, from its name, its values and how it joins. Does not: choosing among
columns (`choosing`) or what a manifest says of them (`events`, `masters`).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from cx_assets.proposal.columns import Column
from cx_assets.proposal.words import event_type_meant, own_event_type

# By part: names that speak for it, as (what the name speaks of, what it must not speak of, how sure that makes).
# The first that fits counts.
NAMES: dict[str, tuple[tuple[str, str, float], ...]] = {
    "customer_id": (
        ("customer id", "name line email phone given category", 0.95),
        ("customer email", "", 0.5),
        ("customer", "name time type category status rating given town postcode address store brand quantity", 0.8),
        ("email", "", 0.4),
    ),
    "item_id": (
        ("item id", "name category type line money quantity brand status", 0.95),
        ("item", "name category type money quantity brand time status rating unit", 0.8),
        ("item name", "category type money brand", 0.45),
    ),
    "basket_id": (
        ("order id", "time line status type money customer", 0.95),
        ("order", "time status type money quantity line customer rating item", 0.75),
    ),
    "event_id": (
        ("line id", "customer item time", 0.9),
        ("event id", "customer item time", 0.9),
        ("line", "customer item time money quantity", 0.7),
        ("order id", "customer item time", 0.5),
        ("id", "customer item time store campaign brand category", 0.6),
    ),
    "occurred_at": (
        ("order time", "birth later", 0.95),
        ("event time", "birth later", 0.95),
        ("rating time", "birth later", 0.95),
        ("time", "birth later campaign", 0.85),
        ("time later", "birth campaign", 0.35),
        ("later", "birth id tax money campaign", 0.25),
    ),
    "event_type": (("event type", "", 0.95), ("event name", "", 0.9), ("type", "item", 0.6), ("event", "id time", 0.6)),
    "quantity": (("quantity", "money id time", 0.95),),
    "value": (
        ("money whole", "unit tax id", 0.95),
        ("money", "unit tax id", 0.75),
        ("money unit", "tax id", 0.45),
    ),
    "rating": (("rating", "time id customer item", 0.9), ("rating", "time id", 0.6)),
    "store_id": (("store id", "line", 0.95), ("store", "time money quantity", 0.75)),
}
IDS = ("customer_id", "item_id", "basket_id", "event_id", "store_id")
# A share of values found among the ids of master data below which the two have nothing to do with each other.
JOINED = 0.5
# What a column with one value throughout is worth as an id: enough for one that is outright called so.
ALONE = 0.35
# What names nothing but is shaped as a part should be.
NAMELESS = {"occurred_at": 0.5, "event_type": 0.1}


@dataclass(frozen=True)
class Join:
    """How a column of events finds its ids in master data.

    Attributes:
        share: of the column's different values that are ids there.
        telling: whether that can't be chance, as with small whole numbers that are ids everywhere.
        whole: whether all of the master data was looked at, so that what isn't there is missing.
    """

    share: float
    telling: bool
    whole: bool = True


def name_score(part: str, column: Column) -> float:
    """What the name alone says, 0 to 1."""
    for wanted, unwanted, score in NAMES[part]:
        if set(wanted.split()) <= column.concepts and not set(unwanted.split()) & column.concepts:
            return score
    return NAMELESS.get(part, 0.0)


def value_score(part: str, column: Column) -> float:
    """Whether the values could be of the part at all, 0 to 1: a factor on what else speaks for it."""
    number = column.number
    if column.filled == 0:
        return 0.0
    if part in IDS:
        return _as_id(part, column)
    match part:
        case "occurred_at":
            return 0.0 if column.time is None else 1.0 if column.time.epoch == "" or _named(part, column) else 0.7
        case "event_type":
            known = [value for value in column.few if event_type_meant(value) or own_event_type(value)]
            return (0.3 + 0.7 * len(known) / len(column.few)) if column.few and column.text else 0.0
        case "quantity":
            return 0.0 if number is None else 1.0 if number.whole or abs(number.high) < 1000 else 0.5
        case "value":
            return 0.0 if number is None else 1.0 if not number.whole else 0.8
        case "rating":
            scale = number is not None and number.low >= 0 and number.high <= 100 and column.distinct <= 21
            return 1.0 if scale else 0.0
    return 0.0


def _named(part: str, column: Column) -> bool:
    return name_score(part, column) > NAMELESS.get(part, 0.0)


def _as_id(part: str, column: Column) -> float:
    if (column.time is not None and not column.time.epoch) or column.clock:
        return 0.0
    if column.number is not None and not column.number.whole:
        # Digits with a point between them may be an id that is outright called so, as those of web analytics.
        texts = column.type == "VARCHAR" and not column.number.negative
        return 0.8 if texts and name_score(part, column) > 0.9 else 0.0
    if column.number is not None and column.number.negative:
        return 0.2
    if part == "event_id":
        return 1.0 if column.unique else 0.0
    if part == "store_id":
        return 1.0 if column.distinct <= 1_000 else 0.0
    # Of a few rows nobody can say whether ids repeat.
    repeats = column.distinct < column.rows * column.filled or column.rows < 50
    return (1.0 if repeats or part == "basket_id" else 0.5) * (1.0 if column.distinct > 1 else ALONE)


def score(part: str, column: Column, joins: Mapping[tuple[str, str], Join]) -> float:
    """How sure it is that a column is the part, from its name, its values and its joins together.

    Args:
        part: a canonical column of events.
        column: a delivered one.
        joins: by part and column name, for `customer_id` and `item_id` where there are master data.
    """
    named, possible = name_score(part, column), value_score(part, column)
    join = joins.get((part, column.name))
    joined = 0.0
    if join is not None and join.share >= JOINED:
        joined = join.share * (0.95 if join.telling else 0.5)
    elif join is not None and join.whole:
        # There are master data, and the column's values are not in them.
        possible *= 0.8
    if part == "event_type" and column.few and column.text:
        known = [value for value in column.few if event_type_meant(value) or own_event_type(value)]
        meant = len(known) / len(column.few)
        named = max(named, 0.8 * meant if len(column.few) > 1 else 0.4 * meant)
    return possible * (1 - (1 - named) * (1 - joined))
