"""Which missing-value policy to take for a column, and why.

Belongs here: the rule that goes from scores to one policy and a reason that a person can check. Does not: the scores
(`imputation`).

The rule: of the policies that make a value up, the simplest that isn't surely worse than the best, in pairs on the
same held-out values. A text that would be wrong at least as often as right is better called unknown: to abstain costs
half of what a wrong value does (Chow 1970, "On optimum recognition error and reject tradeoff", with a cost of 1/2).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cx_assets.evaluation.bootstrap import paired_difference
from cx_assets.evaluation.imputation import MIN_KNOWN, RESAMPLES, ColumnScores, PolicyScore
from cx_assets.sections import UNKNOWN, MissingPolicy


@dataclass(frozen=True)
class Choice:
    """What to write into the manifest for a column.

    Attributes:
        policy: as the manifest says it.
        reason: one or two sentences.
    """

    policy: MissingPolicy
    reason: str


def choose(found: ColumnScores, *, seed: int = 0) -> Choice:
    """The policy to take for a column.

    Args:
        found: its scores.
        seed: of the paired intervals.
    """
    if not found.scores:
        return Choice(found.attribute.missing, f"{found.held_out} known values are too few to judge by ({MIN_KNOWN}).")
    text = found.attribute.type == "varchar"
    # A stand-in such as 'unknown' makes no value up, so it is never right; it is weighed by the rule's second half.
    candidates = [s for s in found.scores.values() if s.policy == s.made and not (text and s.policy == "constant")]
    best = min(candidates, key=lambda score: float(score.loss.mean()))
    chosen = next(score for score in candidates if not surely_worse(score, best, seed))
    accuracy = chosen.figures.get("accuracy")
    if text and accuracy and accuracy.low <= 0.5:
        stand_in = found.scores["constant"]
        value = found.attribute.missing.value if found.attribute.missing.policy == stand_in.policy else UNKNOWN
        wrong = f"{100 * (1 - accuracy.value):.0f} of 100 values that {chosen.policy} fills in would be wrong"
        reason = f"{_best(chosen, best)}, but {wrong}: '{value}' claims nothing."
        return Choice(MissingPolicy(policy="constant", value=value), reason)
    value = found.attribute.missing.value if chosen.policy == "constant" else UNKNOWN
    return Choice(MissingPolicy(policy=chosen.policy, value=value), _reason(found, candidates, chosen, best))


def surely_worse(score: PolicyScore, best: PolicyScore, seed: int) -> bool:
    """Whether a policy loses more than the best one on the same values, by the 95 % interval of the difference."""
    if np.array_equal(score.loss, best.loss):
        return False
    difference = paired_difference(score.loss[:, None], best.loss[:, None], resamples=RESAMPLES, seed=seed)
    return bool(difference.low[0] > 0)


def _best(chosen: PolicyScore, best: PolicyScore) -> str:
    """Which policy scores best, and why another is looked at."""
    simpler = "" if best is chosen else f" and {chosen.policy} is simpler and not surely worse"
    return f"{best.policy} scores best{simpler}"


def _reason(found: ColumnScores, candidates: list[PolicyScore], chosen: PolicyScore, best: PolicyScore) -> str:
    baseline = "median" if found.is_number else "mode"
    gave_way = found.scores["predict"].made != "predict"
    if chosen.policy == baseline:
        if gave_way:
            return f"There is nothing to learn a prediction from, and nothing simpler beats the {baseline}."
        if best is chosen:
            return f"Nothing beats the {baseline}."
        return f"Nothing beats the {baseline} surely: {best.policy} leads by less than chance explains."
    simpler = [s.policy for s in candidates[: candidates.index(chosen)]]
    beaten = f"Surely better than {' and '.join(simpler)}" if simpler else "The simplest"
    return f"{beaten}, and " + ("nothing does better." if best is chosen else f"not surely worse than {best.policy}.")
