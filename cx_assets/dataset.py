"""The dataset manifest: where a dataset's events, customers, items and campaigns are, and how they map.

Belongs here: what a manifest may say. Does not: its text, lines and nearest names (`manifest`) or reading rows
(`ingestion.reader`). Nothing else in the project knows a dataset; a shop is a manifest.
"""

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from math import isfinite
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PrivateAttr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from cx_assets.manifest import ManifestError as ManifestError
from cx_assets.manifest import Part, did_you_mean, explained, find_manifest, read_manifest
from cx_assets.merging import MergeCustomers, MergeKey
from cx_assets.privacy.declaration import Privacy
from cx_assets.source import Source

EVENT_TYPES = ("purchase", "view", "cart", "rating")
UNKNOWN = "unknown"
AttributeType = Literal["varchar", "double", "bigint", "boolean", "date"]

# What the tables of customers and items have beside their attributes.
TAKEN = (
    "customer_id", "item_id", "name", "category", "recommendable", "in_master", "has_events",
    "day", "as_of", "source_file", "source_row",
)  # fmt: skip


def _as_sql(value: Any) -> Any:
    """YAML reads an unquoted 1 or true as a number or a boolean; as SQL they are the same words."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


def _attribute_name(name: str) -> str:
    if not re.fullmatch("[a-z][a-z0-9_]*", name):
        raise ValueError("an attribute's name is a column's: lower-case letters, digits and _")
    if name in TAKEN or name.endswith("_imputed"):
        raise ValueError(f"an attribute can't be called {name}, as a column of the tables is; choose another name")
    return name


Sql = Annotated[str, BeforeValidator(_as_sql)]


def _event_type_name(name: str) -> str:
    if not re.fullmatch("[a-z][a-z0-9_]*", name):
        raise ValueError("the name of an event type is lower-case letters, digits and _")
    if name in EVENT_TYPES:
        raise ValueError(f"every dataset has the event type {name}: its weight is set in resource interaction_weights")
    return name


EventTypeName = Annotated[str, AfterValidator(_event_type_name)]
AttributeName = Annotated[str, AfterValidator(_attribute_name)]


def _as_day(value: Any) -> Any:
    """Pydantic would take a number for seconds since 1970."""
    if not isinstance(value, str):
        raise ValueError("write a day as 2025-01-31")
    return value


Day = Annotated[date, BeforeValidator(_as_day)]


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


class EventType(Part):
    """A type of event that the dataset has beside those that every dataset may have."""

    weight: float = Field(gt=0, allow_inf_nan=False, description="What one of them counts, beside 1 of a purchase.")
    meaning: str = Field(min_length=1, description="What the customer did, in words.")


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
    columns: EventColumns


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


class Dataset(Part):
    """A dataset as its manifest declares it."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    first_day: Day
    last_day: Day | None = Field(default=None, description="Left out while the dataset still grows.")
    rating_scale: tuple[float, float] | None = Field(default=None, description="The lowest and the highest rating.")
    timezone: str = Field(
        default="UTC", description="The zone of times told without an offset, and of days: its name, as Europe/Berlin."
    )
    event_types: dict[EventTypeName, EventType] = Field(
        default_factory=dict, description="Types beyond purchase, view, cart and rating."
    )
    basket_event_types: Annotated[tuple[str, ...], Field(min_length=1)] = ("purchase",)
    session_gap_minutes: float | None = Field(
        default=None, gt=0, description="An event that tells no basket begins a new one after a longer pause than this."
    )
    events: Annotated[tuple[EventSource, ...], Field(min_length=1)]
    customers: Customers | None = None
    privacy: Privacy | None = None
    items: Items | None = None
    merge_customers: MergeCustomers | None = Field(default=None, description="By which keys customers are merged.")
    campaigns: Campaigns | None = None
    campaign_targets: CampaignTargets | None = None
    campaign_responses: CampaignResponses | None = None
    _path: Path = PrivateAttr(default=Path())

    @field_validator("last_day")
    @classmethod
    def _days_in_order(cls, last_day: date | None, info: ValidationInfo) -> date | None:
        first_day = info.data.get("first_day")
        if last_day is not None and first_day is not None and last_day < first_day:
            raise ValueError(f"{last_day} is before first_day {first_day}")
        return last_day

    @field_validator("rating_scale")
    @classmethod
    def _lowest_first(cls, scale: tuple[float, float] | None) -> tuple[float, float] | None:
        if scale is not None and scale[0] >= scale[1]:
            raise ValueError(f"{list(scale)} must be the lowest, then the highest rating")
        return scale

    @field_validator("timezone")
    @classmethod
    def _zone_exists(cls, timezone: str) -> str:
        zones = available_timezones()
        if timezone not in zones:
            near = did_you_mean(timezone, sorted(zones))
            hint = near if "Did" in near else " Write it as Europe/Berlin."
            raise ValueError(f"no such time zone: {timezone!r}.{hint}")
        return timezone

    @model_validator(mode="after")
    def _baskets_hold_known_types(self) -> "Dataset":
        known = self.known_event_types()
        for name in self.basket_event_types:
            if name not in known:
                raise ValueError(f"basket_event_types: no event type {name!r}.{did_you_mean(name, list(known))}")
        return self

    def known_event_types(self) -> tuple[str, ...]:
        """Those that every dataset may have, then its own."""
        return (*EVENT_TYPES, *self.event_types)

    def own_weights(self) -> dict[str, float]:
        """The weights of its own event types."""
        return {name: kind.weight for name, kind in self.event_types.items()}

    @field_validator("merge_customers")
    @classmethod
    def _by_declared_keys(cls, merging: MergeCustomers | None, info: ValidationInfo) -> MergeCustomers | None:
        keys = info.data["customers"].merge_keys if info.data.get("customers") else {}
        if merging and (unknown := [name for name in merging.by if name not in keys]):
            raise ValueError(f"{unknown[0]} is no key of customers.merge_keys ({', '.join(keys) or 'there is none'})")
        return merging

    @field_validator("privacy")
    @classmethod
    def _personal_columns_have_a_source(cls, privacy: Privacy | None, info: ValidationInfo) -> Privacy | None:
        if privacy is not None and privacy.personal and info.data.get("customers") is None:
            raise ValueError("personal columns are the customers' source's: declare customers")
        return privacy

    @property
    def path(self) -> Path:
        """The manifest."""
        return self._path

    @property
    def folder(self) -> Path:
        """The folder that relative paths start from."""
        return self.path.parent

    @property
    def last_known_day(self) -> date:
        """The last day that may hold events: the declared one, or today where the dataset is at home."""
        return self.last_day or datetime.now(ZoneInfo(self.timezone)).date()

    def days(self) -> Iterator[date]:
        """Every day from the first to the last that may hold events."""
        day = self.first_day
        while day <= self.last_known_day:
            yield day
            day += timedelta(days=1)

    def customer_attributes(self) -> dict[str, Attribute]:
        """The declared attributes of customers, by name."""
        return self.customers.attributes if self.customers else {}

    def merge_keys(self) -> dict[str, MergeKey]:
        """The declared merge keys of customers, by name."""
        return self.customers.merge_keys if self.customers else {}

    def item_attributes(self) -> dict[str, Attribute]:
        """The declared attributes of items, by name."""
        return self.items.attributes if self.items else {}


def load_dataset(dataset: str) -> Dataset:
    """The dataset that `CX_DATASET` means, its manifest valid in itself.

    Whether its expressions fit the files is for `ingestion.reader.problems`.

    Raises:
        ManifestError: with one line per problem, each naming file, line, key and the nearest right name.
    """
    path = find_manifest(dataset)
    content, lines = read_manifest(path)
    try:
        found = Dataset.model_validate(content)
    except ValidationError as error:
        raise ManifestError(explained(error, path, lines, Dataset)) from error
    found._path = path
    return found
