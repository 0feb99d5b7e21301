"""What the segments are: how large, what they are worth, what sets them apart, what they buy more than others.

Belongs here: comparing segments with all customers, in figures and in plain words. Does not: forming segments
(`kmeans`) or naming them (`naming`).
"""

from datetime import datetime

import numpy as np
import pandas as pd

from cx_assets.segments.features import FEATURES
from cx_assets.segments.naming import NO_HISTORY
from cx_assets.table import Table, sql

NO_SEGMENT = -1
TRAITS = 3
# Cohen (1988) calls 0.2 small; what is smaller isn't worth a reader's line.
WORTH_SAYING = 0.2
TOP_CATEGORIES = 5
# A lift over a handful of customers, or over pennies, is noise.
MIN_SEGMENT_REACH = 0.10
MIN_SEGMENT_SHARE = 0.005

# (if more, if less, unit)
_WORDS = {
    "recency_days": ("was last seen longer ago", "was seen more recently", "days ago"),
    "frequency": ("comes more often", "comes less often", "baskets"),
    "monetary": ("spends more", "spends less", "in total"),
    "mean_basket_size": ("has fuller baskets", "has smaller baskets", "items a basket"),
    "mean_basket_value": ("spends more at a time", "spends less at a time", "a basket"),
    "tenure_days": ("has been a customer for longer", "has been a customer for a shorter time", "days"),
    "categories": ("chooses from more categories", "chooses from fewer categories", "categories"),
    "items": ("chooses more different items", "chooses fewer different items", "items"),
}


def standardised_differences(values: pd.DataFrame, segments: pd.Series) -> pd.DataFrame:
    """How many standard deviations the mean of each segment lies above the mean of all.

    Args:
        values: of shape (customers, columns), finite; take logarithms before, where the scale asks for them.
        segments: segment id per customer, same index.

    Returns:
        float64 of shape (segments, columns), by ascending segment id; 0 in a column that is constant.

    Source: Cohen (1988), "Statistical power analysis", d against the whole.
    """
    spread = values.std(ddof=0)
    means = values.groupby(segments.to_numpy()).mean()
    # Values that are equal but for rounding are equal.
    varies = spread > 1e-12
    return (means - values.mean()).mul(varies, axis=1) / spread.where(varies, 1.0)


def log_figures(features: pd.DataFrame) -> pd.DataFrame:
    """log(1 + figure) of every figure: the scale on which customers are compared."""
    return features[list(FEATURES)].astype(float).apply(np.log1p)


def segment_profiles(
    features: pd.DataFrame, segments: pd.DataFrame, lifts: pd.DataFrame, *, as_of: datetime
) -> pd.DataFrame:
    """One row per segment.

    Args:
        features: one row per customer with history.
        segments: one row per customer: customer_id, segment_id, segment, certainty.
        lifts: `category_lifts`.
        as_of: carried through.

    Returns:
        segment_id, segment, customers, share_of_customers, value, share_of_value, a mean per figure (null for customers
        without history), `traits` (up to three, most telling first), `top_categories` and `top_category_lifts`,
        `stability` (mean certainty, null without history), `summary`, `as_of`; ordered by segment id, those without
        history last.
    """
    sizes = segments.groupby(["segment_id", "segment"], as_index=False).agg(
        customers=("customer_id", "size"), stability=("certainty", "mean")
    )
    known = features.merge(segments[["customer_id", "segment_id"]], on="customer_id").sort_values("customer_id")
    means = known.groupby("segment_id")[list(FEATURES)].mean().add_prefix("mean_").rename(columns=_mean_name)
    value = known.groupby("segment_id")["monetary"].sum().rename("value")
    profiles = sizes.merge(means, on="segment_id", how="left").merge(value, on="segment_id", how="left")
    profiles["value"] = profiles["value"].fillna(0.0)
    total = float(profiles["value"].sum())
    profiles["share_of_customers"] = profiles["customers"] / len(segments) if len(segments) else 0.0
    profiles["share_of_value"] = profiles["value"] / total if total > 0 else 0.0
    traits = segment_traits(known.set_index("customer_id"))
    ids = profiles["segment_id"].tolist()
    ordered = lifts.sort_values(["segment_id", "place"])
    leading = {i: ordered[ordered["segment_id"] == i] for i in ids}
    profiles["traits"] = [traits.get(i, ["no event before the as-of date"]) for i in ids]
    profiles["top_categories"] = [leading[i]["category"].tolist() for i in ids]
    profiles["top_category_lifts"] = [leading[i]["lift"].tolist() for i in ids]
    profiles["summary"] = [_summary(row) for _, row in profiles.iterrows()]
    profiles["as_of"] = pd.Timestamp(as_of)
    order = profiles["segment_id"].mask(profiles["segment_id"] == NO_SEGMENT, np.iinfo(np.int32).max)
    return profiles.iloc[np.argsort(order.to_numpy(), kind="stable")].reset_index(drop=True)


def segment_traits(features: pd.DataFrame) -> dict[int, list[str]]:
    """What sets each segment apart, in words, the largest standardised difference first.

    The figures quoted are typical ones, exp(mean(log(1 + x))) - 1, so that they always differ in the direction that the
    words say.

    Args:
        features: with `segment_id`, indexed by customer.

    Returns:
        Up to three traits per segment id; none for a segment that is like everybody.
    """
    figures = log_figures(features)
    differences = standardised_differences(figures, features["segment_id"]).to_dict("index")
    typical = figures.groupby(features["segment_id"].to_numpy()).mean().apply(np.expm1).to_dict("index")
    overall = dict(zip(FEATURES, np.expm1(figures.mean().to_numpy()), strict=True))
    traits: dict[int, list[str]] = {}
    for i, sizes in differences.items():
        telling = sorted((f for f in FEATURES if abs(sizes[f]) >= WORTH_SAYING), key=lambda f: -abs(sizes[f]))
        traits[int(str(i))] = [_trait(f, sizes[f], typical[i][f], overall[f]) for f in telling[:TRAITS]]
    return traits


def category_lifts(shares: Table, segments: pd.DataFrame) -> pd.DataFrame:
    """The categories on which each segment spends a larger part of its value than all customers do.

    Args:
        shares: `features.category_shares`.
        segments: customer_id, segment_id.

    Returns:
        segment_id, place (from 1), category, lift (above 1), customers; up to five per segment, by descending lift,
        then name. A category counts if it makes up half a percent of the segment's value and reaches a tenth of its
        customers. Without any value in the data, shares of events stand in for it.
    """
    return sql(
        f"""
        with spent as (
            select segment_id, category, share, cast(value as decimal(18, 4)) as value
            from shares join segments using (customer_id)
        ),
        weighed as (
            select
                segment_id,
                category,
                case when (select sum(value) from spent) > 0 then value else cast(share as decimal(18, 9)) end as weight
            from spent
        ),
        cells as (
            select segment_id, category, cast(sum(weight) as double) as weight, count(*) as customers
            from weighed group by segment_id, category
        ),
        sizes as (
            select segment_id, count(*) as segment_customers from segments group by segment_id
        ),
        compared as (
            select
                segment_id,
                category,
                customers,
                segment_customers,
                weight / sum(weight) over (partition by segment_id) as segment_share,
                sum(weight) over (partition by category) / sum(weight) over () as overall_share
            from cells join sizes using (segment_id)
        ),
        lifted as (
            select segment_id, category, customers, round(segment_share / overall_share, 9) as lift
            from compared
            where segment_share >= {MIN_SEGMENT_SHARE} and customers >= {MIN_SEGMENT_REACH} * segment_customers
        ),
        ranked as (
            select *, row_number() over (partition by segment_id order by lift desc, category) as place
            from lifted where lift > 1
        )
        select segment_id, place, category, lift, customers from ranked
        where place <= {TOP_CATEGORIES}
        order by segment_id, place
        """,
        shares=shares,
        segments=segments,
    ).df()


def _mean_name(column: str) -> str:
    """`mean_` once, also before a figure that is a mean itself."""
    return column.replace("mean_mean_", "mean_")


def _trait(figure: str, difference: float, typical: float, overall: float) -> str:
    """One difference in words, with both figures."""
    more, less, unit = _WORDS[figure]
    return f"{more if difference > 0 else less}: typically {_figure(typical)} {unit}, all customers {_figure(overall)}"


def _figure(value: float) -> str:
    """Three digits that count, no more."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _summary(row: pd.Series) -> str:
    """A segment in a sentence or two."""
    if row["segment"] == NO_HISTORY:
        return f"{row['customers']:,} customers without an event before the as-of date."
    share, of_value = row["share_of_customers"], row["share_of_value"]
    text = f"{row['customers']:,} customers ({share:.0%}) with {of_value:.0%} of the value."
    if row["traits"]:
        text += f" The typical one {'; '.join(row['traits'])}."
    if row["top_categories"]:
        text += f" Buys more than others: {', '.join(row['top_categories'][:3])}."
    return text
