"""The laws of predicted ratings.

Belongs here: what must hold of `evaluation.rating_errors`, whatever the data. Does not: the laws of lists (`checks`).
"""

import dagster as dg
import pandas as pd

from cx_assets.evaluation.config import EvaluationSettings
from cx_assets.evaluation.rating_errors import METRICS
from cx_assets.evaluation.split import last_window
from cx_assets.recommendations.rating_prediction import rating_predictors
from cx_assets.table import Table, law, sql, table_check
from cx_assets.table.schema import instant

REBUILD = "Materialize rating_errors again from the same events."
ROUNDING = 1e-9


@table_check(asset="rating_errors", blocking=True)
def rating_errors_are_possible(rating_errors: Table, events: Table) -> dg.AssetCheckResult:
    """Every error is finite, not negative, within its interval and no wider than the scale; RMSE is at least the MAE.

    The scale is that of the ratings among the events: a clipped prediction can't be further off than from one end to
    the other.
    """
    broken = sql(
        f"""
        with scale as (select max(rating) - min(rating) as width from events where rating is not null),
        maes as (select predictor, as_of, min("value") as mae from rating_errors where metric = 'mae' group by all)
        select e.*, m.mae, s.width
        from rating_errors e
        cross join scale s
        left join maes m on m.predictor = e.predictor and m.as_of = e.as_of
        where not coalesce(
            isfinite("value") and isfinite(ci_low) and isfinite(ci_high)
            and 0 <= ci_low and ci_low <= "value" + {ROUNDING} and "value" <= ci_high + {ROUNDING}
            and ci_high <= s.width + {ROUNDING}
            and (metric <> 'rmse' or "value" >= m.mae - {ROUNDING})
            and customers >= 1 and ratings >= customers,
            false
        )
        """,
        rating_errors=rating_errors,
        events=events,
    )
    return law(broken, rating_errors.count(), "errors can't be", REBUILD)


@table_check(asset="rating_errors", blocking=True)
def rating_errors_are_complete(
    rating_errors: Table, events: Table, evaluation_settings: EvaluationSettings
) -> dg.AssetCheckResult:
    """Every predictor has its RMSE and its MAE over all ratings that were to be predicted; without any there is no row.

    Which were is looked up in the events again: given in the last days, by customers who had rated before, of items
    that they had not.
    """
    window = last_window(events, evaluation_settings.horizon_days)
    expected = sql(
        f"""
        with rated as (
            select customer_id, item_id, min(day) as first_day
            from events
            where rating is not null
            group by customer_id, item_id
        ),
        asked as (
            select r.customer_id, r.item_id
            from rated r
            where r.first_day >= {instant(window.as_of)}
                and r.customer_id in (select customer_id from rated where first_day < {instant(window.as_of)})
        ),
        counted as (select count(*) as ratings, count(distinct customer_id) as customers from asked)
        select p.predictor, m.metric, {instant(window.as_of)} as as_of, c.ratings, c.customers
        from predictors p cross join metrics m cross join counted c
        where c.ratings > 0
        """,
        events=events,
        predictors=pd.DataFrame({"predictor": [one.name for one in rating_predictors()]}),
        metrics=pd.DataFrame({"metric": METRICS}),
    )
    broken = sql(
        """
        with found as (
            select predictor, metric, as_of, ratings, customers, count(*) as times from rating_errors group by all
        )
        select
            coalesce(e.predictor, f.predictor) as predictor, coalesce(e.metric, f.metric) as metric,
            e.ratings as ratings_to_predict, f.ratings, e.customers as customers_to_ask, f.customers,
            coalesce(f.times, 0) as times
        from expected e
        full join found f on f.predictor = e.predictor and f.metric = e.metric and f.as_of = e.as_of
        where f.times is distinct from 1 or e.predictor is null
            or f.ratings <> e.ratings or f.customers <> e.customers
        """,
        expected=expected,
        rating_errors=rating_errors,
    )
    return law(broken, expected.count(), "errors are missing, doubled, unknown or over other ratings", REBUILD)
