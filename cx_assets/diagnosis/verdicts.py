"""What the checks of a run say of a dataset that was tried out in memory.

Belongs here: asking the same laws that a run asks, so that a verdict is word for word a run's. Does not: the tables
that they ask about (`trial`), the laws (`ingestion.checks`, `warehouse`) or printing (`terminal`).
"""

from dataclasses import dataclass
from functools import partial

from cx_assets.dataset import Dataset
from cx_assets.diagnosis.trial import Trial, is_learnt
from cx_assets.ingestion.checks import judged_columns
from cx_assets.ingestion.columns import look
from cx_assets.ingestion.places import label
from cx_assets.sections import Attribute
from cx_assets.settings import Settings
from cx_assets.table import sql
from cx_assets.table.schema import quoted
from cx_assets.warehouse.checks import warehouse_laws

# What the functions that split and type the rows make true of tables that no run has stored yet.
TRUE_BY_CONSTRUCTION = (
    "nothing_is_lost",
    "events_keep_the_contract",
    "withdrawn_events_name_two_rows",
    "events_are_under_the_customer_who_counts",
)
# Customers and items are completed from the events; only a policy that drops rows can take one away.
TRUE_UNLESS_DROPPED = "references_hold"


@dataclass(frozen=True)
class Verdict:
    """What one check says.

    Attributes:
        check: the asset and the check's name.
        passed: whether its law holds.
        stops: whether a run ends here.
        text: in the check's own words.
    """

    check: str
    passed: bool
    stops: bool
    text: str


def verdicts(trial: Trial, dataset: Dataset, settings: Settings) -> list[Verdict]:
    """What the checks of the warehouse say of a trial; those that stop a run first."""
    told = []
    attributes = [*dataset.customer_attributes().values(), *dataset.item_attributes().values()]
    drops = any(attribute.missing.policy == "drop" for attribute in attributes)
    true = TRUE_BY_CONSTRUCTION if drops else (*TRUE_BY_CONSTRUCTION, TRUE_UNLESS_DROPPED)
    for law in warehouse_laws(dataset, settings):
        if law.name in true or not set(law.tables.values()) <= trial.tables.keys():
            continue
        said = law.judge(**{name: trial.tables[table] for name, table in law.tables.items()})
        stops = law.blocking and not said.passed and not said.warns
        told.append(Verdict(f"{law.asset}: {law.name}", said.passed, stops, said.text))
    told += _unfillable(trial, "customers", dataset.customer_attributes())
    told += _unfillable(trial, "items", dataset.item_attributes())
    return sorted(told, key=lambda verdict: (not verdict.stops, verdict.passed))


def columns_verdict(dataset: Dataset) -> Verdict:
    """What is to be said of the columns of the files, each compared with those of its source before it by name."""
    said = judged_columns(dataset, look(dataset, [], partial(label, dataset), counting=False))
    stops = not said.passed and not said.warns
    return Verdict("delivered_columns: columns_are_as_before", said.passed, stops, said.text)


def _unfillable(trial: Trial, table: str, attributes: dict[str, Attribute]) -> list[Verdict]:
    """Attributes of which no value is known, so that their policy has nothing to fill in with: a run stops there."""
    learnt = [name for name, attribute in attributes.items() if is_learnt(attribute)]
    if not learnt:
        return []
    counts = sql(
        f"select count(*), {', '.join(f'count({quoted(name)})' for name in learnt)} from known",
        known=trial.tables[table],
    ).fetchone()
    return [
        Verdict(
            f"{table}: {name}",
            False,
            True,
            f"no value of {table}.attributes.{name} can be read as {attributes[name].type}, so there is none to fill "
            "in. Correct its expression or type, or set missing.policy to constant with a value.",
        )
        for name, known in zip(learnt, counts[1:], strict=True)
        if counts[0] and not known
    ]
