"""The assets of the recommendations stage: thin shells round `lists`, `related_items` and `popular_items`."""

import dagster as dg
import numpy as np
import pandas as pd
import pyarrow as pa

from cx_assets.matrices.config import InteractionWeights
from cx_assets.recommendations import popular_items as popularity
from cx_assets.recommendations import related_items, tables
from cx_assets.recommendations.config import Blending, BusinessFilters, Ranking
from cx_assets.recommendations.filling import FALLBACKS
from cx_assets.recommendations.filters import allowed_items
from cx_assets.recommendations.lists import published_lists
from cx_assets.recommendations.ranker import Ranker
from cx_assets.recommendations.recommender import build_training
from cx_assets.table import Table, as_of_date, markdown, sql, table_asset


@table_asset(tables.POPULAR_ITEMS, code_version="1")
def popular_items(interactions: Table, items: Table, customer_segments: Table) -> Table:
    """One row per segment and place: the 50 recommendable items that most customers of the segment have had.

    The segment `all` is everyone. Discovery lists of customers without history are filled from here.
    """
    return popularity.popular_items(interactions, items, customer_segments)


@table_asset(tables.SIMILAR_ITEMS, code_version="1")
def similar_items(item_neighbours: Table, content_neighbours: Table, interactions: Table, items: Table) -> Table:
    """One row per item and place: up to 10 recommendable items like it, for "more like this".

    Items of enough customers get those that the same customers have; the others, and what is left of short lists,
    those of similar attributes.
    """
    return related_items.similar_items(item_neighbours, content_neighbours, interactions, items)


@table_asset(tables.BOUGHT_TOGETHER, code_version="1")
def bought_together(rules: Table, items: Table, interactions: Table) -> Table:
    """One row per item and place: up to 10 recommendable items that baskets with it hold more often than others do.

    From the significant rules between single items; an item without such a rule has no row.
    """
    return related_items.bought_together(rules, items, interactions)


@table_asset(tables.RECOMMENDATIONS, code_version="3", kinds=("python",))
def recommendations(
    context: dg.AssetExecutionContext,
    ranking: Ranking,
    blending: Blending,
    business_filters: BusinessFilters,
    interaction_weights: InteractionWeights,
    events: Table,
    interactions: Table,
    items: Table,
    customers: Table,
    customer_neighbours: Table,
    item_neighbours: Table,
    content_neighbours: Table,
    rules: Table,
    customer_segments: Table,
    popular_items: pd.DataFrame,
) -> pa.Table:
    """One row per customer, list and place: up to 20 items to offer again, to offer new, and of both, with reasons.

    Every customer has lists, those without history from what is popular. A discovery list is shorter only for a
    customer who has had nearly every recommendable item. Campaigns and shops read this. What business filters took
    away is told in the metadata.
    """
    filters = business_filters.filters()
    catalogue = items.df()
    allowed, report = allowed_items(catalogue, filters)
    everyone = sql("select customer_id from customers order by customer_id", customers=customers).df()
    training = build_training(
        events,
        catalogue.assign(recommendable=allowed),
        as_of=as_of_date(events),
        weights=interaction_weights.weights(),
        customers=everyone["customer_id"].to_numpy(dtype=object),
        interactions=interactions,
        rules=sql("select * from rules where level = 'item'", rules=rules).df(),
        neighbours={
            "customer_neighbours": customer_neighbours,
            "item_neighbours": item_neighbours,
            "content_neighbours": content_neighbours,
        },
    )
    segments = sql("select customer_id, segment from s where segment_id >= 0", s=customer_segments).df()
    ranker = Ranker(ranking.settings(), blending.weights()).fit(training)
    lists = published_lists(training, ranker, popular_items, dict(segments.itertuples(index=False, name=None)), filters)
    rows = lists.rows
    report = report.with_places(filters, capped=lists.capped, gave_way=lists.gave_way)
    discovery = np.asarray(rows["list"]) == "discovery"
    filled = np.isin(np.asarray(rows["recommender"]), FALLBACKS)
    context.add_output_metadata(
        {
            "customers": len(training.interactions.customers),
            "repeat_places": int((np.asarray(rows["list"]) == "repeat").sum()),
            "discovery_places": int(discovery.sum()),
            "filled_share_of_discovery": float((filled & discovery).sum() / max(discovery.sum(), 1)),
            "filters": dg.MetadataValue.md(markdown(report.frame())),
            "examples": dg.MetadataValue.md(markdown(_example(rows, training.items))),
        }
    )
    return rows


def _example(rows: pa.Table, items: pd.DataFrame) -> pd.DataFrame:
    """The first places of the lists of the first customer, for the UI."""
    shown = rows.slice(0, 60).to_pandas()
    shown = shown[(shown["customer_id"] == shown["customer_id"].min()) & (shown["rank"] <= 5)]
    named = shown.merge(items[["item_id", "name"]], on="item_id", how="left")
    example: pd.DataFrame = named[["customer_id", "list", "rank", "name", "score", "reason"]].round({"score": 3})
    return example
