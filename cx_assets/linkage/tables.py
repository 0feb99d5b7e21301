"""The tables of linkage, which a dataset has that declares it: ids and likelihoods, nothing of what was compared."""

from cx_assets.table import column, schema

LINKAGE_PAIRS = schema(
    "warehouse",
    "linkage_pairs",
    "One row per pair of delivered customers who are likelier one person than not.",
    column("customer_a", "varchar", "One of them, as delivered; the alphabetically first."),
    column("customer_b", "varchar", "The other."),
    column(
        "match_weight",
        "double",
        "How likely: the binary logarithm of the odds, 0 for as likely as not, 10 for about 1,000 to 1.",
    ),
    key=("customer_a", "customer_b"),
)

LINKAGE_JUDGEMENT = schema(
    "warehouse",
    "linkage_judgement",
    "One row per rule and metric: merging by keys and by linkage, on labelled pairs that no threshold was chosen by.",
    column("rule", "varchar", "exact: keys alone; linkage: keys and linkage; difference: linkage less exact."),
    column("metric", "varchar", "precision, recall or f1."),
    column("value", "double", "The figure; none where no pair tells it.", nullable=True),
    column("ci_low", "double", "The lower end of its 95% interval.", nullable=True),
    column("ci_high", "double", "The upper end.", nullable=True),
    column(
        "pairs", "bigint", "Of how many: found ones, same ones, both; of the difference, groups that hang together."
    ),
    column(
        "threshold", "double", "The least match_weight that links; none where no likelihood will do.", nullable=True
    ),
    column("accepted", "boolean", "Whether linkage merges customers."),
    column("reason", "varchar", "Why, or why not."),
    key=("rule", "metric"),
)
