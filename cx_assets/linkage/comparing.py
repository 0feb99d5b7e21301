"""What linkage compares: values written alike, and by which of them two customers are compared at all.

Belongs here: spelling and blocking. Does not: how likely two customers are one (`scoring`). All of it is personal, so
it stays in memory.
"""

import re
import unicodedata
from collections.abc import Mapping
from datetime import date

import pandas as pd

from cx_assets.ingestion.merge_keys import normalised_email, normalised_phone
from cx_assets.merging import Compared, ComparedKind, compared_kind

MOST_ALIKE = 50
"""A value that more customers have, a town or a day that stands for none, brings nobody together."""


def compared_kinds(compare: Mapping[str, Compared]) -> dict[str, ComparedKind]:
    """The kind of each compared column, by its column in the frame of `compared_values`."""
    return {f"value_{name}": compared_kind(name, column) for name, column in compare.items()}


def compared_values(records: Mapping[str, Mapping[str, str]], compare: Mapping[str, Compared]) -> pd.DataFrame:
    """Customers with what is compared of them.

    Args:
        records: by customer, what was delivered of each column.
        compare: the columns.

    Returns:
        One row per customer, by id: customer_id, and per column `value_<name>`, as it is compared, and `block_<name>`,
        what two customers must have in common of it to be compared; all of them text, None where there is nothing.
    """
    customers = sorted(records)
    frame = pd.DataFrame({"customer_id": pd.Series(customers, dtype="object")})
    for name, column in compare.items():
        kind = compared_kind(name, column)
        delivered = (records[customer].get(name) for customer in customers)
        values = [None if text is None else _alike(text, kind, column.country) for text in delivered]
        blocks = pd.Series([None if value is None else _block(value, kind) for value in values], dtype="object")
        crowds = blocks.map(blocks.value_counts()) > MOST_ALIKE
        frame[f"value_{name}"] = pd.Series(values, dtype="object")
        frame[f"block_{name}"] = blocks.where(~crowds, None)
    return frame


def _alike(text: str, kind: ComparedKind, country: str | None) -> str | None:
    match kind:
        case "email":
            return normalised_email(text)
        case "phone":
            return normalised_phone(text, country)
        case "day":
            return _day(text.strip())
        case "name":
            # Whether the first name is told first is no difference.
            return " ".join(sorted(_words(text))) or None
        case "address":
            return " ".join(_words(text)) or None
        case "text":
            return unicodedata.normalize("NFKC", text).strip().casefold() or None


def _words(text: str) -> list[str]:
    """The words and numbers of a text, without case, accents and signs."""
    parts = unicodedata.normalize("NFKD", text).casefold()
    return re.findall(r"\w+", "".join(sign for sign in parts if not unicodedata.combining(sign)))


def _day(text: str) -> str | None:
    try:
        return date.fromisoformat(text[:10]).isoformat()
    except ValueError:
        return None


def _block(value: str, kind: ComparedKind) -> str:
    match kind:
        case "email":
            return value.partition("@")[0]
        case "name":
            return " ".join(word[:3] for word in value.split())
        case _:
            return value
