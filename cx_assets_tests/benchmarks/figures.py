"""What the measured runs say: medians, ratios and growth.

Belongs here: arithmetic on runs. Does not: running (`running`) or showing (`__main__`).
"""

import math
from collections.abc import Mapping, Sequence
from statistics import linear_regression, median

from cx_assets_tests.benchmarks.running import Run


def median_run(runs: Sequence[Run]) -> Run:
    """The median of every figure over runs of the same thing.

    Raises:
        ValueError: if there is no run.
    """
    if not runs:
        raise ValueError("no run to take the median of")
    stages = {stage: median(run.stages.get(stage, 0.0) for run in runs) for stage in runs[0].stages}
    return Run(median(run.wall_seconds for run in runs), median(run.peak_mib for run in runs), stages, runs[0].events)


def ratios(plain: Run, project: Run) -> dict[str, float]:
    """How many times as long the plain script takes, for each of its stages; `total` is from start to end."""
    by_stage = {
        stage: seconds / project.stages[stage] for stage, seconds in plain.stages.items() if project.stages.get(stage)
    }
    return {**by_stage, "total": plain.wall_seconds / project.wall_seconds}


def growth_exponents(by_scale: Mapping[int, Run]) -> dict[str, float]:
    """The exponent b of seconds = a events^b for each stage, by least squares on the logarithms.

    1 is linear. With fewer than two scales there is no exponent; a stage without time at some scale has none either.

    Args:
        by_scale: the run at each multiple of the events; where a run doesn't tell its events, the multiple stands in.
    """
    if len(by_scale) < 2:
        return {}
    sizes = [math.log(run.events or scale) for scale, run in by_scale.items()]
    first, *_ = by_scale.values()
    series = {stage: [run.stages.get(stage, 0.0) for run in by_scale.values()] for stage in first.stages}
    series["total"] = [run.wall_seconds for run in by_scale.values()]
    return {
        stage: linear_regression(sizes, [math.log(s) for s in seconds]).slope
        for stage, seconds in series.items()
        if min(seconds) > 0
    }
