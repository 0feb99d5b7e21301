"""Which ids are one person's: those that a run has merged, as the tables tell it.

Belongs here: reading who is merged into whom, without being in the way of a run. Does not: merging
(`warehouse.merges`), or what is done to the ids (`vault`, `commands`).
"""

from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from cx_assets.dataset import Dataset
from cx_assets.settings import DATABASE, Settings

_IDS = """
    with kept as (
        select coalesce(
            (select merged_into from warehouse.customer_merges where customer_id = $customer), $customer
        ) as id
    )
    select id, id from kept
    union all
    select id, customer_id from kept join warehouse.customer_merges on merged_into = id
"""


@dataclass(frozen=True)
class Person:
    """Who stands behind an id.

    Attributes:
        kept: the id that the tables have the person by.
        ids: all ids of the person, that one among them, the one that was asked for first.
        doubt: why there may be more of them, and what to do; empty if that is known.
    """

    kept: str
    ids: tuple[str, ...]
    doubt: str = ""

    @property
    def others(self) -> tuple[str, ...]:
        """All ids but the one that was asked for."""
        return self.ids[1:]


def person_of(dataset: Dataset, settings: Settings, customer: str) -> Person:
    """All ids of a person, by the merges of the last run, or of what is published while a run has the working file.

    Args:
        dataset: one that merges nobody has one id per person.
        settings: for where the tables are.
        customer: an id as the tables have it.
    """
    if dataset.merge_customers is None:
        return Person(customer, (customer,))
    try:
        return _stored(settings.warehouse_path, customer)
    except LookupError as error:
        doubt = str(error.args[0])
    try:
        published = _stored(settings.published_dir / DATABASE, customer)
    except LookupError:
        return Person(customer, (customer,), f"{doubt} Then repeat this command.")
    return replace(published, doubt=f"This is by what is published. {doubt} Then repeat this command.")


def _stored(database: Path, customer: str) -> Person:
    """What a database says.

    Raises:
        LookupError: if it says nothing, with what to do.
    """
    if not database.exists():
        raise LookupError("No run has told yet which customers are one person: `cx run` does.")
    try:
        with duckdb.connect(str(database), read_only=True) as connection:
            rows = connection.execute(_IDS, {"customer": customer}).fetchall()
    except duckdb.CatalogException:
        raise LookupError("No run has told yet which customers are one person: `cx run` does.") from None
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        raise LookupError(
            f"Which customers the last run has merged can't be read now: {reason} Wait for a run that is at work."
        ) from None
    return Person(rows[0][0], (customer, *sorted({told for _, told in rows} - {customer})))
