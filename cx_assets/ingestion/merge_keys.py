"""Merge keys: what makes two spellings of an e-mail address or a phone number equal, and what is kept of them.

Belongs here: normalising, and turning values into numbers. Does not: who is merged (`warehouse.merges`).

Of a key only its number within the delivery is stored: equal for equal values, and telling nothing else. A hash would
be of no more use, since keys are only ever compared with each other, and phone numbers are few enough to try them all.
With a part `privacy` a key is compared as a pseudonym of its normal spelling (`privacy.mapping`), so that its text
isn't in the rows at all.
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import TYPE_CHECKING

import phonenumbers

from cx_assets.dataset import Dataset
from cx_assets.merging import MergeKey, key_kind

if TYPE_CHECKING:
    import pyarrow as pa


def column_of(name: str) -> str:
    """The column of `ingestion.raw_customers` that holds a key's numbers."""
    return f"{name}_key"


def numbered(rows: "pa.Table", dataset: Dataset) -> "pa.Table":
    """Delivered rows of customers with every key replaced by its number.

    Args:
        rows: with a column per key, called as `column_of` says: its text or, with a part `privacy`, its pseudonym.
        dataset: for its keys.

    Returns:
        The same rows; a key is int64: the number, from 1, of the first row that has an equal one, null where there is
        none or it can't be read.
    """
    import pyarrow as pa

    for name, key in dataset.merge_keys().items():
        told = key if dataset.privacy is None else MergeKey(expression=key.expression, kind="text")
        at = rows.column_names.index(column_of(name))
        numbers = key_numbers(rows.column(at).to_pylist(), name, told)
        rows = rows.set_column(at, column_of(name), pa.array(numbers, pa.int64()))
    return rows


def key_numbers(values: Iterable[str | None], name: str, key: MergeKey) -> list[int | None]:
    """For each value the place, from 1, of the first equal one; None for one that can't be compared."""
    normal: dict[str, str | None] = {}
    first: dict[str, int] = {}
    numbers: list[int | None] = []
    for place, value in enumerate(values, start=1):
        if value is None:
            numbers.append(None)
            continue
        if value not in normal:
            normal[value] = normalised(value, name, key)
        text = normal[value]
        numbers.append(None if text is None else first.setdefault(text, place))
    return numbers


def normalised(value: str, name: str, key: MergeKey) -> str | None:
    """A value as it is compared; None when it is no e-mail address, no phone number, or blank."""
    match key_kind(name, key):
        case "email":
            return normalised_email(value, key.ignore_dots, key.ignore_plus)
        case "phone":
            return normalised_phone(value, key.country)
        case "text":
            return unicodedata.normalize("NFKC", value).strip() or None


def normalised_email(value: str, ignore_dots: Iterable[str] = (), ignore_plus: Iterable[str] = ()) -> str | None:
    """An e-mail address in lower case, trimmed, in Unicode NFKC; None if it isn't one.

    Letter case before the @ could matter by RFC 5321, and does with no provider of note. Dots and plus tags do matter
    with most, so they are dropped only with the providers named.
    """
    text = unicodedata.normalize("NFKC", value).strip().lower()
    found = re.fullmatch(r"([^@\s]+)@([^@\s]+\.[^@\s.]+)", text)
    if not found:
        return None
    local, domain = found[1], found[2]
    if domain in ignore_plus:
        local = local.partition("+")[0]
    if domain in ignore_dots:
        local = local.replace(".", "")
    return f"{local}@{domain}" if local else None


def normalised_phone(value: str, country: str | None = None) -> str | None:
    """A phone number in international form (RFC 3966, with its extension); None if it can't be one.

    Args:
        value: as delivered, with any spaces, brackets and dashes.
        country: of a number without a country's prefix; without it such a number is None, since the same digits are
            somebody else's in another country.
    """
    try:
        number = phonenumbers.parse(unicodedata.normalize("NFKC", value), country)
    except phonenumbers.NumberParseException:
        return None
    # "Possible" includes numbers that are dialled inside a town only, of which each town has its own.
    if phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.RFC3966)
