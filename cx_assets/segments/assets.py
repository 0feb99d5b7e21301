"""The assets of the segments stage: thin shells round the modules beside this one."""

from typing import Self

import dagster as dg
import pandas as pd
from pydantic import Field, model_validator

from cx_assets.segments import features, profiles, tables
from cx_assets.segments.evidence import evidence_plot, evidence_table
from cx_assets.segments.kmeans import minimum_size
from cx_assets.segments.segmentation import segment_customers
from cx_assets.table import Table, as_of_date, sql, table_asset

# A law as well as a choice: `checks` holds every segment to it, so it isn't left to the configuration of one run.
MINIMUM_SHARE = 0.03


class SegmentConfig(dg.Config):
    """How segments are found."""

    fewest: int = Field(3, ge=2, le=20, description="the smallest number of segments to try")
    most: int = Field(8, ge=2, le=20, description="the largest number of segments to try")
    bootstraps: int = Field(15, ge=2, le=500, description="bootstrap samples per number of segments")
    categories: int = Field(8, ge=0, le=50, description="how many of the most valuable categories count as tastes")
    seed: int = Field(0, ge=0, le=2**31, description="of every random choice; the same seed gives the same segments")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        """Refuse a range without a number in it."""
        if self.fewest > self.most:
            raise ValueError(f"fewest ({self.fewest}) is more than most ({self.most}): there is no number to try")
        return self


@table_asset(tables.CUSTOMER_FEATURES, code_version="1")
def customer_features(events: Table, items: Table) -> Table:
    """One row per customer with an event before the as-of date: recency, frequency, value, baskets, breadth, tastes.

    Segments start here; so may anything else that needs a customer in a few figures.
    """
    return features.customer_features(events, items, as_of=as_of_date(events))


@table_asset(tables.CUSTOMER_SEGMENTS, code_version="1", kinds=("scikitlearn",))
def customer_segments(
    context: dg.AssetExecutionContext,
    config: SegmentConfig,
    customer_features: Table,
    events: Table,
    customers: Table,
) -> pd.DataFrame:
    """One row per customer, as of the last event: recency, frequency and monetary scores (1 to 5), and a named segment.

    Segments come from k-means; their number is the one that bootstrap samples reproduce best, and no segment is
    smaller than 3 % of the customers. The evidence is in the metadata. Campaigns, popular items and the report use
    the segments.
    """
    as_of = as_of_date(events)
    figures = customer_features.df()
    spread = features.category_shares(customer_features)
    shares = features.leading_shares(spread, figures["customer_id"], categories=config.categories)
    known = len(figures)
    minimum = minimum_size(known, MINIMUM_SHARE)
    rows, found = segment_customers(
        figures,
        shares,
        sql("select customer_id from customers", customers=customers).df()["customer_id"].tolist(),
        as_of=as_of,
        ks=range(config.fewest, config.most + 1),
        minimum=minimum,
        bootstraps=config.bootstraps,
        seed=config.seed,
    )
    context.add_output_metadata(
        {
            "segments": found.k,
            "why": found.reason,
            "mean_certainty": float(found.certainty.mean()) if known else 1.0,
            "evidence": dg.MetadataValue.md(evidence_table(found.evidence, found.k, known)),
            "plot": dg.MetadataValue.md(evidence_plot(found.evidence, found.k, known, minimum)),
        }
    )
    return rows


@table_asset(tables.SEGMENT_PROFILES, code_version="1", kinds=("pandas",))
def segment_profiles(
    context: dg.AssetExecutionContext,
    customer_segments: pd.DataFrame,
    customer_features: Table,
    events: Table,
) -> pd.DataFrame:
    """One row per segment, as of the last event: size, value, what sets it apart in plain words, top categories.

    The report prints it; whoever plans a campaign reads it first.
    """
    spread = features.category_shares(customer_features)
    lifts = profiles.category_lifts(spread, customer_segments[["customer_id", "segment_id"]])
    rows = profiles.segment_profiles(customer_features.df(), customer_segments, lifts, as_of=as_of_date(events))
    context.add_output_metadata({"summary": dg.MetadataValue.md(_as_list(rows))})
    return rows


def _as_list(rows: pd.DataFrame) -> str:
    """The segments as a Markdown list."""
    return "\n".join(f"- **{row['segment']}**: {row['summary']}" for _, row in rows.iterrows())
