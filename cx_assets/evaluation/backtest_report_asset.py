"""The asset of the backtest's page: a thin shell round `backtest_report`."""

import dagster as dg
import pandas as pd

from cx_assets.evaluation import tables
from cx_assets.evaluation.backtest_narrative import Extent
from cx_assets.evaluation.backtest_report import render
from cx_assets.table import Table, sql, table_asset


@table_asset(tables.BACKTEST_REPORT, code_version="1", kinds=("html",))
def backtest_report(
    context: dg.AssetExecutionContext,
    backtest_metrics: pd.DataFrame,
    backtest_comparisons: pd.DataFrame,
    backtest_lists: Table,
) -> pd.DataFrame:
    """One row: the backtest's page for people, complete HTML. Publishing writes it to report.html of the backtest.

    Which recommender is best over the dates and how sure that is, the trend, cohorts, what the lists are like, baskets,
    what all that doesn't show, and under each figure the query that made it.
    """
    extent = extent_of(backtest_lists)
    html = render(backtest_metrics, backtest_comparisons, extent)
    context.add_output_metadata({"bytes": len(html.encode()), "as_of_dates": extent.dates})
    return pd.DataFrame({"as_of": pd.Series([extent.last], dtype="datetime64[us]"), "html": [html]})


def extent_of(backtest_lists: Table) -> Extent:
    """How many dates, customers and places the stored lists have."""
    query = "select min(as_of), max(as_of), count(distinct as_of), count(distinct customer_id), count(*) from lists"
    first, last, dates, customers, places = sql(query, lists=backtest_lists).fetchone()
    return Extent(first, last, int(dates), int(customers), int(places))
