"""The asset of the backtest's page: a thin shell round `backtest_report`."""

import dagster as dg
import pandas as pd

from cx_assets.aims import Aim
from cx_assets.evaluation import evidence_queries, tables
from cx_assets.evaluation.backtest_evidence import Evidence
from cx_assets.evaluation.backtest_narrative import Extent
from cx_assets.evaluation.backtest_report import render
from cx_assets.recommendations.tables import RECOMMENDATIONS
from cx_assets.table import Table, TableSpec, sql, table_asset
from cx_assets.table.storage import stored_columns
from cx_assets.table.warehouse import Warehouse
from cx_assets.warehouse.tables import BASKETS

# What other jobs make is looked up rather than loaded: a backtest works without it, and its page says what is missing.
ELSEWHERE = ("search_trials", "recommendations", "items", "baskets")


def backtest_report_asset(aims: tuple[Aim, ...] = ()) -> dg.AssetsDefinition:
    """The asset, for what a dataset's manifest wants reached."""

    @table_asset(tables.BACKTEST_REPORT, code_version="3", kinds=("html",), deps=ELSEWHERE)
    def backtest_report(
        context: dg.AssetExecutionContext,
        warehouse: Warehouse,
        backtest_metrics: pd.DataFrame,
        backtest_comparisons: pd.DataFrame,
        backtest_lists: Table,
        calibration: pd.DataFrame,
        ranker_study: pd.DataFrame,
    ) -> pd.DataFrame:
        """One row: the backtest's page for people, complete HTML. Publishing writes it to report.html of the backtest.

        Which recommender is best over the dates and how sure that is, the trend, cohorts, categories, what the lists
        are like, baskets; whether the ranker's probabilities hold, what each of its parts adds, how its settings were
        chosen, and some customers' lists; what all that doesn't show, and under each figure the query that made it.
        """
        extent = extent_of(backtest_lists)
        evidence = Evidence(calibration, ranker_study, stored_trials(warehouse), listed_customers(warehouse), aims)
        html = render(backtest_metrics, backtest_comparisons, extent, evidence)
        context.add_output_metadata({"bytes": len(html.encode()), "as_of_dates": extent.dates})
        return pd.DataFrame({"as_of": pd.Series([extent.last], dtype="datetime64[us]"), "html": [html]})

    return backtest_report


def stored_trials(warehouse: Warehouse) -> pd.DataFrame | None:
    """The last search for settings; None if there was none."""
    if not is_stored(warehouse, tables.SEARCH_TRIALS):
        return None
    return warehouse.query(f"select * from {tables.SEARCH_TRIALS.qualified}").df()


def listed_customers(warehouse: Warehouse) -> pd.DataFrame | None:
    """Some customers with their published lists; None before there are any."""
    if not all(is_stored(warehouse, spec) for spec in (RECOMMENDATIONS, BASKETS)):
        return None
    return warehouse.query(evidence_queries.CUSTOMERS_LISTS).df()


def is_stored(warehouse: Warehouse, spec: TableSpec) -> bool:
    """Whether a table is there with its declared columns."""
    return set(spec.column_names) <= set(stored_columns(warehouse.connection, spec))


def extent_of(backtest_lists: Table) -> Extent:
    """How many dates, customers and places the stored lists have."""
    query = "select min(as_of), max(as_of), count(distinct as_of), count(distinct customer_id), count(*) from lists"
    first, last, dates, customers, places = sql(query, lists=backtest_lists).fetchone()
    return Extent(first, last, int(dates), int(customers), int(places))
