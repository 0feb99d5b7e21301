"""Laws of the judgement: one half chooses, the other judges, and linkage has to be surely better and surely precise."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import pytest

from cx_assets.ingestion.labelled_pairs import LabelledPair
from cx_assets.linkage.judging import Verdict, judge

Pair = tuple[str, str]


def labels(same: Sequence[Pair], different: Sequence[Pair], *, judges: bool) -> list[LabelledPair]:
    told = [*((pair, True) for pair in same), *((pair, False) for pair in different)]
    return [LabelledPair(a, b, answer, line, a, judges) for line, ((a, b), answer) in enumerate(told, start=2)]


def pairs_of(letter: str, count: int) -> list[Pair]:
    return [(f"{letter}{n:02}a", f"{letter}{n:02}b") for n in range(count)]


def scored(weights: dict[Pair, float]) -> pd.DataFrame:
    rows = [(a, b, weight) for (a, b), weight in weights.items()]
    return pd.DataFrame(rows, columns=["customer_a", "customer_b", "match_weight"]).astype({"match_weight": float})


def keyed(pairs: Sequence[Pair]) -> pd.DataFrame:
    rows = [(who, "email", number) for number, pair in enumerate(pairs) for who in pair]
    told = pd.DataFrame(rows, columns=["customer_id", "key_kind", "key"])
    return told.astype({"customer_id": "str", "key_kind": "str", "key": "int64"})


# To choose by: 40 pairs of one person, which are likely, and 30 of two. To judge by: 60 and 50.
CHOOSING = labels(pairs_of("p", 40), pairs_of("q", 30), judges=False)
JUDGING = labels(pairs_of("s", 60), pairs_of("t", 50), judges=True)
SAME, DIFFERENT = [*pairs_of("p", 40), *pairs_of("s", 60)], [*pairs_of("q", 30), *pairs_of("t", 50)]
LIKELY = {**dict.fromkeys(SAME, 9.0), **dict.fromkeys(DIFFERENT, 2.0)}
BY_KEYS = [*pairs_of("p", 15), *pairs_of("s", 20)]


def verdict(
    weights: dict[Pair, float] = LIKELY, by_keys: Sequence[Pair] = BY_KEYS, least_precision: float = 0.9, **change: Any
) -> Verdict:
    given = {"labels": [*CHOOSING, *JUDGING], "at_most": 4, **change}
    return judge(keyed(by_keys), scored(weights), least_precision=least_precision, **given)


def figures(found: Verdict) -> dict[tuple[str, str], tuple[float, float, float, int]]:
    return {
        (row.rule, row.metric): (row.value, row.ci_low, row.ci_high, row.pairs)
        for row in found.figures.itertuples(index=False)
    }


def test_linkage_that_finds_more_and_errs_nowhere_is_accepted() -> None:
    found = verdict()
    assert found.accepted
    assert found.threshold == 9.0
    assert found.reason.startswith("Linkage merges: its lead in F1 is surely")


def test_the_figures_are_those_counted_by_hand_with_wilsons_intervals() -> None:
    weights = {**LIKELY, **dict.fromkeys(pairs_of("t", 3), 9.0), **dict.fromkeys(pairs_of("s", 30)[20:], 1.0)}
    told = figures(verdict(weights))
    assert {name: told[name][0] for name in told} == pytest.approx(
        {
            ("exact", "precision"): 1,
            ("exact", "recall"): 20 / 60,
            ("exact", "f1"): 40 / 80,
            ("linkage", "precision"): 50 / 53,
            ("linkage", "recall"): 50 / 60,
            ("linkage", "f1"): 100 / 113,
            ("difference", "f1"): 100 / 113 - 0.5,
        }
    )
    # With p = 50/53, z = 1.96 and n = 53: (p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n).
    assert told["linkage", "precision"][1:] == pytest.approx((0.846298, 0.980563, 53), abs=1e-6)
    for _, low, high, _ in told.values():
        assert low <= high
    assert told["difference", "f1"][1] > 0


def test_linkage_that_finds_no_more_than_keys_is_refused() -> None:
    found = verdict(by_keys=SAME)
    assert not found.accepted
    assert figures(found)["difference", "f1"][:3] == (0, 0, 0)
    assert "not surely better" in found.reason


def test_a_lead_that_may_be_chance_is_refused() -> None:
    weights = {pair: weight for pair, weight in LIKELY.items() if pair not in pairs_of("s", 60)[21:]}
    found = verdict(weights)
    value, low, *_ = figures(found)["difference", "f1"]
    assert value > 0 >= low
    assert not found.accepted


def test_linkage_that_is_better_but_not_surely_precise_is_refused() -> None:
    weights = {**LIKELY, **dict.fromkeys(pairs_of("t", 4), 9.0)}
    found = verdict(weights)
    value, low, *_ = figures(found)["linkage", "precision"]
    assert (value > 0.9, low > 0.9, found.accepted) == (True, False, False)
    assert "least_precision, 0.9" in found.reason
    assert verdict(weights, least_precision=0.8).accepted


def test_the_threshold_is_chosen_on_one_half_whatever_the_other_says() -> None:
    turned = [LabelledPair(p.customer_a, p.customer_b, not p.same, p.line, p.group, p.judges) for p in JUDGING]
    told = verdict(labels=[*CHOOSING, *turned])
    assert told.threshold == 9.0
    assert not told.accepted


def test_the_judgement_is_by_the_other_half_alone() -> None:
    fewer = labels(pairs_of("p", 40), pairs_of("q", 10), judges=False)
    pd.testing.assert_frame_equal(verdict(labels=[*fewer, *JUDGING]).figures, verdict().figures)


def test_the_threshold_is_the_best_of_those_that_are_precise_enough() -> None:
    graded = {**LIKELY, **dict.fromkeys(pairs_of("p", 40)[30:], 4.0), **dict.fromkeys(pairs_of("q", 2), 5.0)}
    assert verdict(graded).threshold == 4.0  # 2 of 42 links are wrong
    assert verdict(graded, least_precision=0.97).threshold == 9.0


def test_where_no_likelihood_is_right_often_enough_linkage_has_no_threshold() -> None:
    found = verdict({pair: 11.0 - weight for pair, weight in LIKELY.items()})
    assert (found.threshold, found.accepted) == (None, False)
    assert set(found.figures["rule"]) == {"exact"}
    assert "no likelihood is reached from which on 90% of the links are right" in found.reason


def test_without_any_likely_pair_merges_go_by_keys() -> None:
    assert not verdict({}).accepted
    assert not verdict({}, by_keys=()).accepted


def test_two_who_are_linked_through_a_third_count_as_found() -> None:
    chain = {**LIKELY, ("s00a", "x"): 9.0, ("s00b", "x"): 9.0}
    del chain["s00a", "s00b"]
    assert figures(verdict(chain)) == figures(verdict())


def test_more_linked_customers_than_a_person_has_ids_are_not_merged() -> None:
    crowd = {**LIKELY, **{("s59a", f"x{n}"): 9.0 for n in range(3)}}
    assert figures(verdict(crowd))["linkage", "recall"][0] == 59 / 60
    assert figures(verdict(crowd, at_most=5))["linkage", "recall"][0] == 1


def test_customers_far_from_any_labelled_one_change_nothing() -> None:
    others = dict.fromkeys(pairs_of("z", 50), 9.0)
    pd.testing.assert_frame_equal(verdict({**LIKELY, **others}).figures, verdict().figures)


def test_rows_in_another_order_make_the_same_judgement() -> None:
    told, pairs, given = keyed(BY_KEYS), scored(LIKELY), [*CHOOSING, *JUDGING]
    turned = judge(told[::-1], pairs[::-1], given[::-1], at_most=4, least_precision=0.9)
    pd.testing.assert_frame_equal(turned.figures, verdict().figures)
    assert (turned.threshold, turned.reason) == (verdict().threshold, verdict().reason)
