"""The tables of the rules stage, declared."""

from cx_assets.table import column, schema

FREQUENT_ITEMSETS = schema(
    "rules",
    "frequent_itemsets",
    "One row per set of categories or items that enough baskets hold and enough customers stand behind.",
    column("level", "varchar", "What the things are: category or item."),
    column("itemset", "varchar[]", "The things, ascending: categories or item_ids."),
    column("size", "integer", "How many things."),
    column("support", "double", "Share of all baskets that hold every one of them."),
    column("baskets", "bigint", "Number of those baskets."),
    column("customers", "bigint", "Distinct customers whose baskets those are."),
    key=("level", "itemset"),
)

RULES = schema(
    "rules",
    "rules",
    "One row per rule that holds: a basket with the antecedent has the consequent too, more often than by chance.",
    column("level", "varchar", "What the things are: category or item."),
    column("antecedent", "varchar[]", "The things that lead, ascending."),
    column("consequent", "varchar[]", "The one thing that follows."),
    column("support", "double", "Share of all baskets that hold both sides."),
    column("confidence", "double", "Share of the baskets with the antecedent that hold the consequent too."),
    column(
        "lift", "double", "Confidence over the share of all baskets that hold the consequent; above 1 means together."
    ),
    column("leverage", "double", "Support less what it would be if the sides were independent."),
    column(
        "conviction",
        "double",
        "How much more often the rule would fail if the sides were independent; null: it never fails.",
        nullable=True,
    ),
    column("baskets", "bigint", "Number of baskets that hold both sides."),
    column("customers", "bigint", "Distinct customers whose baskets those are."),
    column("p_value", "double", "One-sided Fisher exact test, baskets taken as independent."),
    column("q_value", "double", "Benjamini-Hochberg: the false discovery rate of a list that goes down to this rule."),
    key=("level", "antecedent", "consequent"),
)
