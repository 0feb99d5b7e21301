"""The contract of master data, held against the rows as delivered: customers, items and campaigns.

Belongs here: what such a row must be, and parting those that are kept, with their good values, from those that are
rejected. Does not: what becomes of kept rows (`masters`, `merges`) or the contract of events (`contract`).
"""

from cx_assets.contract import ITEM_COLUMNS, ColumnContract, MasterContract, OnBroken
from cx_assets.dataset import Dataset
from cx_assets.ingestion.merge_keys import column_of
from cx_assets.ingestion.times import utc_timestamp
from cx_assets.sections import AttributeType
from cx_assets.table import Table, sql
from cx_assets.table.schema import literal, quoted
from cx_assets.warehouse.clauses import Clause, any_broken, column_clauses, first_broken

KEYS = {"customers": "customer_id", "items": "item_id", "campaigns": "campaign_id"}
"""The columns of which no two rows have the same."""

KEPT = "reason is null and copy = 1"
"""SQL for whether a judged row is kept."""

MASTERS = (*KEYS, "campaign_targets", "campaign_responses")
"""What is delivered besides events."""


def master_clauses(dataset: Dataset, table: str) -> list[Clause]:
    """What every row of a table of master data must be, then what the manifest declares."""
    if table not in ("customers", "items"):
        return _of_campaigns(table)
    contract: MasterContract = getattr(dataset.contract, table)
    key = KEYS[table]
    attributes = dataset.customer_attributes() if table == "customers" else dataset.item_attributes()
    own: dict[str, AttributeType] = ITEM_COLUMNS if table == "items" else {key: "varchar"}
    kinds = {**own, **{name: attribute.type for name, attribute in attributes.items()}}
    found = [_needed(key, "stop" if contract.on_broken == "stop" else "reject_row")]
    for name, kind in kinds.items():
        told = contract.columns.get(name)
        if told is None and kind == "varchar":
            continue
        told = told or ColumnContract(type=kind)
        on_broken = told.on_broken or contract.on_broken
        if on_broken == "reject_value" and (told.required or name == key):
            on_broken = "reject_row"
        typed = told if kind == "varchar" else told.model_copy(update={"type": kind})
        found += column_clauses(name, typed, f"nullif(trim({quoted(name)}), '')", "varchar", on_broken)
    return found


def _needed(name: str, on_broken: OnBroken = "reject_row") -> Clause:
    return Clause(name, f"coalesce(trim({name}), '') = ''", f"missing {name}", on_broken)


def _of_campaigns(table: str) -> list[Clause]:
    needed = [_needed("campaign_id")]
    if table != "campaigns":
        needed.append(_needed("customer_id"))
    if table == "campaign_responses":
        return [*needed, _time("responded_at")]
    if table == "campaign_targets":
        return needed
    starts, ends = (f"cast({utc_timestamp(name)} as date)" for name in ("starts_on", "ends_on"))
    order = Clause("ends_on", f"{starts} > {ends}", "ends_on before starts_on")
    return [*needed, _time("starts_on"), _time("ends_on"), order]


def _time(name: str) -> Clause:
    return Clause(name, f"not coalesce(isfinite({utc_timestamp(name)}), false)", f"{name} does not parse")


def judge_master(delivered: Table, dataset: Dataset, table: str) -> Table:
    """Every row of a raw table, with what becomes of it: kept where `reason` is null and `copy` is 1.

    `reason` is the first clause that a row breaks. Of several rows with the same id the first by file and row that is
    good otherwise is kept, and the others came too late; but one that equals it in every column, a `copy` above 1, is
    folded into it. What a row breaks its copies break too.

    Args:
        delivered: `ingestion.raw_customers`, `raw_items`, ...
        dataset: for its contract.
        table: which it is: `customers`, `items`, `campaigns`, `campaign_targets` or `campaign_responses`.
    """
    clauses = [clause for clause in master_clauses(dataset, table) if clause.on_broken != "reject_value"]
    of_rows = [clause for clause in clauses if clause.asks == "row"]
    equal = ", ".join(quoted(name) for name in delivered.columns if name not in ("source_file", "source_row"))
    # Of targets and responses, which have no id, equal rows are no copies: their tables count or fold them.
    # Windows over all columns take longer than all else, so whether any id comes again is asked first.
    repeated = table in KEYS and _comes_again(delivered, KEYS[table])
    copy = f"row_number() over (partition by {equal} order by source_file, source_row)" if repeated else "1"
    judged = sql(
        f"select *, case {first_broken(of_rows)} end as reason, {copy} as copy from delivered", delivered=delivered
    )
    alone = [(clause.broken, clause.reason) for clause in clauses if clause.asks == "others"]
    if repeated:
        alone.append((f"trim({KEYS[table]})", f"{KEYS[table]} came before"))
    for value, reason in alone:
        judged = sql(
            f"""
            select * replace (
                case when reason is null and copy = 1 and {value} is not null and row_number() over (
                    partition by reason is null and copy = 1, {value} order by source_file, source_row
                ) > 1 then {literal(reason)} else reason end as reason
            )
            from judged
            """,
            judged=judged,
        )
    if not repeated:
        return judged
    first = f"first_value(reason) over (partition by {equal} order by copy)"
    return sql(f"select * replace ({first} as reason) from judged", judged=judged)


def _comes_again(delivered: Table, key: str) -> bool:
    """Whether an id may come more than once; missing ones count as one that does."""
    again = sql(f"select count(*) > count(distinct trim({key})) from delivered", delivered=delivered)
    return bool(again.fetchone()[0])


def kept_rows(delivered: Table, dataset: Dataset, table: str) -> Table:
    """The rows of a raw table that are kept, as delivered, but for rejected values, which are null."""
    values = ", ".join(
        f"case when coalesce({any_broken(clauses)}, false) then null else {quoted(name)} end as {quoted(name)}"
        for name, clauses in _value_clauses(dataset, table).items()
    )
    replaced = f" replace ({values})" if values else ""
    judged = judge_master(delivered, dataset, table)
    return sql(f"select * exclude (reason, copy){replaced} from judged where {KEPT}", judged=judged)


def rejected_rows(delivered: Table, dataset: Dataset, table: str) -> Table:
    """The rows of a raw table that are rejected, as `warehouse.rejected_rows`."""
    numbers = {column_of(name) for name in dataset.merge_keys()}
    columns = [name for name in delivered.columns if name not in {"source_file", "source_row", *numbers}]
    told = ", ".join(f"{literal(name)}, {quoted(name)}" for name in columns)
    return sql(
        f"""
        select
            {literal(table)} as delivered_as, reason, cast(json_object({told}) as varchar) as delivered,
            source_file, source_row
        from judged where reason is not null
        """,
        judged=judge_master(delivered, dataset, table),
    )


def rejected_master_values(delivered: Table, dataset: Dataset, table: str) -> Table:
    """The values that are rejected of kept rows of a raw table, as `warehouse.rejected_values`."""
    parts = [
        f"select null::date as day, {literal(table)} as delivered_as, {literal(name)} as column_name, "
        f"case {first_broken(clauses)} end as reason, {quoted(name)} as value, source_file, source_row from judged "
        f"where {KEPT} and ({any_broken(clauses)})"
        for name, clauses in _value_clauses(dataset, table).items()
    ]
    texts = ", ".join(["null::varchar"] * 4)
    nothing = f"select null::date, {texts}, source_file, source_row from judged"
    return sql(" union all ".join([*parts, f"{nothing} where false"]), judged=judge_master(delivered, dataset, table))


def _value_clauses(dataset: Dataset, table: str) -> dict[str, list[Clause]]:
    """By column, the clauses by which a value is rejected while its row is kept."""
    found: dict[str, list[Clause]] = {}
    for clause in master_clauses(dataset, table):
        if clause.on_broken == "reject_value":
            found.setdefault(clause.column, []).append(clause)
    return found
