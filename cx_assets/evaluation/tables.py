"""The tables of the evaluation stage, declared once.

Belongs here: names, columns and meanings. Does not belong here: how the figures come about (`metrics`, `bootstrap`).
"""

from cx_assets.table import column, schema

GROUP = "evaluation"

JUDGED_LISTS = schema(
    GROUP,
    "judged_lists",
    "One row per recommender, list and judged customer: what was shown on the as-of date, and what was taken after.",
    column("recommender", "varchar", "who made the list"),
    column("list", "varchar", "repeat, discovery or both"),
    column("customer_id", "varchar", "who it was made for"),
    column("relevant", "bigint", "items the customer took in the horizon that belong in this list"),
    column("items", "varchar[]", "the shown items, best first; may be short or empty"),
    column("hits", "boolean[]", "for each shown item: was it taken in the horizon"),
    column("as_of", "timestamp", "the recommender has seen nothing of this day or later"),
    column("horizon_days", "integer", "days after the as-of date on which it was judged"),
    key=("recommender", "list", "customer_id"),
)

METRICS = schema(
    GROUP,
    "metrics",
    "One row per recommender, list, metric and k: how good the lists were on days that no recommender had seen.",
    column("recommender", "varchar", "who made the lists"),
    column("list", "varchar", "repeat, discovery or both"),
    column("metric", "varchar", "precision, recall, f1, ndcg, map, mrr, hit_rate, coverage or novelty"),
    column("k", "integer", "places of the list that count"),
    column("value", "double", "mean over the customers (coverage: share of the catalogue; novelty: bits)"),
    column("ci_low", "double", "lower end of the 95 % interval over customers"),
    column("ci_high", "double", "upper end of the 95 % interval over customers"),
    column("customers", "bigint", "customers behind the figure"),
    column("cohort", "varchar", "which customers: all"),
    column("as_of", "timestamp", "the recommenders have seen nothing of this day or later"),
    column("horizon_days", "integer", "days after the as-of date on which they were judged"),
    key=("recommender", "list", "metric", "k", "cohort", "as_of"),
)

COMPARISONS = schema(
    GROUP,
    "comparisons",
    "One row per baseline, list, metric and k: by how much the published recommender is ahead, customer by customer.",
    column("recommender", "varchar", "the published recommender"),
    column("baseline", "varchar", "the one it's compared with"),
    column("list", "varchar", "repeat, discovery or both"),
    column("metric", "varchar", "precision, recall, f1, ndcg, map, mrr or hit_rate"),
    column("k", "integer", "places of the list that count"),
    column("difference", "double", "mean over customers of the recommender's figure minus the baseline's"),
    column("ci_low", "double", "lower end of the paired 95 % interval over customers"),
    column("ci_high", "double", "upper end of the paired 95 % interval over customers"),
    column("p_value", "double", "two-sided, of the hypothesis that they're equally good"),
    column("customers", "bigint", "customers behind the figure"),
    column("as_of", "timestamp", "the recommenders have seen nothing of this day or later"),
    column("horizon_days", "integer", "days after the as-of date on which they were judged"),
    key=("recommender", "baseline", "list", "metric", "k", "as_of"),
)

RATING_ERRORS = schema(
    GROUP,
    "rating_errors",
    "One row per predictor and metric: how far predicted ratings were from those given afterwards.",
    column("predictor", "varchar", "what predicted: global_mean, item_mean, customer_mean, biases, pearson_neighbours"),
    column("metric", "varchar", "rmse or mae, in stars of the dataset's scale; never used to rank"),
    column("value", "double", "over all predicted ratings; lower is better"),
    column("ci_low", "double", "lower end of the 95 % interval over customers"),
    column("ci_high", "double", "upper end of the 95 % interval over customers"),
    column("ratings", "bigint", "ratings that were predicted"),
    column("customers", "bigint", "customers who gave them"),
    column("as_of", "timestamp", "the predictors have seen nothing of this day or later"),
    column("horizon_days", "integer", "days after the as-of date on which the ratings were given"),
    key=("predictor", "metric", "as_of"),
)

_LIST_COLUMNS = (
    column("recommender", "varchar", "who made the list"),
    column("list", "varchar", "repeat, discovery or both"),
    column("customer_id", "varchar", "who it was made for"),
    column("rank", "integer", "place in the list, from 1"),
    column("item_id", "varchar", "what stands there"),
    column("score", "float", "what the recommender gave it; comparable within one recommender and as-of date"),
    column(
        "version", "varchar", "of the recommender, its settings and all that it was given; equal ones make equal lists"
    ),
)

BACKTEST_LISTS = schema(
    GROUP,
    "backtest_lists",
    "One row per as-of date, recommender, list, customer and place: what would have been recommended on that day.",
    column("as_of", "timestamp", "the recommender has seen nothing of this day or later"),
    *_LIST_COLUMNS,
    key=("as_of", "recommender", "list", "customer_id", "rank"),
)

LAST_BASKET_LISTS = schema(
    GROUP,
    "last_basket_lists",
    "One row per recommender, customer and place: what would have been recommended just before the last basket.",
    *_LIST_COLUMNS,
    key=("recommender", "list", "customer_id", "rank"),
)

BACKTEST_METRICS = schema(
    GROUP,
    "backtest_metrics",
    "One row per protocol, as-of date, recommender, list, metric, k and cohort: how good the lists of backtests were.",
    column("protocol", "varchar", "horizon, next_basket or last_basket: what the lists were judged on"),
    column("as_of", "timestamp", "nothing of this day or later was seen; null: all as-of dates", nullable=True),
    column("recommender", "varchar", "who made the lists"),
    column("list", "varchar", "repeat, discovery or both"),
    column("metric", "varchar", "precision, recall, f1, ndcg, map, mrr, hit_rate, coverage, novelty, gini or more"),
    column("k", "integer", "places of the list that count"),
    column(
        "cohort",
        "varchar",
        "which customers: all, or those of some baskets, tenure or segment before the as-of date; 'rare items': only "
        "items that 5 to 20 customers had before it can be right; 'all, by category': lists as lists of categories, "
        "each at its first place",
    ),
    column("value", "double", "mean over customers; over all as-of dates the mean of their means"),
    column("ci_low", "double", "lower end of the 95 % interval over customers"),
    column("ci_high", "double", "upper end of the 95 % interval over customers"),
    column("customers", "bigint", "customers behind the figure"),
    column("version", "varchar", "of the lists and all that they were judged by; rows of the same version are kept"),
)

BACKTEST_COMPARISONS = schema(
    GROUP,
    "backtest_comparisons",
    "One row per protocol, recommender, baseline, list, metric and k: by how much it leads over all as-of dates.",
    column("protocol", "varchar", "horizon, next_basket or last_basket: what the lists were judged on"),
    column("recommender", "varchar", "any recommender"),
    column("baseline", "varchar", "any other"),
    column("list", "varchar", "repeat, discovery or both"),
    column("metric", "varchar", "precision, recall, f1, ndcg, map, mrr or hit_rate"),
    column("k", "integer", "places of the list that count"),
    column("difference", "double", "mean over the as-of dates of the mean difference over customers"),
    column("ci_low", "double", "lower end of its paired 95 % interval over customers"),
    column("ci_high", "double", "upper end of its paired 95 % interval over customers"),
    column("relative", "double", "difference over the baseline's figure; null where that is 0", nullable=True),
    column("effect_size", "double", "mean over standard deviation of the customers' differences", nullable=True),
    column("p_value", "double", "two-sided, paired t over customers, of the hypothesis that they're equally good"),
    column("p_holm", "double", "the same, corrected for all baselines of the recommender by Holm's method"),
    column("dates", "bigint", "as-of dates whose horizons don't overlap"),
    column("dates_ahead", "bigint", "of them those on which the recommender leads"),
    column("customers", "bigint", "customers behind the figure"),
    column("version", "varchar", "of the lists and all that they were judged by; rows of the same version are kept"),
    key=("protocol", "recommender", "baseline", "list", "metric", "k"),
)

CALIBRATION = schema(
    GROUP,
    "calibration",
    "One row per list and bin of scores: what the ranker foresaw for these places, and what share of them was taken.",
    column("list", "varchar", "repeat, discovery or both"),
    column("bin", "integer", "from 1, the lowest scores first; the bins of a list hold about as many places each"),
    column("lowest", "double", "the lowest score of the bin"),
    column("highest", "double", "the highest score of the bin"),
    column("places", "bigint", "places of lists, over all as-of dates whose horizons don't overlap"),
    column("predicted", "double", "the mean of their scores, which are meant as probabilities"),
    column("taken", "double", "the share of them that was taken within the horizon"),
    column("ci_low", "double", "lower end of its 95 % interval; customers are drawn, with all their places"),
    column("ci_high", "double", "upper end of its 95 % interval"),
    column("customers", "bigint", "whose lists they are, whether or not they took anything"),
    column("dates", "bigint", "as-of dates behind the figures"),
    key=("list", "bin"),
)

RANKER_STUDY = schema(
    GROUP,
    "ranker_study",
    "One row per part of the ranker, list and measure: what each source of candidates and each feature group adds.",
    column("as_of", "timestamp", "the last as-of date of the backtest; nothing at or after it was learnt from"),
    column("kind", "varchar", "candidates: who proposes what; ablation: the ranker without a part, learnt again"),
    column("list", "varchar", "repeat, discovery or both"),
    column(
        "name",
        "varchar",
        "a source, all sources, or had before; of ablations full, 'source: ...' or 'features: ...' for what was left "
        "out, or another seed, which shows how much a draw changes by itself",
    ),
    column(
        "measure",
        "varchar",
        "candidates (per customer), recall (share of what was taken that is among them), lost (recall that no other "
        "source has); ndcg (at 10), added (ndcg of the full ranker minus that without the part, in pairs)",
    ),
    column("value", "double", "mean over customers"),
    column("ci_low", "double", "lower end of the 95 % interval over customers"),
    column("ci_high", "double", "upper end of the 95 % interval over customers"),
    column("customers", "bigint", "customers behind the figure"),
    column("version", "varchar", "of the ranker and all that it was given; rows of the same version are kept"),
    key=("as_of", "kind", "list", "name", "measure"),
)

SEARCH_TRIALS = schema(
    GROUP,
    "search_trials",
    "One row per cut, trial and list: how good the ranker is with other settings, on days before the test window.",
    column("as_of", "timestamp", "the cut, before which was learnt; null: the mean over all cuts", nullable=True),
    column("trial", "varchar", "what the settings are called"),
    column("settings", "varchar", "all of them, as JSON"),
    column("list", "varchar", "repeat, discovery or both"),
    column("ndcg", "double", "NDCG@10, mean over customers"),
    column("customers", "bigint", "customers behind the figure; of the mean, who was judged on any cut"),
    column("chosen", "boolean", "of the best trial: the highest sum of mean NDCG on both and on discovery"),
    column("first_test_day", "timestamp", "nothing that happened on this day or later was read"),
    column("horizon_days", "integer", "days after a cut on which its lists were judged"),
    key=("trial", "list", "as_of"),
)

EVALUATION_REPORT = schema(
    GROUP,
    "evaluation_report",
    "One row: the report for people, a complete HTML page. Publishing writes it to report.html.",
    column("as_of", "timestamp", "the midnight up to which the data reach"),
    column("html", "varchar", "the page; it needs nothing from the network"),
    key=("as_of",),
)

BACKTEST_REPORT = schema(
    GROUP,
    "backtest_report",
    "One row: the backtest's page for people, complete HTML. Publishing writes it to report.html of the backtest.",
    column("as_of", "timestamp", "the last as-of date; null without any", nullable=True),
    column("html", "varchar", "the page; it needs nothing from the network"),
    key=("as_of",),
)
