"""`table_asset` and `table_check`: a function of tables becomes a Dagster asset or check.

Belongs here: what every asset and check of the project has in common, said once. Does not: anything of one stage.
"""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import dagster as dg

from cx_assets.table.metadata import declaration_metadata
from cx_assets.table.schema import TableSpec

OWNER = "team:customer-experience"
POOL = "warehouse"

AnyFunction = Callable[..., Any]


def table_asset(
    spec: TableSpec,
    *,
    code_version: str,
    kinds: Sequence[str] = (),
    partitions_def: dg.PartitionsDefinition | None = None,
    deps: Sequence[str] = (),
    whole: Sequence[str] = (),
) -> Callable[[AnyFunction], dg.AssetsDefinition]:
    """Make an asset of a function from tables to one table.

    The function's parameters name the tables it reads; its docstring is what the UI shows; it returns a Table, a
    DataFrame or an Arrow table with the declared columns.

    Args:
        spec: the table's declaration, which gives the asset its name, group and schema.
        code_version: raised by whoever changes what the function computes.
        kinds: what makes it, besides duckdb: python, scikitlearn.
        partitions_def: days, for what is loaded by day.
        deps: assets that must come first without being read.
        whole: tables by other partitions that are read whole, not just the time that the run's own partitions span.
    """

    def decorate(function: AnyFunction) -> dg.AssetsDefinition:
        made = dg.asset(
            name=spec.name,
            group_name=spec.group,
            kinds={"duckdb", *kinds},
            owners=[OWNER],
            metadata=declaration_metadata(spec),
            io_manager_key="tables",
            code_version=code_version,
            partitions_def=partitions_def,
            deps=list(deps),
            ins={name: dg.AssetIn(partition_mapping=dg.AllPartitionMapping()) for name in whole},
            pool=POOL,
        )(function)
        # Without it a range on the command line is one run per day.
        return made.with_attributes(backfill_policy=dg.BackfillPolicy.single_run())

    return decorate


def table_check(
    asset: str, *, blocking: bool, name: str | None = None, description: str | None = None
) -> Callable[[AnyFunction], dg.AssetChecksDefinition]:
    """Make a check of a function from tables to a verdict.

    Args:
        asset: the table that the verdict is about.
        blocking: whether what follows in the run waits for a pass; publishing waits for every blocking check.
        name: the check's name where the function's own won't do.
        description: what it says where that depends on the dataset; else the function's docstring.
    """

    def decorate(function: AnyFunction) -> dg.AssetChecksDefinition:
        parameters = [p.name for p in inspect.signature(function).parameters.values() if _is_table(p)]
        return dg.asset_check(
            asset=asset,
            name=name,
            description=description or inspect.getdoc(function),
            additional_ins={p: dg.AssetIn(p) for p in parameters if p != asset},
            blocking=blocking,
            pool=POOL,
        )(function)

    return decorate


def _is_table(parameter: inspect.Parameter) -> bool:
    """Whether a parameter asks for a table, rather than for Dagster's context, configuration or a resource."""
    given = (dg.AssetCheckExecutionContext, dg.Config, dg.ConfigurableResource)
    return not (isinstance(parameter.annotation, type) and issubclass(parameter.annotation, given))
