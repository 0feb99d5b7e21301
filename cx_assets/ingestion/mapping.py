"""Which source feeds which table, and with what expressions.

Belongs here: going through a manifest. Does not: reading rows (`reader`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from cx_assets.dataset import Dataset
from cx_assets.ingestion.merge_keys import column_of
from cx_assets.manifest import Location
from cx_assets.privacy.mapping import PERSONAL
from cx_assets.sections import EventSource, Section
from cx_assets.source import Source


@dataclass(frozen=True)
class MappedSource:
    """One source of a manifest, and the expression of every column that it feeds.

    Attributes:
        location: where in the manifest it stands.
        source: its files.
        expressions: SQL by canonical column.
        places: where in the manifest each expression stands; empty for a default.
        numbers: the columns that are numbers, for a source that declares how decimals are written.
        where: SQL for which rows count; None for all.
    """

    location: Location
    source: Source
    expressions: Mapping[str, str]
    places: Mapping[str, Location]
    numbers: frozenset[str] = frozenset()
    where: str | None = None

    @property
    def asked(self) -> dict[str, str]:
        """All SQL over the source's columns, by what it is for."""
        return {**self.expressions, **({"where": self.where} if self.where else {})}

    @property
    def table(self) -> str:
        """The table that it feeds."""
        return PERSONAL if self.location[0] in ("privacy", "merge_customers") else str(self.location[0])


def mapped_sources(dataset: Dataset) -> Iterator[tuple[str, MappedSource]]:
    """Every source of a manifest with the table that it feeds: `events`, `customers`, `items`, `campaigns`, ..."""
    for index, events in enumerate(dataset.events):
        mapped = replace(_columns_of(("events", index), events), where=events.where)
        yield "events", _with_links(mapped, events) if dataset.has_links else mapped
    for table, master in (("customers", dataset.customers), ("items", dataset.items)):
        if master is None:
            continue
        fixed = {"id": f"{table[:-1]}_id", "name": "name", "category": "category", "recommendable": "recommendable"}
        expressions = {column: getattr(master, key) for key, column in fixed.items() if hasattr(master, key)}
        places: dict[str, Location] = {column: (table, key) for key, column in fixed.items()}
        for name, attribute in master.attributes.items():
            expressions[name] = attribute.expression
            places[name] = (table, "attributes", name, "expression")
        for name, key in dataset.merge_keys().items() if table == "customers" else ():
            expressions[column_of(name)] = key.expression
            places[column_of(name)] = (table, "merge_keys", name)
        numbers = frozenset(name for name, a in master.attributes.items() if a.type in ("double", "bigint"))
        yield table, MappedSource((table,), master.source, expressions, places, numbers)
    for table in ("campaigns", "campaign_targets", "campaign_responses"):
        section = getattr(dataset, table)
        if section is not None:
            yield table, _columns_of((table,), section)


def personal_source(dataset: Dataset) -> MappedSource | None:
    """The customers' source with the expressions of the personal columns; only the vault may read it."""
    if dataset.privacy is None or dataset.customers is None:
        return None
    expressions = {name: column.expression for name, column in dataset.privacy.personal.items()}
    places: dict[str, Location] = {name: ("privacy", "personal", name, "expression") for name in expressions}
    expressions["customer_id"], places["customer_id"] = dataset.customers.id, ("customers", "id")
    return MappedSource(("privacy", "personal"), dataset.customers.source, expressions, places)


def compared_source(dataset: Dataset) -> MappedSource | None:
    """The customers' source with the expressions that linkage compares; they are read in memory, and reach no table."""
    linkage = dataset.linkage
    if linkage is None or dataset.customers is None:
        return None
    location: Location = ("merge_customers", "linkage", "compare")
    expressions = {name: column.expression for name, column in linkage.compare.items()}
    places: dict[str, Location] = {name: (*location, name) for name in expressions}
    expressions["customer_id"], places["customer_id"] = dataset.customers.id, ("customers", "id")
    return MappedSource(location, dataset.customers.source, expressions, places)


def as_text(expression: str) -> str:
    """An expression of a manifest as it is run: its value as text, null where it can't be computed."""
    return f"cast(try({expression}) as varchar)"


def _with_links(mapped: MappedSource, events: EventSource) -> MappedSource:
    places = {name: (*mapped.location, *place) for name, place in events.link_places().items()}
    told = {**mapped.expressions, **events.link_expressions()}
    if events.returns and "value" not in events.columns.model_fields_set:
        told["value"] = f"case when {told['returns']} then null else {told['value']} end"
    return replace(mapped, expressions=told, places={**mapped.places, **places})


def _columns_of(location: Location, section: Section) -> MappedSource:
    expressions: dict[str, str] = section.columns.model_dump()
    return MappedSource(
        location,
        section.source,
        expressions,
        {name: (*location, "columns", name) for name in expressions} | {"where": (*location, "where")},
        frozenset({"quantity", "value", "rating"} & expressions.keys()),
    )
