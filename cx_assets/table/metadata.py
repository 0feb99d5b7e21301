"""A table's declaration as Dagster knows it: what the UI shows before the first run, and reading it back.

Belongs here: the way there and back. Does not: the declaration itself (`schema`), which commands that run nothing use
without Dagster.
"""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from cx_assets.table.schema import Column, TableSpec


def declaration_metadata(spec: TableSpec) -> dict[str, Any]:
    """A declaration as Dagster shows it before the first run: schema, table name, key."""
    columns = [
        dg.TableColumn(
            c.name, type=c.type, description=c.description, constraints=dg.TableColumnConstraints(nullable=c.nullable)
        )
        for c in spec.columns
    ]
    constraints = dg.TableConstraints([f"unique ({', '.join(spec.key)})"]) if spec.key else None
    return {
        "dagster/column_schema": dg.TableSchema(columns, constraints),
        "dagster/table_name": spec.qualified,
        "key": list(spec.key),
    }


def declared_in(metadata: Mapping[str, Any]) -> TableSpec:
    """The declaration that `declaration_metadata` made, read back from an asset's definition, without its description.

    Raises:
        KeyError: if the asset isn't a declared table.
    """
    group, name = _plain(metadata["dagster/table_name"]).split(".")
    columns = tuple(
        Column(c.name, c.type, c.description or "", c.constraints.nullable)
        for c in _plain(metadata["dagster/column_schema"]).columns
    )
    return TableSpec(group, name, "", columns, tuple(_plain(metadata["key"])))


def _plain(value: Any) -> Any:
    """What a metadata entry holds, whether Dagster has wrapped it or not."""
    return value.value if isinstance(value, dg.MetadataValue) else value
