"""The asset of what is known of customers but stands in no table: it fills the vault, and tells how many.

Belongs here: the asset and its check, which a dataset with a part `privacy` has. Does not: the vault (`vault`).
"""

from dataclasses import asdict

import dagster as dg
import pandas as pd

from cx_assets.dataset import Dataset
from cx_assets.linking import SAME_ID
from cx_assets.privacy.declaration import OWN_ID
from cx_assets.privacy.mapping import is_identifier
from cx_assets.privacy.protection import Protection
from cx_assets.privacy.sealing import SealBrokenError
from cx_assets.table import Table, column, law, schema, sql, table_asset, table_check
from cx_assets.table.warehouse import Warehouse

PERSONAL_COLUMNS = schema(
    "ingestion",
    "personal_columns",
    "One row per personal column, with where it is kept.",
    column("name", "varchar", "What the manifest calls it; customer_id is the shop's own id of a customer."),
    column("keep", "varchar", "vault: encrypted, in the vault alone; drop: nowhere."),
    column("customers", "bigint", "How many customers have a value in the vault; none where it is dropped."),
    key=("name",),
)


def privacy_assets(dataset: Dataset, protection: Protection) -> list[dg.AssetsDefinition]:
    """The stage's asset, for a dataset with personal data."""
    if dataset.privacy is None:
        return []
    keep = {OWN_ID: "vault", **{name: column.keep for name, column in dataset.privacy.personal.items()}}

    @table_asset(PERSONAL_COLUMNS, kinds=["file"], code_version="1")
    def personal_columns(context: dg.AssetExecutionContext) -> pd.DataFrame:
        """One row per personal column of the customers, with where it is kept and of how many. Fills the vault."""
        vault = protection.vault()
        stored = vault.store(protection.vault_records())
        counts = vault.audit()
        context.add_output_metadata({f"customers {name}": count for name, count in asdict(stored).items()})
        rows = [(name, place, counts.get(name, 0)) for name, place in keep.items()]
        return pd.DataFrame(rows, columns=["name", "keep", "customers"])

    return [personal_columns]


def privacy_checks(dataset: Dataset, protection: Protection) -> list[dg.AssetChecksDefinition]:
    """The stage's checks, for a dataset with personal data."""
    if dataset.privacy is None:
        return []

    @table_check("personal_columns", blocking=True)
    def the_vault_opens_and_is_complete(personal_columns: Table) -> dg.AssetCheckResult:
        """Every field in the vault can be opened with the key, as what and whose it is, and none is missing."""
        told = dict(sql("select name, customers from t", t=personal_columns).fetchall())
        try:
            found = protection.vault().audit()
        except (SealBrokenError, LookupError) as error:
            return dg.AssetCheckResult(passed=False, description=f"{error}. Materialize personal_columns again.")
        wrong = [(name, told.get(name, 0), found.get(name, 0)) for name in {*told, *found}]
        return law(
            pd.DataFrame([row for row in wrong if row[1] != row[2]], columns=["name", "told", "in the vault"]),
            len(told),
            "personal columns are in the vault for other customers than told",
            "Materialize personal_columns again.",
        )

    return [the_vault_opens_and_is_complete, *_pseudonym_checks(dataset)]


def _pseudonym_checks(dataset: Dataset) -> list[dg.AssetChecksDefinition]:
    identifiers = dataset.privacy.identifiers if dataset.privacy else ()
    linked = tuple(name for name in SAME_ID if dataset.has_links and is_identifier(dataset, name))
    tables = {
        "raw_events": (*identifiers, *linked),
        "raw_customers": ("customer_id",),
        "raw_campaign_targets": ("customer_id",),
        "raw_campaign_responses": ("customer_id",),
    }
    return [_identifiers_are_pseudonyms(table, columns) for table, columns in tables.items()]


def _identifiers_are_pseudonyms(table: str, columns: tuple[str, ...]) -> dg.AssetChecksDefinition:
    clear = " or ".join(f"not regexp_full_match({name}, '([0-9a-f]{{32}})?')" for name in columns)

    @table_check(table, blocking=True, name="identifiers_are_pseudonyms")
    def identifiers_are_pseudonyms(warehouse: Warehouse) -> dg.AssetCheckResult:
        """No identifier stands in the clear, such as on days that were loaded before the manifest had `privacy`."""
        rows = warehouse.query(f"select count(*), count(*) filter ({clear}) from ingestion.{table}").fetchone()
        broken = int(rows[1])
        return dg.AssetCheckResult(
            passed=not broken,
            description=f"{broken:,} of {rows[0]:,} rows of ingestion.{table} have an identifier in the clear."
            + (" Move the working database away and run all days again: deleted rows stay in its file." * bool(broken)),
            metadata={"broken": broken, "rows": int(rows[0])},
        )

    return identifiers_are_pseudonyms
