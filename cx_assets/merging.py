"""What a manifest may say about customers who were delivered twice: by which keys they are found, which are applied.

Belongs here: the keys' declaration. Does not: comparing them (`ingestion.merge_keys`) or merging (`warehouse.merges`).
"""

from typing import Annotated, Any, Literal

import phonenumbers
from pydantic import AfterValidator, Field, model_validator

from cx_assets.manifest import Part

KeyKind = Literal["email", "phone", "text"]


def _country(code: str) -> str:
    if code not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError(f"{code} is no country: write its two letters, as DE or US")
    return code


class MergeKey(Part):
    """A key that customers who are one person share: an e-mail address, a phone number, a card."""

    expression: str = Field(description="SQL over the source's columns.")
    kind: KeyKind | None = Field(
        default=None, description="How it is compared. Left out: a key called email or phone as such, another as text."
    )
    country: Annotated[str, AfterValidator(_country)] | None = Field(
        default=None, description="Of phones: the country of numbers without a prefix, as DE; without it they aren't."
    )
    ignore_dots: tuple[str, ...] = Field(
        default=(), description="Of e-mails: the providers to whom a.b@ and ab@ are the same box, as gmail.com."
    )
    ignore_plus: tuple[str, ...] = Field(
        default=(), description="Of e-mails: the providers to whom ab+shop@ and ab@ are the same box."
    )

    @model_validator(mode="before")
    @classmethod
    def _only_an_expression(cls, value: Any) -> Any:
        return {"expression": value} if isinstance(value, str) else value


class MergeCustomers(Part):
    """Which keys make two customers one: a person's decision, taken back by removing it."""

    by: Annotated[tuple[str, ...], Field(min_length=1)] = Field(description="Names of customers.merge_keys.")
    at_most: int = Field(
        default=4, ge=2, description="A key that more customers share, a family's or a shop's own, merges nobody."
    )


def key_kind(name: str, key: MergeKey) -> KeyKind:
    """How a key is compared: as declared, or as its name says."""
    if key.kind is not None:
        return key.kind
    return "email" if name == "email" else "phone" if name == "phone" else "text"
