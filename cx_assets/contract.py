"""What a manifest declares of a table's rows beyond what every dataset's must be.

Belongs here: the model of its part `contract`. Does not: whether a declaration fits the rest of the manifest
(`contract_fit`) or what becomes of rows that break it (`warehouse`).
"""

from typing import Literal

from pydantic import Field, model_validator

from cx_assets.manifest import Part
from cx_assets.sections import AttributeType

OnBroken = Literal["reject_row", "reject_value", "stop"]
"""`reject_value`: the value counts as missing; where a row can't be without it, the row is rejected."""

Scalar = bool | int | float | str

EVENT_COLUMNS: dict[str, AttributeType] = {
    **dict.fromkeys(("customer_id", "item_id", "event_type", "event_id", "basket_id", "store_id"), "varchar"),
    **dict.fromkeys(("quantity", "value", "rating"), "double"),
}
"""What may be declared of an event, with its own type. When it happened is bounded by the dataset's days."""

ITEM_COLUMNS: dict[str, AttributeType] = {
    **dict.fromkeys(("item_id", "name", "category"), "varchar"),
    "recommendable": "boolean",
}
"""What items have beside their attributes."""

OPTIONAL_EVENT_COLUMNS = ("basket_id", "store_id")
"""What an event can be without."""


class ColumnContract(Part):
    """What the values of one column must be; a missing value breaks `required` alone."""

    type: AttributeType | None = Field(default=None, description="What a column of text must be readable as.")
    required: bool = Field(default=False, description="Whether every row has a value.")
    allowed: tuple[Scalar, ...] | None = Field(default=None, min_length=1, description="The only values.")
    min: int | float | str | None = Field(default=None, description="The least number or the first day.")
    max: int | float | str | None = Field(default=None, description="The greatest number or the last day.")
    pattern: str | None = Field(default=None, description="A regular expression (RE2) that the whole text matches.")
    unique: bool = Field(default=False, description="Whether no two different rows have the same; of events: of a day.")
    references: Literal["customers", "items"] | None = Field(
        default=None, description="The master data of which every value is an id."
    )
    on_broken: OnBroken | None = Field(default=None, description="Instead of the table's.")

    @model_validator(mode="after")
    def _says_something(self) -> "ColumnContract":
        if not self.model_fields_set - {"on_broken"}:
            raise ValueError("say what the values must be: type, required, allowed, min, max, pattern, unique, ...")
        return self


class TableContract(Part):
    """What the rows of one table must be, and what becomes of one that isn't so."""

    columns: dict[str, ColumnContract] = Field(default_factory=dict, description="By the table's own column names.")
    on_broken: OnBroken = Field(default="reject_row", description="What a broken row does.")
    on_changed_columns: Literal["warn", "stop"] = Field(
        default="warn", description="What a file does whose columns are missing or of another kind than before."
    )

    @property
    def referenced(self) -> tuple[str, ...]:
        """The master data that columns refer to."""
        return tuple(sorted({told.references for told in self.columns.values() if told.references}))


class EventsContract(TableContract):
    """What events must be."""

    day_limit: float = Field(
        default=0.5, ge=0, lt=1, description="The share of a day's events that may be rejected; above it a run stops."
    )


class MasterContract(TableContract):
    """What customers or items must be; an attribute that isn't so counts as missing, if nothing else is said."""

    on_broken: OnBroken = Field(default="reject_value", description="What a broken row does.")
    limit: float | None = Field(
        default=None, ge=0, lt=1, description="The share of rows that may be rejected; above it a run stops."
    )


class Contract(Part):
    """What the rows of the tables must be."""

    events: EventsContract = Field(default_factory=EventsContract)
    customers: MasterContract = Field(default_factory=MasterContract)
    items: MasterContract = Field(default_factory=MasterContract)
