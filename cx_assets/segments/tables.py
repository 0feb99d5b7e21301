"""The tables of the segments stage, declared once."""

from cx_assets.table import column, schema

CUSTOMER_FEATURES = schema(
    "segments",
    "customer_features",
    "One row per customer with an event before the as-of date: what the customer is like, in figures.",
    column("customer_id", "varchar", "who"),
    column("recency_days", "bigint", "calendar days from the last event to the as-of date"),
    column("frequency", "bigint", "baskets (of purchases; of any event in a dataset without purchases)"),
    column("monetary", "double", "value of those baskets"),
    column("mean_basket_size", "double", "distinct items per basket; 0 without a basket"),
    column("mean_basket_value", "double", "value per basket; 0 without a basket"),
    column("tenure_days", "bigint", "calendar days from the first event to the as-of date"),
    column("categories", "bigint", "distinct categories, over events of every type"),
    column("items", "bigint", "distinct items, over events of every type"),
    column("share_categories", "varchar[]", "the customer's categories, largest share first"),
    column(
        "share_values", "double[]", "their shares of the customer's value (of events, without value); they add up to 1"
    ),
    column("as_of", "timestamp", "only events of the days before this one were used"),
    key=("customer_id",),
)

CUSTOMER_SEGMENTS = schema(
    "segments",
    "customer_segments",
    "One row per customer: recency, frequency and monetary scores, and the segment.",
    column("customer_id", "varchar", "who"),
    column("recency_score", "integer", "1 (long ago) to 5 (lately), by fifths of the customers; 0 without history"),
    column("frequency_score", "integer", "1 (seldom) to 5 (often); 0 without history"),
    column("monetary_score", "integer", "1 (little) to 5 (much); 0 without history"),
    column("rfm", "varchar", "the three scores, such as 5-4-5"),
    column("segment_id", "integer", "from 1, the segment with the highest mean value first; -1 without history"),
    column("segment", "varchar", "the segment's generated name; 'no history' for customers without an event"),
    column("certainty", "double", "share of bootstrap samples in which the customer fell into this segment"),
    column("as_of", "timestamp", "only events of the days before this one were used"),
    key=("customer_id",),
)

SEGMENT_PROFILES = schema(
    "segments",
    "segment_profiles",
    "One row per segment: size, value, what sets it apart and what it buys more than others.",
    column("segment_id", "integer", "as in customer_segments"),
    column("segment", "varchar", "the segment's name"),
    column("customers", "bigint", "how many"),
    column("share_of_customers", "double", "of all customers"),
    column("value", "double", "monetary value of its customers, summed"),
    column("share_of_value", "double", "of the value of all customers"),
    column("mean_recency_days", "double", "mean over its customers; null without history", nullable=True),
    column("mean_frequency", "double", "mean over its customers; null without history", nullable=True),
    column("mean_monetary", "double", "mean over its customers; null without history", nullable=True),
    column("mean_basket_size", "double", "mean over its customers; null without history", nullable=True),
    column("mean_basket_value", "double", "mean over its customers; null without history", nullable=True),
    column("mean_tenure_days", "double", "mean over its customers; null without history", nullable=True),
    column("mean_categories", "double", "mean over its customers; null without history", nullable=True),
    column("mean_items", "double", "mean over its customers; null without history", nullable=True),
    column("traits", "varchar[]", "what sets it apart, in words, the largest standardised difference first"),
    column("top_categories", "varchar[]", "the categories it spends more on than others do, by lift"),
    column("top_category_lifts", "double[]", "its share of value in each of them over everybody's share"),
    column("stability", "double", "mean certainty of its customers"),
    column("summary", "varchar", "all that, in a sentence or two"),
    column("as_of", "timestamp", "only events of the days before this one were used"),
    key=("segment_id",),
)
