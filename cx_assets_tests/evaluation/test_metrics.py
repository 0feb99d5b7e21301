"""The accuracy metrics: worked examples by hand, laws, and agreement with trec_eval."""

import math

import numpy as np
import pytest
import pytrec_eval
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cx_assets.evaluation.metrics import ACCURACY_METRICS, EMPTY_PLACE, Relevance, accuracy, hits, shown_items

KS = (5, 10, 20)
TREC_NAMES = {"precision": "P", "recall": "recall", "ndcg": "ndcg_cut", "map": "map_cut", "hit_rate": "success"}


def random_lists(
    seed: int, *, customers: int = 60, items: int = 80, depth: int = 20
) -> tuple[NDArray[np.int64], Relevance]:
    """Lists of varying length and truths of varying size, some with more relevant items than places."""
    random = np.random.default_rng(seed)
    shown = np.full((customers, depth), EMPTY_PLACE, dtype=np.int64)
    rows, positions = [], []
    for row in range(customers):
        length = int(random.integers(0, depth + 1))
        shown[row, :length] = random.permutation(items)[:length]
        relevant = random.permutation(items)[: int(random.integers(1, 35))]
        rows += [row] * len(relevant)
        positions += relevant.tolist()
    relevance = Relevance.of_pairs(np.array(rows), np.array(positions), customers=customers, items=items)
    return shown, relevance


def test_a_list_with_hits_at_two_and_four_is_judged_as_worked_out_by_hand() -> None:
    relevance = Relevance.of_pairs(np.array([0, 0, 0]), np.array([7, 9, 3]), customers=1, items=10)
    hit = hits(np.array([[1, 7, 2, 9, 0]]), relevance)
    assert hit.tolist() == [[False, True, False, True, False]]
    figure = {metric: value[0] for (metric, _), value in accuracy(hit, relevance.counts, [5]).items()}
    assert figure["precision"] == pytest.approx(2 / 5)
    assert figure["recall"] == pytest.approx(2 / 3)
    assert figure["f1"] == pytest.approx(2 * (2 / 5) * (2 / 3) / (2 / 5 + 2 / 3))
    dcg = 1 / math.log2(3) + 1 / math.log2(5)
    idcg = 1 + 1 / math.log2(3) + 1 / math.log2(4)
    assert figure["ndcg"] == pytest.approx(dcg / idcg)
    assert figure["map"] == pytest.approx((1 / 2 + 2 / 4) / 3)
    assert figure["mrr"] == pytest.approx(1 / 2)
    assert figure["hit_rate"] == 1


def test_the_ideal_list_has_one_for_every_metric_that_its_length_allows() -> None:
    relevance = Relevance.of_pairs(np.zeros(5, dtype=np.int64), np.arange(5), customers=1, items=9)
    hit = hits(np.array([[4, 2, 0, 1, 3]]), relevance)
    assert {value[0] for value in accuracy(hit, relevance.counts, [5]).values()} == {1.0}


def test_a_short_list_counts_as_if_its_missing_places_were_wrong() -> None:
    relevance = Relevance.of_pairs(np.array([0]), np.array([3]), customers=1, items=9)
    shown = np.full((1, 10), EMPTY_PLACE)
    shown[0, 0] = 3
    assert accuracy(hits(shown, relevance), relevance.counts, [10])["precision", 10][0] == pytest.approx(0.1)


def test_an_empty_list_has_nothing_and_divides_by_nothing() -> None:
    relevance = Relevance.of_pairs(np.array([0]), np.array([3]), customers=1, items=9)
    figures = accuracy(hits(np.full((1, 5), EMPTY_PLACE), relevance), relevance.counts, [5])
    assert [value[0] for value in figures.values()] == [0.0] * len(ACCURACY_METRICS)


def test_an_item_that_was_never_seen_before_is_missed_but_counts_as_relevant() -> None:
    relevance = Relevance.of_pairs(np.array([0, 0]), np.array([3, -1]), customers=1, items=9)
    recall = accuracy(hits(np.array([[3]]), relevance), relevance.counts, [1])["recall", 1]
    assert recall[0] == pytest.approx(0.5)


def test_a_customer_with_nothing_relevant_is_refused() -> None:
    with pytest.raises(ValueError, match="leave such customers out and count them"):
        Relevance.of_pairs(np.array([1]), np.array([3]), customers=2, items=9)


def test_a_k_beyond_the_lists_is_refused() -> None:
    with pytest.raises(ValueError, match="within 1 and 5"):
        accuracy(np.zeros((1, 5), dtype=bool), np.ones(1, dtype=np.int64), [10])


def test_lists_and_truths_of_different_customers_are_refused() -> None:
    relevance = Relevance.of_pairs(np.array([0]), np.array([3]), customers=1, items=9)
    with pytest.raises(ValueError, match="2 lists for 1 judged customers"):
        hits(np.zeros((2, 5), dtype=np.int64), relevance)


def test_entries_become_places_in_their_customers_row_whatever_their_order() -> None:
    shown = shown_items(np.array([1, 0, 1]), np.array([2, 1, 1]), np.array([8, 5, 6]), customers=2, depth=2)
    assert shown.tolist() == [[5, EMPTY_PLACE], [6, 8]]


def test_entries_past_the_depth_are_left_out() -> None:
    shown = shown_items(np.array([0, 0]), np.array([1, 2]), np.array([8, 5]), customers=1, depth=1)
    assert shown.tolist() == [[8]]


@pytest.mark.parametrize("seed", range(4))
def test_every_metric_equals_trec_eval_for_every_customer(seed: int) -> None:
    shown, relevance = random_lists(seed)
    truth: dict[str, dict[str, int]] = {f"c{row}": {} for row in range(len(shown))}
    for key in relevance.keys:
        truth[f"c{key // relevance.items}"][f"i{key % relevance.items}"] = 1
    places = {f"c{row}": [f"i{item}" for item in shown[row] if item != EMPTY_PLACE] for row in range(len(shown))}
    measures = {f"{name}.{','.join(map(str, KS))}" for name in TREC_NAMES.values()}
    run = {customer: {item: float(-place) for place, item in enumerate(items)} for customer, items in places.items()}
    judged = pytrec_eval.RelevanceEvaluator(truth, measures).evaluate(run)
    ours = accuracy(hits(shown, relevance), relevance.counts, KS)
    for row in range(len(shown)):
        theirs = judged.get(f"c{row}", {})  # trec_eval leaves out a customer without a list; ours has zeros
        for metric, name in TREC_NAMES.items():
            for k in KS:
                assert ours[metric, k][row] == pytest.approx(theirs.get(f"{name}_{k}", 0.0), abs=1e-9)


@pytest.mark.parametrize("k", KS)
def test_the_reciprocal_rank_and_f1_equal_trec_eval_on_lists_cut_at_k(k: int) -> None:
    random = np.random.default_rng(k)
    shown = np.stack([random.permutation(60)[:20] for _ in range(40)])
    rows = np.repeat(np.arange(40), 12)
    positions = np.concatenate([random.permutation(60)[:12] for _ in range(40)])
    relevance = Relevance.of_pairs(rows, positions, customers=40, items=60)
    truth = {f"c{row}": {f"i{i}": 1 for i in positions[rows == row]} for row in range(40)}
    run = {f"c{row}": {f"i{i}": float(-place) for place, i in enumerate(shown[row, :k])} for row in range(40)}
    judged = pytrec_eval.RelevanceEvaluator(truth, {"recip_rank", "set_F"}).evaluate(run)
    ours = accuracy(hits(shown, relevance), relevance.counts, [k])
    for row in range(40):
        assert ours["mrr", k][row] == pytest.approx(judged[f"c{row}"]["recip_rank"], abs=1e-9)
        assert ours["f1", k][row] == pytest.approx(judged[f"c{row}"]["set_F"], abs=1e-9)


@settings(max_examples=40)
@given(st.integers(0, 10_000))
def test_every_figure_lies_within_zero_and_one_and_longer_lists_never_find_less(seed: int) -> None:
    shown, relevance = random_lists(seed, customers=12)
    figures = accuracy(hits(shown, relevance), relevance.counts, KS)
    for value in figures.values():
        assert np.isfinite(value).all()
        assert (value >= 0).all()
        assert (value <= 1).all()
    for metric in ("recall", "map", "mrr", "hit_rate"):
        assert (np.diff([figures[metric, k] for k in KS], axis=0) >= 0).all()


@settings(max_examples=20)
@given(st.integers(0, 10_000))
def test_the_figures_do_not_depend_on_how_items_are_numbered(seed: int) -> None:
    shown, relevance = random_lists(seed, customers=12)
    new_number = np.random.default_rng(seed).permutation(relevance.items)
    renumbered = np.where(shown == EMPTY_PLACE, EMPTY_PLACE, new_number[shown])
    rows, positions = np.divmod(relevance.keys, relevance.items)
    again = Relevance.of_pairs(rows, new_number[positions], customers=12, items=relevance.items)
    before = accuracy(hits(shown, relevance), relevance.counts, KS)
    after = accuracy(hits(renumbered, again), again.counts, KS)
    for key, value in before.items():
        assert np.array_equal(value, after[key])
