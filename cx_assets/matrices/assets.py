"""The asset of the matrices stage: a thin shell round `fold_interactions`."""

import dagster as dg

from cx_assets.matrices import tables
from cx_assets.matrices.config import InteractionWeights
from cx_assets.matrices.interactions import fold_interactions
from cx_assets.table import Table, as_of_date, table_asset


@table_asset(tables.INTERACTIONS, code_version="1")
def interactions(context: dg.AssetExecutionContext, events: Table, interaction_weights: InteractionWeights) -> Table:
    """One row per customer and item: all their events up to the as-of date, folded into counts, sums and one weight.

    Similarity, recommendations and evaluation all start here. The weight counts a purchase more than a view and a
    recent event more than an old one; what exactly is the configuration of the resource `interaction_weights`.
    """
    weights = interaction_weights.weights()
    context.add_output_metadata({"half_life_days": weights.half_life_days})
    return fold_interactions(events, as_of=as_of_date(events), weights=weights)
