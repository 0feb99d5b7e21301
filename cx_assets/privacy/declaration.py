"""What a manifest declares personal.

Belongs here: the model of its part `privacy`. Does not: what is done about it (`pseudonyms`, `screening`, `vault`).
"""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator

from cx_assets.manifest import Part

OWN_ID = "customer_id"
"""The vault's name for the id that the shop itself calls a customer by."""

Identifier = Literal["customer_id", "basket_id", "event_id", "store_id"]
Expression = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
FieldName = Annotated[str, StringConstraints(pattern="^[a-z][a-z0-9_]*$")]


class PersonalColumn(Part):
    """A column of the customers' source that tells who somebody is."""

    expression: Expression = Field(description="SQL over the columns of the customers' source.")
    keep: Literal["vault", "drop"] = Field(
        default="vault", description="`vault`: encrypted, in the vault alone; `drop`: nowhere."
    )


class Privacy(Part):
    """What in a dataset is personal."""

    identifiers: tuple[Identifier, ...] = Field(
        default=("customer_id",), description="Canonical columns whose values become pseudonyms, in every table."
    )
    personal: dict[FieldName, PersonalColumn] = Field(
        default_factory=dict, description="Columns of the customers' source that reach no table."
    )
    file_names: Literal["pseudonym", "keep"] = Field(
        default="pseudonym",
        description="What the `*` of a source's `files` stood for is told as a pseudonym, or as it is.",
    )

    @field_validator("identifiers")
    @classmethod
    def _customers_are_among_them(cls, columns: tuple[str, ...]) -> tuple[str, ...]:
        if "customer_id" not in columns:
            raise ValueError("customer_id must be among the identifiers: other columns hide nobody while it is told")
        return columns

    @field_validator("personal")
    @classmethod
    def _the_own_id_is_kept_anyway(cls, columns: dict[str, PersonalColumn]) -> dict[str, PersonalColumn]:
        if OWN_ID in columns:
            raise ValueError("the vault keeps customer_id by itself; leave it out here")
        return columns

    @property
    def vaulted(self) -> tuple[str, ...]:
        """The personal columns that the vault keeps, without the customers' own ids, which it always keeps."""
        return tuple(name for name, column in self.personal.items() if column.keep == "vault")
