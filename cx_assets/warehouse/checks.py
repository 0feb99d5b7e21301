"""The laws of the warehouse: nothing lost, no day missing.

Belongs here: reconciliation, which blocks. Does not: the contract (`contract_checks`) or the structure of tables, which
`table.checks` sees to.
"""

from cx_assets.dataset import Dataset
from cx_assets.ingestion.tables import RAW_EVENTS
from cx_assets.settings import Settings
from cx_assets.table import Table, sql
from cx_assets.table.laws import Judgement, Law, judgement, table_law
from cx_assets.table.removed import of_whole_days
from cx_assets.warehouse.contract_checks import contract_laws
from cx_assets.warehouse.master_checks import master_laws
from cx_assets.warehouse.merge_checks import merge_laws
from cx_assets.warehouse.reconciliation import PARTS, day_counts, unaccounted


def warehouse_laws(dataset: Dataset, settings: Settings) -> list[Law]:
    """The stage's checks for a dataset and an operator's limits."""

    @table_law("events", blocking=True)
    def nothing_is_lost(raw_events: Table, events: Table, rejected_events: Table, withdrawn_events: Table) -> Judgement:
        """Per day: raw events = events + exact duplicates + rejected events + withdrawn events.

        Of a day whose raw events have been kept for long enough and were removed, it holds for those that stayed.
        """
        delivered = raw_events, events, rejected_events, withdrawn_events
        days = day_counts(*delivered)
        names = ("raw", *PARTS)
        sums = ", ".join(f"coalesce(sum({name}), 0)" for name in names)
        of, *totals = sql(f"select count(*), {sums} from days", days=days).fetchone()
        return judgement(
            unaccounted(*delivered),
            of,
            f"days don't|doesn't add up: raw = {' + '.join(PARTS)}",
            "Materialize raw_events, withdrawn_events, events and rejected_events of these days together.",
            figures={name: int(total) for name, total in zip(names, totals, strict=True)},
        )

    @table_law("withdrawn_events", blocking=True)
    def withdrawn_events_name_two_rows(withdrawn_events: Table, raw_events: Table) -> Judgement:
        """A withdrawn event and the row that took it off are two different rows, both of which were delivered."""
        return judgement(
            sql(
                """
                with told as (select day, source_file, source_row from raw_events)
                select * from withdrawn_events
                where (day, source_file, source_row) = (other_day, other_file, other_row)
                    or (day, source_file, source_row) not in (select (day, source_file, source_row) from told)
                    or (other_day, other_file, other_row) not in (select (day, source_file, source_row) from told)
                order by source_file, source_row
                """,
                withdrawn_events=withdrawn_events,
                raw_events=raw_events,
            ),
            withdrawn_events.count(),
            "withdrawn events don't|doesn't name two delivered rows",
            "Materialize withdrawn_events again.",
        )

    @table_law("rejected_events", blocking=True)
    def few_events_are_rejected(rejected_events: Table, raw_events: Table) -> Judgement:
        """The share of rejected events stays under the operator's limit (CX_REJECTED_LIMIT).

        Days that lost raw events aren't asked: what is left of them is no sample of what was delivered.
        """
        rejected_events, raw_events = (of_whole_days(t, RAW_EVENTS.qualified) for t in (rejected_events, raw_events))
        return judgement(
            sql(
                "select reason, source_file, source_row, occurred_at, customer_id, item_id, quantity, value, rating "
                "from rejected_events order by source_file, source_row",
                rejected_events=rejected_events,
            ),
            raw_events.count(),
            "delivered events break|breaks the contract; each is in warehouse.rejected_events with its reason, file "
            "and row",
            "Correct the export or the manifest, then materialize these days again.",
            limit=settings.rejected_limit,
            figures={
                f"rejected: {reason}": count
                for reason, count in sql(
                    "select reason, count(*) from rejected_events group by reason order by reason",
                    rejected_events=rejected_events,
                ).fetchall()
            },
        )

    @table_law("events", blocking=False)
    def no_day_is_missing(events: Table) -> Judgement:
        """Between the first and the last day with events, every day has some."""
        gaps = sql(
            """
            with days as (select unnest(generate_series(min(day), max(day), interval 1 day))::date as day from events)
            select day from days where day not in (select day from events) order by day
            """,
            events=events,
        )
        span = sql("select coalesce(max(day) - min(day) + 1, 0) from events", events=events).fetchone()[0]
        return judgement(
            gaps,
            int(span),
            "days have|has no event",
            "If the shop was open, look for the files of these days, then materialize them.",
            warns=True,
        )

    @table_law("events", blocking=True)
    def there_are_events(events: Table) -> Judgement:
        """At least one event keeps the contract: without any, there is nothing to learn from."""
        count = events.count()
        return Judgement(
            passed=count > 0,
            text=f"{count:,} events."
            + ("" if count else " See warehouse.rejected_events for the reasons, or load days that have events."),
            figures={"events": count},
        )

    return [
        nothing_is_lost,
        withdrawn_events_name_two_rows,
        few_events_are_rejected,
        *contract_laws(dataset),
        no_day_is_missing,
        there_are_events,
        _baskets_add_up(dataset),
        *master_laws(dataset),
        *merge_laws(dataset),
    ]


def _baskets_add_up(dataset: Dataset) -> Law:
    types = ", ".join(f"'{name}'" for name in dataset.basket_event_types)

    @table_law("baskets", blocking=True)
    def baskets_add_up(baskets: Table, events: Table) -> Judgement:
        """Every basket of an event is there, and its items, value and quantity are those of its events."""
        told = sql(
            f"""
            select
                customer_id, basket_id, true as told,
                sum(value) as value_of_events, sum(quantity) as quantity_of_events,
                count(distinct item_id) as items_of_events
            from events where event_type in ({types}) group by customer_id, basket_id
            """,
            events=events,
        )
        return judgement(
            sql(
                """
                with kept as (select customer_id, basket_id, true as kept, items, value, quantity from baskets)
                select
                    customer_id, basket_id, items, items_of_events, value, value_of_events, quantity, quantity_of_events
                from kept full join told using (customer_id, basket_id)
                where told is null or kept is null or items <> items_of_events
                    or abs(value - value_of_events) > 0.005 + 1e-9 * value_of_events
                    or abs(quantity - quantity_of_events) > 0.005 + 1e-9 * quantity_of_events
                order by customer_id, basket_id
                """,
                baskets=baskets,
                told=told,
            ),
            told.count(),
            "baskets differ|differs from their|its events",
            "Materialize baskets again.",
        )

    return baskets_add_up
