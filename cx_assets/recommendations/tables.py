"""The tables of the recommendations stage, declared once.

Belongs here: names, columns and meanings. Does not: how the rows come about (`lists`, `related_items`,
`popular_items`).
"""

from cx_assets.table import column, schema

GROUP = "recommendations"

POPULAR_ITEMS = schema(
    GROUP,
    "popular_items",
    "One row per segment and place: the recommendable items that most of the segment's customers have had.",
    column("segment", "varchar", "as in customer_segments, or all"),
    column("rank", "integer", "from 1, the item of the most customers first"),
    column("item_id", "varchar", "what is popular"),
    column("customers", "bigint", "distinct customers of the segment who have had it"),
    column("events", "bigint", "their events with it"),
    column("score", "double", "share of the segment's customers who have had it"),
    column("as_of", "timestamp", "only events of the days before this one were used"),
    key=("segment", "rank"),
)

SIMILAR_ITEMS = schema(
    GROUP,
    "similar_items",
    "One row per item and place: recommendable items like it, by who has them, filled up by what they are.",
    column("item_id", "varchar", "the item at hand"),
    column("rank", "integer", "from 1; neighbours by cosine come before those by content"),
    column("similar_item_id", "varchar", "what is like it"),
    column("score", "float", "the similarity; comparable within one method only"),
    column("method", "varchar", "cosine: the same customers have both; content: their attributes are alike"),
    column("customers", "bigint", "distinct customers who have had the similar item"),
    column("as_of", "timestamp", "only events of the days before this one were used"),
    key=("item_id", "rank"),
)

BOUGHT_TOGETHER = schema(
    GROUP,
    "bought_together",
    "One row per item and place: recommendable items in the same basket more often than by chance; from the rules.",
    column("item_id", "varchar", "the item at hand"),
    column("rank", "integer", "from 1, the highest lift first"),
    column("other_item_id", "varchar", "what goes with it"),
    column("confidence", "double", "share of the baskets with the item that hold the other too"),
    column("lift", "double", "confidence over the share of all baskets that hold the other"),
    column("baskets", "bigint", "baskets that hold both"),
    column("customers", "bigint", "distinct customers whose baskets those are"),
    column("as_of", "timestamp", "only events of the days before this one were used"),
    key=("item_id", "rank"),
)

RECOMMENDATIONS = schema(
    GROUP,
    "recommendations",
    "One row per customer, list and place: what to offer again (repeat), what to offer new (discovery), both, and why.",
    column("customer_id", "varchar", "whom to offer it to"),
    column("list", "varchar", "repeat: had before; discovery: not had before; both: the best of the two"),
    column("rank", "integer", "from 1 to 20"),
    column("item_id", "varchar", "what to offer; always recommendable"),
    column("score", "float", "by the ranker: how likely a customer who comes back takes it in time; 0 if filled"),
    column("recommender", "varchar", "ranker (blend in a young shop), with _1_to_2 or _3_to_5_baskets, or a filler"),
    column("due_on", "date", "when an item had before is due again; past: overdue", nullable=True),
    column("reason", "varchar", "what led here, readable"),
    column("as_of", "timestamp", "only events of the days before this one were used"),
    key=("customer_id", "list", "rank"),
)
