"""The laws of merged customers: one step to the id that counts, every event under it, nothing merged by chance.

Belongs here: what is asked of `customer_merges` and of what it renames. Does not: finding merges (`merges`).
"""

from cx_assets.dataset import Dataset
from cx_assets.table import Table, sql
from cx_assets.table.laws import Judgement, Law, judgement, table_law
from cx_assets.warehouse.merges import crowded_keys, told_keys
from cx_assets.warehouse.renaming import misnamed


def merge_laws(dataset: Dataset) -> list[Law]:
    """The checks of merges for a dataset's keys."""
    keys = list(dataset.merge_keys())
    rule = dataset.merge_customers
    applied = rule.by if rule else ()
    undecided = [name for name in keys if name not in applied]

    @table_law("customer_merges", blocking=True)
    def merges_end_at_a_customer_who_stays(customer_merges: Table, raw_customers: Table) -> Judgement:
        """Whoever is merged is merged into a delivered customer, who isn't merged into another."""
        return judgement(
            sql(
                """
                select m.* from customer_merges m
                where m.merged_into in (select customer_id from customer_merges)
                    or m.merged_into not in (select trim(customer_id) from raw_customers where customer_id is not null)
                order by m.customer_id
                """,
                customer_merges=customer_merges,
                raw_customers=raw_customers,
            ),
            customer_merges.count(),
            "merges lead|leads to a customer who isn't there or is merged too",
            "Materialize customer_merges again.",
        )

    @table_law("raw_customers", blocking=False)
    def no_key_is_a_crowds(raw_customers: Table) -> Judgement:
        """No key that customers are merged by is shared by more of them than a person has; such a key merges nobody."""
        told = told_keys(raw_customers, applied)
        return judgement(
            crowded_keys(told, rule.at_most if rule else 0),
            sql("select distinct key_kind, key from told", told=told).count(),
            "keys are|is shared by too many customers, and merge|merges nobody",
            "Look at some of them: a family's or a shop's own number is right as it is; if they are one person, raise "
            "merge_customers.at_most in the manifest.",
            warns=True,
        )

    @table_law("customer_merges", blocking=False)
    def duplicates_are_decided(customer_merges: Table, raw_customers: Table) -> Judgement:
        """No customer shares a declared key that the manifest's merge_customers doesn't name."""
        told = told_keys(raw_customers, undecided)
        return judgement(
            sql(
                """
                with counting as (
                    select told.* replace (coalesce(merged_into, told.customer_id) as customer_id)
                    from told left join customer_merges m on m.customer_id = told.customer_id
                ), shared as (
                    select key_kind, key from counting group by key_kind, key having count(distinct customer_id) > 1
                )
                select customer_id, min(key_kind || ' ' || key) as key
                from counting semi join shared using (key_kind, key) group by customer_id order by key, customer_id
                """,
                told=told,
                customer_merges=customer_merges,
            ),
            raw_customers.count(),
            "customers share|shares a key with another and are|is not merged",
            "If they are the same persons, name the key in the manifest's merge_customers.by; if not, take it out of "
            "customers.merge_keys.",
            warns=True,
        )

    @table_law("events", blocking=True)
    def events_are_under_the_customer_who_counts(events: Table, customer_merges: Table) -> Judgement:
        """Every event is under the id that its customer is merged into, and under its own where there is no merge."""
        wrong = misnamed(events, customer_merges)
        days = sql("select distinct day from wrong", wrong=wrong).count()
        return judgement(
            sql("select * from wrong order by day, event_id", wrong=wrong),
            events.count(),
            f"events, on {days:,} days, are|is not under the customer who counts",
            "Materialize events, of any day: the days that merges have changed are cleaned anew with it.",
        )

    return [
        merges_end_at_a_customer_who_stays,
        no_key_is_a_crowds,
        duplicates_are_decided,
        events_are_under_the_customer_who_counts,
    ]
