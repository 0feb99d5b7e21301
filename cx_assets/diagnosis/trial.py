"""A run over all days of a dataset as far as its checks ask about it, in memory.

Belongs here: making the tables that the checks ask about, with the functions that a run makes them with. Does not:
asking the checks (`verdicts`), the contract (`warehouse`) or printing (`terminal`).
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb

from cx_assets.dataset import Dataset
from cx_assets.days import days_over
from cx_assets.diagnosis.merging import delivered_customers, merges_by_keys
from cx_assets.diagnosis.reading import HeldEvents, hold_events, left_out_rows
from cx_assets.ingestion import tables
from cx_assets.ingestion.broken_files import broken_file
from cx_assets.ingestion.complaints import first_line
from cx_assets.ingestion.formats import prepare
from cx_assets.ingestion.mapping import mapped_sources
from cx_assets.ingestion.reader import day_of, event_day, table_query
from cx_assets.privacy.protection import Protection
from cx_assets.sections import Attribute
from cx_assets.settings import Settings
from cx_assets.source import SourceError
from cx_assets.table import Table, TableSpec, sql
from cx_assets.table.connection import connect
from cx_assets.table.schema import literal, quoted
from cx_assets.warehouse import masters, merges
from cx_assets.warehouse.clauses import event_clauses
from cx_assets.warehouse.cleaning import Cleaning
from cx_assets.warehouse.contract import rejected_values
from cx_assets.warehouse.events import rejected
from cx_assets.warehouse.master_contract import MASTERS, kept_rows, rejected_master_values


@dataclass(frozen=True)
class Trial:
    """The tables of a run over all days of a dataset, on a connection in memory.

    Attributes:
        tables: by asset; `raw_events`, `events`, `customers` and `items` have the columns that the checks ask about.
        acted: by `customers` and `items`: the ids that have events, and how many.
        duplicates: exact copies among the events that keep the contract.
        left_out: rows of the sources that are no events, as the manifest's `where` says.
    """

    tables: dict[str, Table]
    acted: dict[str, Table]
    duplicates: int
    left_out: int


@contextmanager
def tried_out(dataset: Dataset, settings: Settings) -> Iterator[Trial]:
    """The tables that a run over all days of a dataset would begin with.

    Raises:
        SourceError: if the files don't fit the manifest.
        KeyRefusedError: if it has a part `privacy` and there is no key to be used.
    """
    with (
        # What doesn't fit into memory goes where the system keeps what is for now, and is gone afterwards.
        tempfile.TemporaryDirectory(prefix="cx_doctor_") as spill,
        connect(None, settings.memory_limit, settings.threads) as connection,
    ):
        connection.execute(f"set temp_directory = {literal(spill)}")
        try:
            Protection(dataset, settings).prepare(connection)
        except SourceError as error:  # it says less, as what a run says is kept
            raise SourceError(broken_file(dataset, "customers") or str(error)) from None
        for _, mapped in mapped_sources(dataset):
            prepare(connection, mapped.source, dataset.folder)
        try:
            yield _trial(connection, dataset)
        except duckdb.InvalidInputException as error:
            raise SourceError(broken_file(dataset) or first_line(error)) from None


def _trial(connection: duckdb.DuckDBPyConnection, dataset: Dataset) -> Trial:
    customers = delivered_customers(connection, dataset)
    delivered = {"raw_customers": _stored(connection, "raw_customers", customers.query)} | {
        spec.name: _stored(connection, spec.name, table_query(dataset, spec.name.removeprefix("raw_"), _given(spec)))
        for spec in (
            tables.raw_items_table(dataset.item_attributes()),
            *(tables.RAW_CAMPAIGNS, tables.RAW_CAMPAIGN_TARGETS, tables.RAW_CAMPAIGN_RESPONSES),
        )
    }
    kept = {name: kept_rows(delivered[f"raw_{name}"], dataset, name) for name in MASTERS}
    cleaning = Cleaning(dataset, {name: kept[name] for name in dataset.contract.events.referenced})
    held = hold_events(connection, dataset, _given(cleaning.raw_events))
    # The day is found out with the instant, further on, where rows needn't be known by their days before.
    day = event_day(dataset) if _compares_days(dataset) else "cast(null as date)"
    placed = Table(connection, f"select *, {day} as day from ({held.query()}){_over(dataset)}")
    merged = merges_by_keys(kept["customers"], dataset)
    withdrawn = cleaning.withdrawn(placed, merged)
    typed = cleaning.judged(placed, withdrawn)
    # A join that renames nobody would cost a tenth of all that the doctor does.
    judged = _judged(merges.renamed_events(typed, merged) if dataset.merge_customers else typed, held)
    alike = sql(
        "select count(*) - count(distinct fingerprint) from judged where reason is null", judged=judged
    ).fetchone()[0]
    # As a run does: of copies the first by file and row.
    first = " order by fingerprint, source_file, source_row" if alike else ""
    events = sql(
        f"select {'distinct on (fingerprint) ' if alike else ''}day, at_ as occurred_at, customer_id, item_id, "
        f'event_type, "value", source_file, source_row from judged where reason is null{first}',
        judged=judged,
    )
    broken = sql("select source_file, source_row from judged where reason is not null", judged=judged)
    refused = Table(connection, f"select *, {event_day(dataset)} as day from ({held.query(broken.query)})")
    # Typed again for what the slim table left out; the reason may be other rows, which aren't there now. Rows of a
    # database are numbered day by day, so that their place is one only with the day.
    again = sql(
        "select again.* replace (judged.reason as reason) from again join judged using (day, source_file, source_row)",
        again=cleaning.judged(refused, withdrawn),
        judged=sql("select day, reason, source_file, source_row from judged where reason is not null", judged=judged),
    )
    told = "".join(f", unique_{column} as {column}" for column in _unique(dataset))
    acted = {
        table: _stored(
            connection,
            f"acted_{table}",
            sql(f"select {key}, count(*) as events from events group by {key}", events=events).query,
        )
        for table, key in (("customers", "customer_id"), ("items", "item_id"))
    }
    of_customers, of_items = _decisive(dataset.customer_attributes()), _decisive(dataset.item_attributes())
    joined = merges.joined_masters(kept["customers"], merged, of_customers)
    known_customers = masters.known_customers(joined, acted["customers"], of_customers)
    known_items = masters.known_items(kept["items"], acted["items"], of_items)
    return Trial(
        {
            **delivered,
            "raw_events": sql(
                f"select day, source_file, source_row{told} from judged union all by name "
                "select day, source_file, source_row from withdrawn where outcome <> 'reduced'",
                judged=judged,
                withdrawn=withdrawn,
            ),
            "withdrawn_events": withdrawn,
            "customer_merges": merged,
            "events": events,
            "rejected_events": _stored(connection, "refused", rejected(again).query),
            "customers": _undropped(_stored(connection, "customers", known_customers.query), of_customers),
            "items": _undropped(_stored(connection, "items", known_items.query), of_items),
            "rejected_values": sql(
                "select * from of_events union all select * from of_customers union all select * from of_items",
                of_events=rejected_values(placed, dataset, cleaning.masters),
                of_customers=rejected_master_values(delivered["raw_customers"], dataset, "customers"),
                of_items=rejected_master_values(delivered["raw_items"], dataset, "items"),
            ),
            "campaigns": masters.typed_campaigns(kept["campaigns"]),
            "campaign_targets": masters.typed_targets(merges.renamed(kept["campaign_targets"], merged)),
            "campaign_responses": masters.typed_responses(merges.renamed(kept["campaign_responses"], merged)),
        },
        acted,
        int(alike),
        int(connection.execute(left_out_rows(dataset)).fetchall()[0][0]),
    )


def _stored(connection: duckdb.DuckDBPyConnection, name: str, query: str) -> Table:
    """The rows of a query, found out once."""
    connection.execute(f"create temp table {quoted(name)} as {query}")
    return Table(connection, f"select * from {quoted(name)}")


def _judged(judged: Table, held: HeldEvents) -> Table:
    """Judged events, found out once: of each only what is asked about later."""
    file = "" if held.file else "source_file, "
    unique = "".join(
        f", cast({value} as varchar) as unique_{column}" for column, value in _unique(held.dataset).items()
    )
    slim = f"""
        select
            {day_of("at_", held.dataset)} as day, reason, at_, customer_id, item_id, event_type, "value",
            {file}source_row,
            hash(id_given, time_given, coalesce(delivered_customer_id, customer_id), item_id, event_type, basket_given,
                quantity_given, value_given, rating_given, store_id) as fingerprint{unique}
        from judged
    """
    stored = _stored(judged.connection, "judged", sql(slim, judged=judged).query)
    return sql(f"select *, {literal(held.file)} as source_file from stored", stored=stored) if held.file else stored


def _given(spec: TableSpec) -> list[str]:
    return [name for name in spec.column_names if name not in ("day", "source_file", "source_row")]


def _compares_days(dataset: Dataset) -> bool:
    """Whether what becomes of an event may hang on the others of its day."""
    return dataset.has_links or bool(_unique(dataset))


def _unique(dataset: Dataset) -> dict[str, str]:
    """The columns of which no two events may have the same, and SQL for their values."""
    return {clause.column: clause.broken for clause in event_clauses(dataset) if clause.asks == "others"}


def _over(dataset: Dataset) -> str:
    """A clause for the days that are over: a dataset that still grows has no run for today yet."""
    if dataset.last_day is not None:
        return ""
    return f" where {event_day(dataset)} <= date '{days_over(dataset)[-1]}'"


def _decisive(attributes: dict[str, Attribute]) -> dict[str, Attribute]:
    """The attributes that may stop a run, because there is nothing to fill them in with, or take a row away."""
    return {name: told for name, told in attributes.items() if is_learnt(told) or told.missing.policy == "drop"}


def is_learnt(attribute: Attribute) -> bool:
    """Whether what an attribute's missing values are filled in with comes from the known ones."""
    return attribute.type != "varchar" and attribute.missing.policy not in ("constant", "drop")


def _undropped(known: Table, attributes: dict[str, Attribute]) -> Table:
    """Customers or items without those that a policy `drop` removes."""
    drops = [quoted(name) for name, attribute in attributes.items() if attribute.missing.policy == "drop"]
    stays = " and ".join(f"{name} is not null" for name in drops) or "true"
    return sql(f"select * from known where {stays}", known=known)
