"""What a manifest may say about customers who were delivered twice: by which keys they are found, which are applied.

Belongs here: the declaration of keys and of what linkage compares. Does not: comparing (`ingestion.merge_keys`,
`linkage`) or merging (`warehouse.merges`).
"""

from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import phonenumbers
from pydantic import AfterValidator, Field, StringConstraints, field_validator, model_validator

from cx_assets.manifest import Part

KeyKind = Literal["email", "phone", "text"]
ComparedKind = Literal["name", "email", "phone", "day", "address", "text"]


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


class Compared(Part):
    """A column that linkage compares: of customers who are one person it is alike, if not the same."""

    expression: str = Field(description="SQL over the columns of the customers' source.")
    kind: ComparedKind | None = Field(
        default=None,
        description="How alike is told: by spelling (name, email, phone, address), by the digits of a day, or not at "
        "all (text). Left out: a column called as a kind is of that kind, another is text.",
    )
    country: Annotated[str, AfterValidator(_country)] | None = Field(
        default=None, description="Of phones, as of merge keys: the country of numbers without a prefix."
    )

    @model_validator(mode="before")
    @classmethod
    def _only_an_expression(cls, value: Any) -> Any:
        return {"expression": value} if isinstance(value, str) else value


class Linkage(Part):
    """Merging customers who are likely one person, if that is better than their keys alone on pairs that are known."""

    labels: str = Field(
        description="A CSV file beside the manifest: customer_a, customer_b, same (yes or no), a pair per line."
    )
    compare: Annotated[
        dict[Annotated[str, StringConstraints(pattern="^[a-z][a-z0-9_]*$")], Compared], Field(min_length=2)
    ] = Field(description="What is compared, by name.")
    least_precision: float = Field(
        default=0.9,
        gt=0,
        lt=1,
        description="The share of right merges that must be sure: the lower end of its interval.",
    )

    @field_validator("labels")
    @classmethod
    def _relative(cls, value: str) -> str:
        if not value.strip() or Path(value).is_absolute():
            raise ValueError("a path from the manifest's folder, such as labelled_pairs.csv")
        return value


class MergeCustomers(Part):
    """Which keys make two customers one: a person's decision, taken back by removing it."""

    by: Annotated[tuple[str, ...], Field(min_length=1)] = Field(description="Names of customers.merge_keys.")
    at_most: int = Field(
        default=4, ge=2, description="A key that more customers share, a family's or a shop's own, merges nobody."
    )
    linkage: Linkage | None = Field(default=None, description="Who else is one person, told by likeness.")


def key_kind(name: str, key: MergeKey) -> KeyKind:
    """How a key is compared: as declared, or as its name says."""
    if key.kind is not None:
        return key.kind
    return "email" if name == "email" else "phone" if name == "phone" else "text"


def compared_kind(name: str, compared: Compared) -> ComparedKind:
    """How a column is compared: as declared, or as its name says."""
    kinds: dict[str, ComparedKind] = {kind: kind for kind in get_args(ComparedKind)}
    return compared.kind or kinds.get(name, "text")
