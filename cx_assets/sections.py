"""What a manifest says of one kind of rows: where they are, and what their columns are made of.

Belongs here: events, customers, items and campaigns, each by itself, and what is done where an attribute is missing.
Does not: a dataset as a whole (`dataset`) or where files are (`source`).
"""

import re
from math import isfinite
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from cx_assets.linking import LINK_PLACES, Corrections, Sql, Withdrawal, link_expressions
from cx_assets.manifest import Location, Part
from cx_assets.merging import MergeKey
from cx_assets.source import Source

UNKNOWN = "unknown"
AttributeType = Literal["varchar", "double", "bigint", "boolean", "date"]

# What the tables of customers and items have beside their attributes.
TAKEN = (
    "customer_id", "item_id", "name", "category", "recommendable", "in_master", "has_events",
    "day", "as_of", "source_file", "source_row",
)  # fmt: skip


def _attribute_name(name: str) -> str:
    if not re.fullmatch("[a-z][a-z0-9_]*", name):
        raise ValueError("an attribute's name is a column's: lower-case letters, digits and _")
    if name in TAKEN or name.endswith("_imputed"):
        raise ValueError(f"an attribute can't be called {name}, as a column of the tables is; choose another name")
    return name


AttributeName = Annotated[str, AfterValidator(_attribute_name)]


class MissingPolicy(Part):
    """What to do with the missing values of one column."""

    policy: Literal["drop", "constant", "mean", "median", "mode", "predict"] = Field(
        "constant",
        description="drop the row; fill with `value`; with the mean, the median or the most common value of the "
        "column; or with what a random forest predicts from the other columns",
    )
    value: str | float | None = Field(UNKNOWN, description="what `constant` fills in; the other policies ignore it")


class Attribute(Part):
    """One descriptive column of customers or items."""

    expression: Sql = Field(description="SQL over the source's columns.")
    type: AttributeType = Field(default="varchar", description="What the values are.")
    missing: MissingPolicy = Field(default_factory=MissingPolicy, description="What is done where there is no value.")

    @model_validator(mode="after")
    def _policy_fits_type(self) -> "Attribute":
        policy, value, number = self.missing.policy, self.missing.value, self.type in ("double", "bigint")
        if policy in ("mean", "median") and not number:
            raise ValueError(f"missing.policy {policy} needs a number; the type is {self.type}. Use mode or predict.")
        if policy != "constant":
            return self
        if self.type in ("boolean", "date"):
            raise ValueError(f"no constant fits the type {self.type}: set missing.policy to drop, mode or predict")
        if number and (isinstance(value, str) or value is None or not isfinite(value)):
            raise ValueError(
                f"the constant {value!r} doesn't fit the type {self.type}: set missing.policy to drop, mean, median, "
                "mode or predict, or missing.value to a number"
            )
        if self.type == "bigint" and value != round(float(value or 0)):
            raise ValueError(f"missing.value {value} doesn't fit the type bigint: choose a whole number")
        if self.type == "varchar" and (value is None or not str(value).strip()):
            raise ValueError("missing.value must say what stands in for a missing value")
        return self


class EventColumns(Part):
    """A SQL expression for each canonical column of an event; what isn't given is null."""

    occurred_at: Sql
    customer_id: Sql
    item_id: Sql
    event_type: Sql
    event_id: Sql = "null"
    basket_id: Sql = "null"
    quantity: Sql = "1"
    value: Sql = "0"
    rating: Sql = "null"
    store_id: Sql = "null"


class EventSource(Part):
    """Files of events and how their columns map."""

    source: Source
    where: Sql | None = Field(
        default=None, description="Which rows are events: a condition over the source's columns; left out: all."
    )
    columns: EventColumns
    corrections: Corrections | None = Field(
        default=None, description="An event with the same event_id replaces the one before, if its version is newer."
    )
    cancels: Withdrawal | None = Field(default=None, description="Rows that take an event out.")
    returns: Withdrawal | None = Field(
        default=None, description="Rows that take their quantity and value off an event, whatever their sign."
    )

    @model_validator(mode="after")
    def _ids_are_told(self) -> "EventSource":
        if self.corrections and self.columns.event_id == "null":
            raise ValueError("corrections are told by the event's id: give columns.event_id")
        return self

    @property
    def has_links(self) -> bool:
        """Whether a row of it may be about another."""
        return any((self.corrections, self.cancels, self.returns))

    def link_expressions(self) -> dict[str, str]:
        """SQL for the columns of raw events that tell what a row is about."""
        return link_expressions(self.corrections, self.cancels, self.returns)

    def link_places(self) -> dict[str, Location]:
        """Where in the source's part of the manifest each of these is declared; what isn't has none."""
        return {name: place for name, place in LINK_PLACES.items() if getattr(self, place[0]) is not None}


class Customers(Part):
    """The customers' master data."""

    source: Source
    id: Sql
    attributes: dict[AttributeName, Attribute] = Field(default_factory=dict)
    merge_keys: dict[AttributeName, MergeKey] = Field(default_factory=dict)

    @field_validator("merge_keys")
    @classmethod
    def _columns_differ(cls, keys: dict[str, MergeKey], info: ValidationInfo) -> dict[str, MergeKey]:
        if taken := [f"{name}_key" for name in keys if f"{name}_key" in info.data.get("attributes", {})]:
            raise ValueError(f"the attribute {taken[0]} is called as the key's column is; choose another name")
        return keys


class Items(Part):
    """The items' master data."""

    source: Source
    id: Sql
    name: Sql = Field(default="null", description="What a person calls the item; its id where null.")
    category: Sql = Field(
        default="null", description="The level at which habits and rules are told; 'unknown' where null."
    )
    recommendable: Sql = Field(default="true", description="Whether the item may be recommended.")
    attributes: dict[AttributeName, Attribute] = Field(default_factory=dict)


class CampaignColumns(Part):
    """A campaign: what it is called, its kind, its first and last day."""

    campaign_id: Sql
    campaign_type: Sql = "null"
    starts_on: Sql
    ends_on: Sql


class TargetColumns(Part):
    """Who was meant by a campaign."""

    campaign_id: Sql
    customer_id: Sql


class ResponseColumns(Part):
    """Who answered a campaign, when, and with what."""

    campaign_id: Sql
    customer_id: Sql
    responded_at: Sql
    detail: Sql = "null"


class Campaigns(Part):
    """Where the campaigns are."""

    source: Source
    columns: CampaignColumns


class CampaignTargets(Part):
    """Where the campaigns' targets are."""

    source: Source
    columns: TargetColumns


class CampaignResponses(Part):
    """Where the campaigns' responses are."""

    source: Source
    columns: ResponseColumns


Section = EventSource | Campaigns | CampaignTargets | CampaignResponses
