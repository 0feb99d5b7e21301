"""The dataset manifest: where a dataset's events, customers, items and campaigns are, and how they map.

Belongs here: what a manifest may say. Does not: its text, lines and nearest names (`manifest`) or reading rows
(`ingestion.reader`). Nothing else in the project knows a dataset; a shop is a manifest.
"""

import math
import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any
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

from cx_assets.aims import Aim
from cx_assets.contract import Contract
from cx_assets.contract_fit import misfits
from cx_assets.manifest import ManifestError as ManifestError
from cx_assets.manifest import Part, did_you_mean, explained, find_manifest, read_manifest, where
from cx_assets.merging import Linkage, MergeCustomers, MergeKey
from cx_assets.privacy.declaration import Privacy
from cx_assets.sections import (
    Attribute,
    CampaignResponses,
    Campaigns,
    CampaignTargets,
    Customers,
    EventSource,
    Items,
)

EVENT_TYPES = ("purchase", "view", "cart", "rating")


def _event_type_name(name: str) -> str:
    if not re.fullmatch("[a-z][a-z0-9_]*", name):
        raise ValueError("the name of an event type is lower-case letters, digits and _")
    if name in EVENT_TYPES:
        raise ValueError(f"every dataset has the event type {name}: its weight is set in resource interaction_weights")
    return name


EventTypeName = Annotated[str, AfterValidator(_event_type_name)]


def _as_day(value: Any) -> Any:
    """Pydantic would take a number for seconds since 1970."""
    if not isinstance(value, str):
        raise ValueError("write a day as 2025-01-31")
    return value


Day = Annotated[date, BeforeValidator(_as_day)]


class EventType(Part):
    """A type of event that the dataset has beside those that every dataset may have."""

    weight: float = Field(gt=0, allow_inf_nan=False, description="What one of them counts, beside 1 of a purchase.")
    meaning: str = Field(min_length=1, description="What the customer did, in words.")


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
    contract: Contract = Field(default_factory=Contract, description="What rows must be, beyond what all must.")
    aims: tuple[Aim, ...] = Field(default=(), description="What recommendations are to reach in backtests.")
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
        if scale is not None and not -math.inf < scale[0] < scale[1] < math.inf:
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

    @field_validator("events")
    @classmethod
    def _returns_name_alike(cls, events: tuple[EventSource, ...]) -> tuple[EventSource, ...]:
        if len({source.returns.event_id is None for source in events if source.returns}) > 1:
            raise ValueError("returns: name what is returned by event_id in all sources, or by basket and item in all")
        return events

    @property
    def has_links(self) -> bool:
        """Whether a delivered event may correct, cancel or return another."""
        return any(source.has_links for source in self.events)

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

    @property
    def linkage(self) -> Linkage | None:
        """How customers are linked beyond their keys, if the manifest says so."""
        return self.merge_customers.linkage if self.merge_customers else None

    def item_attributes(self) -> dict[str, Attribute]:
        """The declared attributes of items, by name."""
        return self.items.attributes if self.items else {}


def load_dataset(dataset: str) -> Dataset:
    """The dataset that `CX_DATASET` means, its manifest valid in itself.

    Whether its expressions fit the files is for `ingestion.fitting.problems`.

    Raises:
        ManifestError: with one line per problem, each naming file, line, key and the nearest right name.
    """
    path = find_manifest(dataset)
    content, lines = read_manifest(path)
    try:
        found = Dataset.model_validate(content)
    except ValidationError as error:
        raise ManifestError(explained(error, path, lines, Dataset)) from error
    if wrong := misfits(found):
        raise ManifestError("\n".join(f"{where(path, lines, place)}: {text}" for place, text in wrong))
    found._path = path
    return found
