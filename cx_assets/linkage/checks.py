"""The laws of linkage: pairs are of customers who are there, and it is told whether linkage is better than keys.

Belongs here: what a dataset is asked that declares linkage. Does not: the merges that come of it
(`warehouse.merge_checks`).
"""

import dagster as dg
import pandas as pd

from cx_assets.dataset import Dataset
from cx_assets.table import Table, law, markdown, sql, table_check


def linkage_checks(dataset: Dataset) -> list[dg.AssetChecksDefinition]:
    """The checks for a dataset that declares linkage; none for another."""
    if dataset.linkage is None:
        return []

    @table_check("linkage_pairs", blocking=True)
    def linked_customers_are_two_that_are_there(linkage_pairs: Table, raw_customers: Table) -> dg.AssetCheckResult:
        """A pair is two different customers, in their order, both of whom were delivered."""
        return law(
            sql(
                """
                with known as (select trim(customer_id) as customer_id from raw_customers)
                select * from linkage_pairs
                where customer_a >= customer_b
                    or customer_a not in (select customer_id from known where customer_id is not null)
                    or customer_b not in (select customer_id from known where customer_id is not null)
                order by customer_a, customer_b
                """,
                linkage_pairs=linkage_pairs,
                raw_customers=raw_customers,
            ),
            linkage_pairs.count(),
            "pairs name a customer who isn't there, or aren't in order",
            "Materialize linkage_pairs again.",
        )

    @table_check("linkage_judgement", blocking=False)
    def linkage_beats_the_exact_rule(linkage_judgement: pd.DataFrame) -> dg.AssetCheckResult:
        """Merging by linkage too is surely better than by keys alone on the labelled pairs, and surely precise."""
        told = linkage_judgement.iloc[0]
        values = linkage_judgement.set_index(["rule", "metric"])["value"]
        rules = [rule for rule in ("exact", "linkage") if (rule, "f1") in values.index]
        figures = "; ".join(
            f"{rule}: " + ", ".join(f"{metric} {values[rule, metric]:.3f}" for metric in ("precision", "recall", "f1"))
            for rule in rules
        )
        return dg.AssetCheckResult(
            passed=bool(told["accepted"]),
            severity=dg.AssetCheckSeverity.WARN,
            description=f"{told['reason']} On the pairs to judge by: {figures}.",
            metadata={
                "accepted": bool(told["accepted"]),
                "figures": dg.MetadataValue.md(
                    markdown(linkage_judgement[["rule", "metric", "value", "ci_low", "ci_high", "pairs"]].round(3))
                ),
            },
        )

    return [linked_customers_are_two_that_are_there, linkage_beats_the_exact_rule]
