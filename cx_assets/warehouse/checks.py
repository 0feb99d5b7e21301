"""The laws of the warehouse: nothing lost, nothing broken, no day missing.

Belongs here: contract and reconciliation, which block. Does not: the structure of tables, which `table.checks` sees to.
"""

import dagster as dg

from cx_assets.dataset import Dataset
from cx_assets.settings import Settings
from cx_assets.table import Table, law, sql, table_check
from cx_assets.table.asset import POOL


def warehouse_checks(dataset: Dataset, settings: Settings) -> list[dg.AssetChecksDefinition]:
    """The stage's checks for a dataset and an operator's limits."""

    @table_check("events", blocking=True)
    def nothing_is_lost(raw_events: Table, events: Table, rejected_events: Table) -> dg.AssetCheckResult:
        """Per day: raw events = events + exact duplicates + rejected events."""
        days = sql(
            """
            with told as (select day, count(*) as raw from raw_events group by day),
            kept as (select day, count(*) as events, sum(copies) - count(*) as duplicates from events group by day),
            refused as (select day, count(*) as rejected from rejected_events group by day)
            select day, coalesce(raw, 0) as raw, coalesce(events, 0) as events,
                coalesce(duplicates, 0) as duplicates, coalesce(rejected, 0) as rejected
            from told full join kept using (day) full join refused using (day) order by day
            """,
            raw_events=raw_events,
            events=events,
            rejected_events=rejected_events,
        )
        totals = sql(
            "select count(*), coalesce(sum(raw), 0), coalesce(sum(events), 0), coalesce(sum(duplicates), 0), "
            "coalesce(sum(rejected), 0) from days",
            days=days,
        ).fetchone()
        return law(
            sql("select * from days where raw <> events + duplicates + rejected", days=days),
            totals[0],
            "days don't add up: raw = events + duplicates + rejected",
            "Materialize raw_events, events and rejected_events of these days together.",
            metadata={
                name: int(total)
                for name, total in zip(("raw", "events", "duplicates", "rejected"), totals[1:], strict=True)
            },
        )

    @table_check("rejected_events", blocking=True)
    def few_events_are_rejected(rejected_events: Table, raw_events: Table) -> dg.AssetCheckResult:
        """The share of rejected events stays under the operator's limit (CX_REJECTED_LIMIT)."""
        return law(
            sql(
                "select reason, source_file, source_row, occurred_at, customer_id, item_id, quantity, value, rating "
                "from rejected_events order by source_file, source_row",
                rejected_events=rejected_events,
            ),
            raw_events.count(),
            "delivered events break the contract; each is in warehouse.rejected_events with its reason, file and row",
            "Correct the export or the manifest, then materialize these days again.",
            limit=settings.rejected_limit,
            metadata={
                f"rejected: {reason}": count
                for reason, count in sql(
                    "select reason, count(*) from rejected_events group by reason order by reason",
                    rejected_events=rejected_events,
                ).fetchall()
            },
        )

    @table_check("events", blocking=True)
    def events_keep_the_contract(events: Table) -> dg.AssetCheckResult:
        """Every event has a customer, an item, a known type, a day of the dataset, and figures in their bounds.

        The quantity is above 0, the value not below 0, and a rating, which a rating event has, inside the scale.
        """
        low, high = dataset.rating_scale or (None, None)
        off_scale = f"not rating between {low} and {high}" if dataset.rating_scale else "rating is not null"
        return law(
            sql(
                f"""
                select * from events
                where customer_id = '' or item_id = '' or basket_id = '' or quantity <= 0 or value < 0
                    or cast(occurred_at as date) <> day
                    or day not between date '{dataset.first_day}' and date '{dataset.last_known_day}'
                    or event_type not in ('purchase', 'view', 'cart', 'rating')
                    or (event_type = 'rating' and rating is null) or {off_scale}
                """,
                events=events,
            ),
            events.count(),
            "events break the contract",
            "Materialize events of these days again.",
        )

    @table_check("events", blocking=False)
    def no_day_is_missing(events: Table) -> dg.AssetCheckResult:
        """Between the first and the last day with events, every day has some."""
        gaps = sql(
            """
            with days as (select unnest(generate_series(min(day), max(day), interval 1 day))::date as day from events)
            select day from days where day not in (select day from events) order by day
            """,
            events=events,
        )
        span = sql("select coalesce(max(day) - min(day) + 1, 0) from events", events=events).fetchone()[0]
        return law(
            gaps,
            int(span),
            "days have no event",
            "If the shop was open, look for the files of these days, then materialize them.",
            severity=dg.AssetCheckSeverity.WARN,
        )

    @table_check("events", blocking=True)
    def there_are_events(events: Table) -> dg.AssetCheckResult:
        """At least one event keeps the contract: without any, there is nothing to learn from."""
        count = events.count()
        return dg.AssetCheckResult(
            passed=count > 0,
            description=f"{count:,} events."
            + ("" if count else " See warehouse.rejected_events for the reasons, or load days that have events."),
            metadata={"events": count},
        )

    return [
        nothing_is_lost,
        few_events_are_rejected,
        events_keep_the_contract,
        no_day_is_missing,
        there_are_events,
        _baskets_add_up(dataset),
        *_master_checks(),
    ]


def _master_checks() -> list[dg.AssetChecksDefinition]:
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


def _baskets_add_up(dataset: Dataset) -> dg.AssetChecksDefinition:
    types = ", ".join(f"'{name}'" for name in dataset.basket_event_types)

    @table_check("baskets", blocking=True)
    def baskets_add_up(baskets: Table, events: Table) -> dg.AssetCheckResult:
        """Every basket of an event is there, and its value and quantity are those of its events."""
        told = sql(
            f"""
            select
                customer_id, basket_id, true as told,
                sum(value) as value_of_events, sum(quantity) as quantity_of_events
            from events where event_type in ({types}) group by customer_id, basket_id
            """,
            events=events,
        )
        return law(
            sql(
                """
                with kept as (select customer_id, basket_id, true as kept, value, quantity from baskets)
                select customer_id, basket_id, value, value_of_events, quantity, quantity_of_events
                from kept full join told using (customer_id, basket_id)
                where told is null or kept is null
                    or abs(value - value_of_events) > 0.005 + 1e-9 * value_of_events
                    or abs(quantity - quantity_of_events) > 0.005 + 1e-9 * quantity_of_events
                order by customer_id, basket_id
                """,
                baskets=baskets,
                told=told,
            ),
            told.count(),
            "baskets differ from their events",
            "Materialize baskets again.",
        )

    return baskets_add_up


def _campaign_checks() -> list[dg.AssetChecksDefinition]:
    return [
        _belongs_to_a_campaign("campaign_targets"),
        _belongs_to_a_campaign("campaign_responses"),
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


@table_check("campaigns", blocking=False)
def campaigns_are_read(campaigns: Table, raw_campaigns: Table) -> dg.AssetCheckResult:
    """Every delivered campaign could be read: an id, days that parse, not ending before it starts."""
    return law(
        sql(
            "select * from raw_campaigns r anti join campaigns c on trim(r.campaign_id) = c.campaign_id",
            raw_campaigns=raw_campaigns,
            campaigns=campaigns,
        ),
        raw_campaigns.count(),
        "delivered campaigns can't be read",
        "They are not used. Correct their id or their days.",
        severity=dg.AssetCheckSeverity.WARN,
    )
