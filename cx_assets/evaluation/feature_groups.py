"""The ranker's features by what they are about, so that it can be asked what each group adds.

Belongs here: which group a feature is in, by its name. Does not: making features (`recommendations.features`).
"""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

TASTE = "taste"

# In this order: a customer's price is about prices, and only what remains is about the customer.
PATTERNS = {
    "price": ("price", "price_*", "*_price", "item_price_*"),
    "customer": ("customer_*",),
    "item": ("item_*",),
    "store": ("store_*",),
    "neighbours": ("ease", "neighbours", "neighbours_*", "content"),
    "due": ("due", "due_*", "lateness", "span_share", "stocked", "baskets_expected"),
    "baskets": ("*baskets_ago", "faded_baskets_*", "basket_rate"),
    "own history": ("times", "times_*", "*_age", "gap", "gap_*", "quantity", "*_quantity", "place", "faded_*"),
}

MEANINGS = {
    "own history": "what the customer did with the item: how often, how lately, how evenly",
    "baskets": "the same counted in baskets rather than days",
    "due": "whether it is time again",
    "taste": "what the customer did with all items of the same category, brand or other attribute",
    "neighbours": "what similar customers and items say: neighbours, EASE, content",
    "customer": "how the customer shops",
    "item": "how the item sells",
    "price": "what it costs, and what the customer usually pays",
    "store": "what sells in the customer's own stores",
}
"""All groups, in the order of the report."""

GROUPS = tuple(MEANINGS)

# Every attribute has these, and nothing else has all of them.
_OF_ATTRIBUTES = ("_share", "_variety", "_loyalty")


def grouped(names: Sequence[str]) -> dict[str, list[str]]:
    """The features of each group, every feature in exactly one.

    Args:
        names: of all features of a `FeatureMaker`; which of them are about attributes is told from one another.

    Raises:
        LookupError: if a feature belongs in no group.
    """
    known = set(names)
    shares = [name.removesuffix("_share") for name in names if name.endswith("_share")]
    attributes = [stem for stem in shares if all(stem + ending in known for ending in _OF_ATTRIBUTES)]
    found: dict[str, list[str]] = {group: [] for group in GROUPS}
    for name in names:
        found[_group(name, attributes)].append(name)
    return found


def _group(name: str, attributes: Sequence[str]) -> str:
    if any(name.startswith(f"{attribute}_") for attribute in attributes):
        return TASTE
    for group, patterns in PATTERNS.items():
        if any(fnmatchcase(name, pattern) for pattern in patterns):
            return group
    raise LookupError(f"the feature {name!r} is in no group: name one in cx_assets/evaluation/feature_groups.py")
