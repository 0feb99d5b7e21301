"""The laws of customers, items and campaigns: references hold, ids are unique, every delivered row could be read.

Belongs here: what is asked of master data. Does not: the laws of events and baskets (`checks`).
"""

import dagster as dg

from cx_assets.ingestion.times import utc_timestamp
from cx_assets.table import Table, law, sql, table_check
from cx_assets.table.asset import POOL


def master_checks() -> list[dg.AssetChecksDefinition]:
    """The checks of the stage's master data."""
    checks: list[dg.AssetChecksDefinition] = []
    for table, key, thing in (("customers", "customer_id", "customers"), ("items", "item_id", "items")):
        checks += [
            _references_hold(table, key),
            _all_are_known(table, key, thing),
            _ids_are_unique(f"raw_{table}", key),
        ]
    return [*checks, *_campaign_checks()]


def _references_hold(table: str, key: str) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=table,
        name="references_hold",
        description=f"Every {key} of an event is a row of warehouse.{table}.",
        additional_ins={"events": dg.AssetIn("events")},
        blocking=True,
        pool=POOL,
    )
    def references_hold(master: Table, events: Table) -> dg.AssetCheckResult:
        named = sql(f"select {key}, count(*) as events from events group by {key}", events=events)
        return law(
            sql(f"select * from named anti join master using ({key}) order by {key}", named=named, master=master),
            named.count(),
            f"{table} that events name are not in warehouse.{table}",
            f"Materialize {table} again; a missing-value policy 'drop' in the manifest also removes rows.",
        )

    return references_hold


def _all_are_known(table: str, key: str, thing: str) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=table,
        name="master_data_are_complete",
        description=f"The {thing} that have events are in the master data. One that isn't is kept, and counted here.",
        pool=POOL,
    )
    def master_data_are_complete(master: Table) -> dg.AssetCheckResult:
        return law(
            sql(f"select {key} from master where not in_master order by {key}", master=master),
            master.count(),
            f"{thing} have events and are not in the master data",
            "They are kept, with missing attributes filled by policy. Ask for their master data.",
            severity=dg.AssetCheckSeverity.WARN,
        )

    return master_data_are_complete


def _ids_are_unique(table: str, key: str) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=table,
        name="ids_are_unique",
        description=f"Every delivered row has a {key}, and no two the same; the first row of an id is used.",
        pool=POOL,
    )
    def ids_are_unique(delivered: Table) -> dg.AssetCheckResult:
        return law(
            sql(
                f"""
                with numbered as (
                    select *, row_number() over (partition by trim({key}) order by source_file, source_row) as copy
                    from delivered
                )
                select * exclude (copy) from numbered where coalesce(trim({key}), '') = '' or copy > 1
                order by source_file, source_row
                """,
                delivered=delivered,
            ),
            delivered.count(),
            f"delivered rows have no {key} or one that came before",
            "They are not used. Correct the master data.",
            severity=dg.AssetCheckSeverity.WARN,
        )

    return ids_are_unique


def _campaign_checks() -> list[dg.AssetChecksDefinition]:
    return [
        _belongs_to_a_campaign("campaign_targets"),
        _belongs_to_a_campaign("campaign_responses"),
        _rows_are_read("campaign_targets", "trim(campaign_id) <> '' and trim(customer_id) <> ''"),
        _rows_are_read(
            "campaign_responses",
            f"trim(campaign_id) <> '' and trim(customer_id) <> '' and isfinite({utc_timestamp('responded_at')})",
        ),
        campaigns_are_read,
    ]


def _belongs_to_a_campaign(table: str) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=table,
        name="campaign_is_known",
        description=f"Every row of warehouse.{table} belongs to a campaign of warehouse.campaigns.",
        additional_ins={"campaigns": dg.AssetIn("campaigns")},
        pool=POOL,
    )
    def campaign_is_known(rows: Table, campaigns: Table) -> dg.AssetCheckResult:
        return law(
            sql("select * from rows anti join campaigns using (campaign_id)", rows=rows, campaigns=campaigns),
            rows.count(),
            f"rows of {table} name an unknown campaign",
            "Deliver the campaigns again.",
            severity=dg.AssetCheckSeverity.WARN,
        )

    return campaign_is_known


def _rows_are_read(table: str, readable: str) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=f"raw_{table}",
        name="rows_are_read",
        description=f"Every delivered row of {table} could be read: its ids are there, and a time that it has parses.",
        pool=POOL,
    )
    def rows_are_read(delivered: Table) -> dg.AssetCheckResult:
        return law(
            sql(f"select * from delivered where not coalesce({readable}, false)", delivered=delivered),
            delivered.count(),
            f"delivered rows of {table} can't be read",
            "They are not used. Correct their ids or times.",
            severity=dg.AssetCheckSeverity.WARN,
        )

    return rows_are_read


@table_check("campaigns", blocking=False)
def campaigns_are_read(campaigns: Table, raw_campaigns: Table) -> dg.AssetCheckResult:
    """Every delivered campaign could be read: an id of its own, days that parse, not ending before it starts."""
    return law(
        sql(
            """
            with numbered as (
                select *, row_number() over (partition by trim(campaign_id) order by source_file, source_row) as copy
                from raw_campaigns
            )
            select n.* exclude (copy) from numbered n left join campaigns c on trim(n.campaign_id) = c.campaign_id
            where c.campaign_id is null or n.copy > 1 order by source_file, source_row
            """,
            raw_campaigns=raw_campaigns,
            campaigns=campaigns,
        ),
        raw_campaigns.count(),
        "delivered campaigns can't be read or repeat an id",
        "They are not used. Correct their id or their days.",
        severity=dg.AssetCheckSeverity.WARN,
    )
