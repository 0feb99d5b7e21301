"""How likely two customers are one person: the model of Fellegi and Sunter, fitted by Splink.

Belongs here: all that touches the library `splink`, which is an optional extra. Does not: what is compared
(`comparing`) or from which likelihood on customers are merged (`judging`).

What is compared is personal: it is on a connection in memory that may spill nowhere, the library's log is off, and what
it raises is told without its words, which quote SQL and values.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pandas as pd

from cx_assets.merging import ComparedKind
from cx_assets.table.connection import connect

SAMPLED_PAIRS = 500_000
"""Pairs of customers by which it is learnt how often those who aren't one person are alike."""
SEED = 0


class LinkageError(Exception):
    """Customers can't be linked."""


def scored_pairs(values: pd.DataFrame, kinds: Mapping[str, ComparedKind], memory_limit: str = "1GB") -> pd.DataFrame:
    """Pairs of customers who are likelier one person than not.

    Each compared column adds log2 of m / u: how often it is as alike as here among customers who are one person, over
    how often among those who aren't. Rare values that are equal add more than common ones. u is learnt from a sample of
    all pairs, m by expectation maximisation without any labels; what is never seen keeps the library's default. Before
    anything is compared, every customer is as likely as not to have a second registration somewhere.

    Args:
        values: as `comparing.compared_values` returns it.
        kinds: of its columns `value_*`.
        memory_limit: as DuckDB spells it, besides what the warehouse holds; nothing spills to disk.

    Returns:
        customer_a and customer_b (text, a before b), match_weight (float64, log2 of the odds, four decimals), ordered
        by customers; the same for the same values in any order: one thread sums, and the sample has a seed.

    Raises:
        LinkageError: if Splink isn't installed, or can't fit these values.

    Source: Fellegi & Sunter (1969), "A theory for record linkage"; Splink (Linacre et al. 2022, "Splink: free software
    for probabilistic record linkage at scale").
    """
    if len(values) < 2:
        return _no_pairs()
    try:
        with _silent(), connect(None, memory_limit, threads=1) as connection:
            connection.execute("set temp_directory = ''")
            return _fitted(connection, values, kinds)
    except ImportError:
        raise LinkageError(
            "linkage needs Splink, which is not installed. Install it: pip install 'cx_assets[linkage]'."
        ) from None
    except Exception as error:  # its text may quote what is compared
        raise LinkageError(
            f"Splink could not link the customers ({type(error).__name__}; its words would quote what is compared). If "
            "it ran out of memory, raise CX_MEMORY_LIMIT; else look at merge_customers.linkage.compare: each column "
            "needs values, and of some of them equal ones. Without that part merges go by keys alone."
        ) from None


def _fitted(connection: Any, values: pd.DataFrame, kinds: Mapping[str, ComparedKind]) -> pd.DataFrame:
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    blocks = [column.replace("value_", "block_", 1) for column in kinds]
    # A block that nobody shares has no pair to learn from, of which the library complains.
    shared = [block for block in blocks if values[block].dropna().duplicated().any()]
    if not shared:
        return _no_pairs()
    settings = SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="customer_id",
        comparisons=[_comparison(column, kind) for column, kind in kinds.items()],
        blocking_rules_to_generate_predictions=[block_on(block) for block in shared],
        probability_two_random_records_match=1 / len(values),
        retain_matching_columns=False,
    )
    linker = Linker(DuckDBAPI(connection).register(_texts(values), table_name="customers"), settings, log_level=None)
    linker.training.estimate_u_using_random_sampling(max_pairs=SAMPLED_PAIRS, seed=SEED, num_chunks=1)
    for block in shared:
        value = block.replace("block_", "value_", 1)
        if values.loc[values[block].notna(), value].dropna().duplicated().any():
            linker.training.estimate_parameters_using_expectation_maximisation(block_on(block, value))
    found = linker.inference.predict(threshold_match_weight=0, warning_mode="never")
    scored: pd.DataFrame = connection.sql(
        f"""
        select
            least(customer_id_l, customer_id_r) as customer_a, greatest(customer_id_l, customer_id_r) as customer_b,
            round(match_weight, 4) as match_weight
        from {found.physical_name} order by customer_a, customer_b
        """
    ).df()
    return scored


def _comparison(column: str, kind: ComparedKind) -> Any:
    from splink import comparison_library as library

    match kind:
        case "name":
            return library.NameComparison(column).configure(term_frequency_adjustments=True)
        case "email":
            return library.EmailComparison(column)
        case "phone":
            return library.LevenshteinAtThresholds(column, [1, 2])
        case "day":
            return library.DamerauLevenshteinAtThresholds(column, [1, 2])
        case "address":
            return library.JaroWinklerAtThresholds(column, [0.95, 0.88])
        case "text":
            return library.ExactMatch(column).configure(term_frequency_adjustments=True)


def _texts(values: pd.DataFrame) -> Any:
    """The frame as Arrow, in which a column without any value is still text."""
    import pyarrow as pa

    return pa.Table.from_pandas(
        values, schema=pa.schema([(name, pa.string()) for name in values.columns]), preserve_index=False
    )


def _no_pairs() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "customer_a": pd.Series(dtype="str"),
            "customer_b": pd.Series(dtype="str"),
            "match_weight": pd.Series(dtype=float),
        }
    )


@contextmanager
def _silent() -> Iterator[None]:
    """Keep the library's log off."""
    log = logging.getLogger("splink")
    level = log.level
    log.setLevel(logging.CRITICAL + 1)  # which its modules' own logs inherit
    try:
        yield
    finally:
        log.setLevel(level)
