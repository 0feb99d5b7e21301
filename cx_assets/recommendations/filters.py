"""Business filters: what a retailer won't have offered, whatever a recommender thinks of it.

Belongs here: the filters as one value, which items of a catalogue they let through, and the report of what each of them
took away. Does not: choosing the places of lists by them (`composition`) or setting them (`config`).

A filter that names what the catalogue doesn't have is refused: a misspelt category would otherwise go on being offered.
One that names what is there and takes nothing away is reported with 0, so that an operator sees that it is on and idle.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cx_assets.similarity.content import UNKNOWN

# Columns of the items table that have a filter of their own, or are what the filters decide.
NO_ATTRIBUTE = {
    "item_id": "name items in unavailable",
    "category": "name categories in excluded_categories",
    "recommendable": "what isn't recommendable is never offered",
}

# A list of what is out of stock may be off by thousands of ids; the first few tell what is wrong with it.
SHOWN = 3


@dataclass(frozen=True)
class Filters:
    """What a retailer won't have in a list. By default nothing is filtered.

    Attributes:
        excluded_categories: categories of which nothing is offered.
        excluded: pairs of an item attribute and a value, as ("brand", "Private"); what has the value isn't offered.
            Values are compared as text: true and false, whole numbers without a decimal point, days as 2024-01-31.
        unavailable: ids of items that can't be had now.
        per_category: places of one list that one category may take, or None for any number.
        min_new: places of a list composed of both kinds that go to items the customer hasn't had, as far as there are
            candidates.

    Raises:
        ValueError: if a number is out of bounds, or a name is blank, there twice, or not in a tuple.
    """

    excluded_categories: tuple[str, ...] = ()
    excluded: tuple[tuple[str, str], ...] = ()
    unavailable: tuple[str, ...] = ()
    per_category: int | None = None
    min_new: int = 0

    def __post_init__(self) -> None:
        for field in ("excluded_categories", "excluded", "unavailable"):
            _require_names(field, getattr(self, field))
        for pair in self.excluded:
            _require_names("excluded", pair, distinct=False)
            if len(pair) != 2:
                raise ValueError(f"excluded: {pair!r} is not an attribute and a value")
        if self.per_category is not None and self.per_category < 1:
            raise ValueError(f"per_category must be at least 1, or None for no limit; it is {self.per_category}")
        if self.min_new < 0:
            raise ValueError(f"min_new must be at least 0; it is {self.min_new}")


@dataclass(frozen=True)
class Removal:
    """What one filter took away.

    Attributes:
        name: of the filter, as the field of `Filters` is called.
        what: the category, attribute and value, or limit that it names.
        level: items of the catalogue, or places of lists.
        removed: how many of them; 0 for a filter that is on and takes nothing away.
    """

    name: str
    what: str
    level: Literal["items", "places"]
    removed: int


@dataclass(frozen=True)
class FilterReport:
    """What every filter that is on took away, in the order in which they are applied."""

    removals: tuple[Removal, ...] = ()

    def with_places(self, filters: Filters, *, capped: int = 0, gave_way: int = 0) -> FilterReport:
        """The same report, and what the filters of lists did.

        Args:
            filters: those of the lists; one that is off gets no row.
            capped: places that `per_category` took away.
            gave_way: places that items had before gave up for `min_new`.
        """
        added = []
        if filters.per_category is not None:
            what = f"at most {filters.per_category} of one category in a list"
            added.append(Removal("per_category", what, "places", capped))
        if filters.min_new:
            what = f"at least {filters.min_new} new in a list of both"
            added.append(Removal("min_new", what, "places", gave_way))
        return FilterReport((*self.removals, *added))

    def frame(self) -> pd.DataFrame:
        """A row per filter and what it names: filter, what, level (items or places), removed (int64)."""
        rows = [(r.name, r.what, r.level, r.removed) for r in self.removals]
        return pd.DataFrame(rows, columns=["filter", "what", "level", "removed"]).astype({"removed": np.int64})


def allowed_items(items: pd.DataFrame, filters: Filters) -> tuple[NDArray[np.bool_], FilterReport]:
    """Which items may be offered: those that are recommendable and that no filter names.

    Args:
        items: one row per item: item_id, category, recommendable and attributes; in any order.
        filters: what not to offer.

    Returns:
        bool of shape (items,), in the order of the rows; `items.assign(recommendable=...)` puts it where all ranking
        looks. And how many recommendable items each filter removed. An item that several name is counted at the first,
        so what was removed and what is allowed add up to what was recommendable.

    Raises:
        ValueError: if a filter names a category, an attribute, a value or an item that isn't in `items`; the message
            names the first few of each filter, and what may have been meant.
    """
    complaints = list(_complaints(items, filters))
    if complaints:
        raise ValueError("\n".join(complaints))
    allowed = items["recommendable"].to_numpy(dtype=bool, copy=True)
    removals = []
    for name, what, named in _named(items, filters):
        removals.append(Removal(name, what, "items", int((allowed & named).sum())))
        allowed &= ~named
    return allowed, FilterReport(tuple(removals))


def category_codes(items: pd.DataFrame) -> NDArray[np.intp]:
    """The category of every item as a number, as the limit per category wants it.

    Args:
        items: one row per item, with category.

    Returns:
        Shape (items,), from 0; -1 where the category isn't known, since two unknowns needn't be alike.
    """
    known = items["category"].mask(items["category"].isin(UNKNOWN))
    return pd.factorize(known, sort=True)[0].astype(np.intp)


def _named(items: pd.DataFrame, filters: Filters) -> Iterator[tuple[str, str, NDArray[np.bool_]]]:
    """Of every filter of items its name, what it names, and which items that is: bool of shape (items,)."""
    for category in filters.excluded_categories:
        yield "excluded_categories", category, _has(items["category"], category)
    for attribute, value in filters.excluded:
        yield "excluded", f"{attribute} = {value}", _has(items[attribute], value)
    if filters.unavailable:
        named = items["item_id"].isin(filters.unavailable).to_numpy(dtype=bool)
        yield "unavailable", f"{len(filters.unavailable):,} item ids", named


def _has(column: pd.Series, value: str) -> NDArray[np.bool_]:
    codes, values = pd.factorize(column)
    # A missing value has the code -1, which no text has.
    return np.isin(codes, [code for code, known in enumerate(values) if _text(known) == value])


def _text(value: Any) -> str:
    """A value of an attribute as an operator writes it."""
    if isinstance(value, (bool, np.bool_)):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        # A column of whole numbers becomes one of floats when a value is missing.
        return str(int(value))
    return str(value).removesuffix(" 00:00:00")


def _complaints(items: pd.DataFrame, filters: Filters) -> Iterator[str]:
    """A sentence for every name that isn't in the items table, the first few of each filter."""
    yield from _unknown("excluded_categories: no category", filters.excluded_categories, items["category"])
    attributes = [c for c in items.columns if c not in NO_ATTRIBUTE and not c.endswith("_imputed")]
    asked: dict[str, list[str]] = {}
    for attribute, value in filters.excluded:
        asked.setdefault(attribute, []).append(value)
    for attribute, values in asked.items():
        if attribute in NO_ATTRIBUTE:
            yield f"excluded: {attribute} is no attribute: {NO_ATTRIBUTE[attribute]}."
        elif attribute in items.columns:
            yield from _unknown(f"excluded.{attribute}: no item has", values, items[attribute])
        else:
            yield f"excluded: items have no {attribute!r}.{_near(attribute, attributes)}"
    yield from _unknown("unavailable: no item", filters.unavailable, items["item_id"])


def _unknown(complaint: str, names: Sequence[str], column: pd.Series) -> Iterator[str]:
    if not names:
        return
    known = {_text(value) for value in column.dropna().unique()}
    unknown = [name for name in names if name not in known]
    nearest = sorted(known) if unknown else []
    for name in unknown[:SHOWN]:
        yield f"{complaint} {name!r}.{_near(name, nearest)}"
    if len(unknown) > SHOWN:
        yield f"{complaint.partition(':')[0]}: {len(unknown) - SHOWN:,} more names are unknown."


def _near(name: str, names: list[str]) -> str:
    """A sentence with the nearest of `names`; a catalogue has too many to list them all when none is near."""
    near = difflib.get_close_matches(name, names, n=1)
    if near:
        return f" Did you mean {near[0]!r}?"
    if len(names) > SHOWN:
        return f" There are {len(names):,}, {', '.join(map(repr, names[:SHOWN]))} among them."
    return f" There is: {', '.join(names)}." if names else " There is none."


def _require_names(field: str, names: object, *, distinct: bool = True) -> None:
    # A text is a sequence too: of letters, each of which would be taken for a name.
    if not isinstance(names, tuple):
        raise ValueError(f"{field} must be a tuple; it is {names!r}")
    if any(isinstance(name, str) and not name.strip() for name in names):
        raise ValueError(f"{field} has a blank name")
    if distinct and len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{field} has {twice!r} twice")
