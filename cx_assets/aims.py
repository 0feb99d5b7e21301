"""What a dataset's owner wants recommendations to reach, and what was tried where they don't.

Belongs here: the model of the manifest's part `aims`. Does not: judging anything (`evaluation`).
"""

from typing import Literal

from pydantic import Field

from cx_assets.manifest import Part


class Aim(Part):
    """A lead that the ranker is to have over a baseline; the backtest's page shows it beside the one that it has."""

    protocol: Literal["horizon", "last_basket"] = Field(default="horizon", description="What lists are judged by.")
    list: Literal["both", "repeat", "discovery"]
    metric: Literal["ndcg", "recall"]
    baseline: str = Field(description="The recommender that is to be led.")
    lead: float = Field(gt=0, allow_inf_nan=False, description="As a share of the baseline's figure: 0.06 is 6 %.")
    tried: str = Field(default="", description="What was tried to reach it, on earlier dates, and what that gave.")
