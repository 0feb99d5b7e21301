"""The assets of linkage, which a dataset has that declares it: who is likely one person, and whether that will do."""

import dagster as dg
import pandas as pd

from cx_assets.dataset import Dataset
from cx_assets.ingestion.labelled_pairs import LabelledPair, labelled_pairs
from cx_assets.linkage import tables
from cx_assets.linkage.comparing import compared_kinds, compared_values
from cx_assets.linkage.judging import judge
from cx_assets.linkage.scoring import scored_pairs
from cx_assets.privacy.protection import Protection
from cx_assets.source import SourceError
from cx_assets.table import Table, markdown, sql, table_asset
from cx_assets.table.warehouse import Warehouse
from cx_assets.warehouse.master_contract import kept_rows
from cx_assets.warehouse.merges import told_keys


def linkage_assets(dataset: Dataset, protection: Protection) -> list[dg.AssetsDefinition]:
    """The assets for a dataset that declares linkage; none for another."""
    rule = dataset.merge_customers
    if rule is None or rule.linkage is None:
        return []
    linkage, by, at_most = rule.linkage, rule.by, rule.at_most

    @table_asset(tables.LINKAGE_PAIRS, kinds=["python"], code_version="1")
    def linkage_pairs(context: dg.AssetExecutionContext, warehouse: Warehouse, raw_customers: Table) -> pd.DataFrame:
        """One row per pair of delivered customers who are likelier one person than not, by Splink.

        What is compared is read from the customers' source in memory; the table has ids and likelihoods alone.
        """
        known = _known(raw_customers, dataset)
        records = {who: told for who, told in protection.compared_records().items() if who in known}
        pairs = scored_pairs(
            compared_values(records, linkage.compare), compared_kinds(linkage.compare), warehouse.memory_limit
        )
        context.add_output_metadata({"customers": len(records), "pairs": len(pairs)})
        return pairs

    @table_asset(tables.LINKAGE_JUDGEMENT, kinds=["python"], code_version="1")
    def linkage_judgement(
        context: dg.AssetExecutionContext, raw_customers: Table, linkage_pairs: pd.DataFrame
    ) -> pd.DataFrame:
        """One row per rule and metric: merging by keys alone and by linkage too, on labelled pairs kept for it.

        The threshold is chosen on the other labelled pairs. Where `accepted` is false, linkage merges nobody.
        """
        labels = labelled_pairs(dataset.folder, linkage.labels, protection.told_customer)
        _require_known(labels, _known(raw_customers, dataset), linkage.labels)
        verdict = judge(
            told_keys(kept_rows(raw_customers, dataset, "customers"), by).df(),
            linkage_pairs,
            labels,
            at_most=at_most,
            least_precision=linkage.least_precision,
        )
        context.add_output_metadata(
            {
                "accepted": verdict.accepted,
                "reason": verdict.reason,
                "labelled pairs": len(labels),
                "figures": dg.MetadataValue.md(markdown(verdict.figures.round(3))),
            }
        )
        return verdict.figures.assign(
            threshold=pd.Series(verdict.threshold, index=verdict.figures.index, dtype="float64"),
            accepted=verdict.accepted,
            reason=verdict.reason,
        )

    return [linkage_pairs, linkage_judgement]


def _known(raw_customers: Table, dataset: Dataset) -> frozenset[str]:
    """The delivered customers who keep the contract."""
    kept = kept_rows(raw_customers, dataset, "customers")
    rows = sql("select distinct trim(customer_id) from kept", kept=kept).fetchall()
    return frozenset(customer for (customer,) in rows)


def _require_known(labels: list[LabelledPair], known: frozenset[str], file: str) -> None:
    unknown = [pair.line for pair in labels if pair.customer_a not in known or pair.customer_b not in known]
    if unknown:
        raise SourceError(
            f"{file}:{unknown[0]}: a labelled customer is not among the delivered ones ({len(unknown):,} such lines). "
            "Correct the id, or take the line out."
        )
