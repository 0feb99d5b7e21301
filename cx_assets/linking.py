"""How a manifest says that a delivered row is about another: it corrects, cancels or returns an event.

Belongs here: the declaration, and the columns of raw events that are made of it. Does not: finding what a row is about
(`warehouse.links`).
"""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from cx_assets.manifest import Part

LINK_COLUMNS = {
    "version": "What is greater in a newer delivery of the event; null where its source declares no corrections",
    "cancels": "Whether the row cancels an event: true or false",
    "cancelled_event_id": "The event that it cancels",
    "returns": "Whether the row returns an event, or a part of it: true or false",
    "returned_event_id": "The event that it returns",
}
"""The columns that `ingestion.raw_events` has beside the others where any source declares one of the three."""

SAME_ID = {"cancelled_event_id": "event_id", "returned_event_id": "event_id"}
"""Columns that name what another column tells: where that is an identifier, they become the same pseudonyms."""


def as_sql(value: Any) -> Any:
    """YAML reads an unquoted 1 or true as a number or a boolean; as SQL they are the same words."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


Sql = Annotated[str, BeforeValidator(as_sql)]


class Corrections(Part):
    """An event that is delivered again with the same `event_id` replaces what was delivered before."""

    version: Sql = Field(description="What is greater in a newer delivery: a number, a time or a text, as updated_at.")


class Withdrawal(Part):
    """Rows that take events back: by the event's id, or by basket, item and customer, which are the row's own.

    A row that cancels and tells a basket and no item means all events of the basket.
    """

    when: Sql = Field(description="Which rows do: a condition over the source's columns, as status = 'cancelled'.")
    event_id: Sql | None = Field(
        default=None, description="The event that is meant. Left out: that of the row's own basket, item and customer."
    )


def link_expressions(
    corrections: Corrections | None, cancels: Withdrawal | None, returns: Withdrawal | None
) -> dict[str, str]:
    """SQL for each of `LINK_COLUMNS`, of a source that declares some of the three or none."""
    # An empty text: it should have been told, but the row has none. Null: its source doesn't tell it.
    told = {"version": _declared(corrections.version) if corrections else "null"}
    for condition, named, withdrawal in (
        ("cancels", "cancelled_event_id", cancels),
        ("returns", "returned_event_id", returns),
    ):
        told[condition] = f"coalesce({withdrawal.when}, false)" if withdrawal else "false"
        told[named] = _declared(withdrawal.event_id) if withdrawal and withdrawal.event_id else "null"
    return told


def _declared(expression: str) -> str:
    return f"coalesce(cast(try({expression}) as varchar), '')"


LINK_PLACES = {
    "version": ("corrections", "version"),
    "cancels": ("cancels", "when"),
    "cancelled_event_id": ("cancels", "event_id"),
    "returns": ("returns", "when"),
    "returned_event_id": ("returns", "event_id"),
}
"""Where in an events source each of them stands."""
