"""What a table is, said once: its name, its columns, what they mean and what makes a row unique.

Belongs here: the declaration (`schema`, `column`) and what is derived from it: the DDL, the metadata that the UI shows
before the first run, the data dictionary. Does not: reading or writing rows (`io_manager`) or judging them (`checks`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import dagster as dg


@dataclass(frozen=True)
class TableSpec:
    """The declaration of one table.

    Attributes:
        group: the stage; the asset's group and the DuckDB schema.
        name: the asset's name and the DuckDB table.
        description: one row per what, for whom.
        columns: names, DuckDB types, meanings and nullability, in order.
        key: the columns that identify a row together; empty for a table without an identity.
    """

    group: str
    name: str
    description: str
    columns: dg.TableSchema
    key: tuple[str, ...]

    @property
    def qualified(self) -> str:
        """The table's name in DuckDB, `group.name`."""
        return f"{self.group}.{self.name}"

    @property
    def column_names(self) -> list[str]:
        """The declared names, in order."""
        return [c.name for c in self.columns.columns]

    @property
    def required(self) -> list[str]:
        """The names of the columns that are never null."""
        return [c.name for c in self.columns.columns if not c.constraints.nullable]

    @property
    def window_column(self) -> str:
        """The column that says which partition a row is of: `day`, or the as-of date of a table by as-of dates."""
        return "day" if "day" in self.column_names else "as_of"

    def ddl(self, table: str | None = None) -> str:
        """`create table` for this declaration, under another name if `table` is given."""
        lines = ", ".join(
            f"{quoted(c.name)} {c.type}{'' if c.constraints.nullable else ' not null'}" for c in self.columns.columns
        )
        return f"create or replace table {table or self.qualified} ({lines})"

    def no_rows(self) -> str:
        """A query with the declared columns and no row."""
        columns = ", ".join(f"cast(null as {c.type}) as {quoted(c.name)}" for c in self.columns.columns)
        return f"select {columns} limit 0"

    def metadata(self) -> dict[str, Any]:
        """The declaration as Dagster shows it before the first run: schema, table name, key."""
        return {"dagster/column_schema": self.columns, "dagster/table_name": self.qualified, "key": list(self.key)}

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, Any]) -> "TableSpec":
        """The declaration that `metadata` made, read back from an asset's definition.

        Raises:
            KeyError: if the asset isn't a declared table.
        """
        group, name = _plain(metadata["dagster/table_name"]).split(".")
        return cls(group, name, "", _plain(metadata["dagster/column_schema"]), tuple(_plain(metadata["key"])))


def column(name: str, dtype: str, description: str, *, nullable: bool = False) -> dg.TableColumn:
    """A column: its name, its DuckDB type in lower case, what it means, and whether it may be null."""
    return dg.TableColumn(
        name, type=dtype, description=description, constraints=dg.TableColumnConstraints(nullable=nullable)
    )


def schema(group: str, name: str, description: str, *columns: dg.TableColumn, key: tuple[str, ...] = ()) -> TableSpec:
    """Declare a table.

    Raises:
        ValueError: if a column is declared twice or the key names a column that is not declared.
    """
    names = [c.name for c in columns]
    if len(set(names)) < len(names):
        raise ValueError(
            f"{group}.{name}: a column is declared twice: {sorted(n for n in names if names.count(n) > 1)}"
        )
    if unknown := set(key) - set(names):
        raise ValueError(f"{group}.{name}: the key names undeclared columns: {sorted(unknown)}")
    constraints = dg.TableConstraints([f"unique ({', '.join(key)})"]) if key else None
    return TableSpec(group, name, description, dg.TableSchema(list(columns), constraints), key)


def _plain(value: Any) -> Any:
    """What a metadata entry holds, whether Dagster has wrapped it or not."""
    return value.value if isinstance(value, dg.MetadataValue) else value


def quoted(name: str) -> str:
    """`name` as a SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: str) -> str:
    """`value` as a SQL string."""
    return "'" + value.replace("'", "''") + "'"


def instant(moment: datetime) -> str:
    """`moment`, UTC without zone, as a SQL timestamp."""
    return f"timestamp '{moment:%Y-%m-%d %H:%M:%S.%f}'"
