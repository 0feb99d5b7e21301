"""The laws of the contract of events: who keeps it, how many may break it, and what stops a run at once.

Belongs here: checks whose text comes from the same clauses that events are judged by. Does not: reconciliation
(`checks`).
"""

from cx_assets.dataset import Dataset
from cx_assets.ingestion.tables import RAW_EVENTS
from cx_assets.ingestion.times import local_day
from cx_assets.table import Table, sql
from cx_assets.table.laws import Judgement, Law, judgement, table_law
from cx_assets.table.removed import of_whole_days
from cx_assets.table.schema import literal
from cx_assets.warehouse.clauses import Clause, any_broken, event_clauses

# Days with fewer delivered events are too small to be judged by a share.
ENOUGH_ROWS = 100
# Of the days that are refused, the latest.
NAMED = 3
# What is stored of them isn't what was delivered: a hash, and the customer's day where no basket was.
NOT_AS_DELIVERED = ("event_id", "basket_id")


def contract_laws(dataset: Dataset) -> list[Law]:
    """The checks of a dataset's contract of events."""
    clauses = event_clauses(dataset)
    limit = dataset.contract.events.day_limit
    timeless = ", ".join(literal(clause.reason) for clause in clauses if clause.column == "occurred_at")
    # Returns may have taken something off.
    other = (*NOT_AS_DELIVERED, *(("quantity", "value") if dataset.has_links else ()))
    asked = [clause for clause in clauses if clause.asks == "row" and clause.column not in other]

    @table_law("rejected_events", blocking=True)
    def no_day_is_mostly_rejected(rejected_events: Table, raw_events: Table) -> Judgement:
        """On no day with enough events do more break the contract than the manifest's day_limit, half if not given.

        In a year, one broken export hides under the limit of all. Rows that tell no usable time are left out: they are
        carried by the dataset's first day, whatever their own was. So are days that lost raw events: of their rows
        those that found nothing to cancel or return are all left, and the others hardly.
        """
        days = sql(
            f"""
            with told as (
                select day, count(*) as delivered from raw_events group by day having count(*) >= {ENOUGH_ROWS}
            ), refused as (
                select day, count(*) as rejected, mode(reason order by reason) as mostly
                from rejected_events where reason not in ({timeless}) group by day
            )
            select day, delivered, coalesce(rejected, 0) as rejected, mostly
            from told left join refused using (day) order by day
            """,
            raw_events=of_whole_days(raw_events, RAW_EVENTS.qualified),
            rejected_events=rejected_events,
        )
        broken = sql(f"select * from days where rejected > {limit} * delivered", days=days)
        return judgement(
            broken,
            days.count(),
            f"days have|has more than {limit:.4g} of their|its events rejected",
            _refused_days(broken),
        )

    @table_law("events", blocking=True, description=_promise([clause.reason for clause in asked]))
    def events_keep_the_contract(events: Table) -> Judgement:
        return judgement(
            sql(
                f"""
                with typed as (
                    select
                        * replace (coalesce(delivered_customer_id, customer_id) as customer_id), occurred_at as at_,
                        cast(occurred_at as varchar) as time_given, cast(quantity as varchar) as quantity_given,
                        cast(value as varchar) as value_given, cast(rating as varchar) as rating_given
                    from events
                )
                select * exclude (at_, time_given, quantity_given, value_given, rating_given) from typed
                where basket_id = '' or quantity <= 0 or value < 0
                    or {local_day("occurred_at", dataset.timezone)} <> day or {any_broken(asked)}
                """,
                events=events,
            ),
            events.count(),
            "events break|breaks the contract",
            "Materialize events of these days again.",
        )

    stopping = [clause.reason for clause in clauses if clause.on_broken == "stop"]
    stops = [_nothing_stops_the_run(stopping)] if stopping else []
    unique = [_unique_on_all_days(clause) for clause in clauses if clause.asks == "others"]
    return [no_day_is_mostly_rejected, events_keep_the_contract, *stops, *unique, no_value_is_rejected]


def _refused_days(days: Table) -> str:
    """The latest of the days that are refused, with what is wrong with them, and what to do."""
    rows = days.fetchall()
    if not rows:
        return ""
    told = [f"{day}: {rejected:,} of {delivered:,}, mostly '{mostly}'" for day, delivered, rejected, mostly in rows]
    more = f"; and {len(told) - NAMED} more" if len(told) > NAMED else ""
    return (
        f"{'; '.join(told[-NAMED:])}{more}. `cx rejected --working --day {rows[-1][0]}` lists them: correct the export "
        "of these days, then load them again."
    )


def _promise(reasons: list[str]) -> str:
    return f"Every event has a basket, is on its day, and keeps the contract. None is there with {'; '.join(reasons)}."


def _nothing_stops_the_run(reasons: list[str]) -> Law:
    told = ", ".join(map(literal, reasons))

    @table_law(
        "rejected_events",
        blocking=True,
        description=f"No event breaks what the manifest stops a run for (on_broken: stop): {'; '.join(reasons)}.",
    )
    def nothing_stops_the_run(rejected_events: Table) -> Judgement:
        broken = sql(
            f"select * from rejected_events where reason in ({told}) order by source_file, source_row",
            rejected_events=rejected_events,
        )
        return judgement(
            broken,
            rejected_events.count(),
            "rejected events break|breaks what stops a run (on_broken: stop)",
            "Correct the export or the manifest, then materialize these days again.",
        )

    return nothing_stops_the_run


def _unique_on_all_days(clause: Clause) -> Law:
    """A law, since which of two days' events is rejected would hang on the order in which the days come."""
    column, stops = clause.column, clause.on_broken == "stop"

    @table_law(
        "events",
        blocking=stops,
        name=f"{column}_is_unique_on_all_days",
        description=f"No {column} is that of events on several days; within a day only the first is kept.",
    )
    def unique_on_all_days(events: Table, raw_events: Table) -> Judgement:
        told = sql(
            f"""
            select nullif(trim({column}), '') as {column}, day, source_file, source_row
            from raw_events semi join events using (day, source_file, source_row) where {column} is not null
            """,
            raw_events=raw_events,
            events=events,
        )
        repeated = sql(
            f"""
            select
                {column}, count(*) as events, min(day) as first_day, max(day) as last_day,
                max_by(source_file, (day, source_file, source_row)) as last_file,
                max_by(source_row, (day, source_file, source_row)) as last_row
            from told group by {column} having min(day) < max(day) order by {column}
            """,
            told=told,
        )
        of = sql(f"select count(distinct {column}) from told", told=told).fetchone()[0]
        return judgement(
            repeated,
            int(of),
            f"values of {column} are|is shared by events on several days",
            "Correct the export and materialize these days again, or declare `corrections` where a later one replaces "
            "an earlier one.",
            warns=not stops,
        )

    return unique_on_all_days


@table_law("rejected_values", blocking=False)
def no_value_is_rejected(rejected_values: Table) -> Judgement:
    """No value breaks the contract while its row is kept; one that does counts as missing, and is told here."""
    told = sql(
        "select delivered_as || ': ' || reason, count(*) from rejected_values group by all order by all",
        rejected_values=rejected_values,
    ).fetchall()
    total = sum(count for _, count in told)
    return Judgement(
        passed=not told,
        warns=True,
        text=f"{total:,} values of rows that are kept break the contract and count as missing."
        + (" Each is in warehouse.rejected_values with its reason, file and row: correct them there." if told else ""),
        figures={"values": total, **dict(told)},
    )
