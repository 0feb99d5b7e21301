"""Places by category and by novelty: by hand, by brute force, and their laws."""

from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cx_assets.recommendations.composition import capped, composed
from cx_assets.recommendations.ranking import RankedLists

Entry = tuple[int, int, int, float]

# Of items 0 to 9: two categories, and two items that have none.
CATEGORIES = np.array([0, 0, 0, 0, 1, 1, 1, 1, -1, -1], dtype=np.intp)


def lists_of(rows: list[tuple[int, list[tuple[int, float]]]]) -> RankedLists:
    """Lists from customers and their items with scores, best first."""
    flat = [(customer, place + 1, *pair) for customer, own in rows for place, pair in enumerate(own)]
    customer, rank, item, score = zip(*flat, strict=True) if flat else ((), (), (), ())
    return RankedLists(
        np.array(customer, np.intp), np.array(rank, np.int32), np.array(item, np.intp), np.array(score, np.float32)
    )


def entries(lists: RankedLists) -> list[Entry]:
    columns = (lists.customer, lists.rank, lists.item, lists.score)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def by_customer(lists: RankedLists) -> dict[int, list[tuple[int, float]]]:
    found: dict[int, list[tuple[int, float]]] = {}
    for customer, _, item, score in entries(lists):
        found.setdefault(customer, []).append((item, score))
    return found


@dataclass(frozen=True)
class Case:
    """A customer's two lists each, and what is asked for."""

    repeat: RankedLists
    discovery: RankedLists
    places: int
    min_new: int
    per_category: int | None


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Few items and fewer scores, so that there are many equals."""
    repeat, discovery = [], []
    for customer in range(draw(st.integers(0, 3))):
        items = draw(st.permutations(range(10)))[: draw(st.integers(0, 10))]
        scores = sorted(draw(st.lists(st.integers(0, 4), min_size=10, max_size=10)), reverse=True)
        had = draw(st.integers(0, len(items)))
        repeat.append((customer, list(zip(items[:had], scores, strict=False))))
        # Another shift, so that either kind may be the better one.
        fresh = [(item, score - 1 + customer) for item, score in zip(items[had:], scores, strict=False)]
        discovery.append((customer, fresh))
    places = draw(st.integers(1, 6))
    limit = draw(st.none() | st.integers(1, 3))
    return Case(lists_of(repeat), lists_of(discovery), places, draw(st.integers(0, places)), limit)


def greedy(ordered: list[tuple[int, float]], per_category: int | None, places: int) -> list[tuple[int, float]]:
    """The plain way to fill a list, an item at a time."""
    taken: list[tuple[int, float]] = []
    for item, score in ordered:
        category = CATEGORIES[item]
        same = sum(bool(CATEGORIES[other] == category) for other, _ in taken)
        if len(taken) < places and (per_category is None or category < 0 or same < per_category):
            taken.append((item, score))
    return taken


def composed_of(case: Case, **changed: Any) -> dict[int, list[tuple[int, float]]]:
    asked: dict[str, Any] = {"min_new": case.min_new, "per_category": case.per_category} | changed
    found = composed(case.repeat, case.discovery, case.places, categories=CATEGORIES, **asked)
    return by_customer(found.lists)


def test_the_best_of_a_category_stay_and_the_next_move_up() -> None:
    lists = lists_of([(5, [(0, 0.9), (1, 0.8), (4, 0.7), (2, 0.6), (5, 0.5)]), (2, [(4, 0.3)])])
    found, removed = capped(lists, CATEGORIES, 1, 3)
    assert [e[:3] for e in entries(found)] == [(5, 1, 0), (5, 2, 4), (2, 1, 4)]
    # Item 1 is the only one of the first three places that had to go.
    assert removed == 1


def test_without_a_limit_lists_are_only_cut() -> None:
    lists = lists_of([(0, [(0, 3.0), (1, 2.0), (2, 1.0)])])
    found, removed = capped(lists, CATEGORIES, None, 2)
    assert entries(found) == [(0, 1, 0, 3.0), (0, 2, 1, 2.0)]
    assert removed == 0


def test_items_without_a_category_are_not_limited() -> None:
    found, removed = capped(lists_of([(0, [(8, 3.0), (9, 2.0)])]), CATEGORIES, 1, 5)
    assert found.item.tolist() == [8, 9]
    assert removed == 0


def test_no_lists_stay_no_lists() -> None:
    nobody = lists_of([])
    assert entries(capped(nobody, CATEGORIES, 1, 5)[0]) == []
    assert entries(composed(nobody, nobody, 5, 2).lists) == []


@given(cases())
def test_a_capped_list_is_the_one_filled_an_item_at_a_time(case: Case) -> None:
    found, removed = capped(case.repeat, CATEGORIES, case.per_category, case.places)
    given_lists, kept = by_customer(case.repeat), by_customer(found)
    assert kept == {c: greedy(own, case.per_category, case.places) for c, own in given_lists.items()}
    lost = [pair for c, own in given_lists.items() for pair in own[: case.places] if pair not in kept[c]]
    assert removed == len(lost)


@given(cases())
def test_a_capped_list_is_a_part_of_the_list_in_its_order_under_the_limit(case: Case) -> None:
    found, removed = capped(case.repeat, CATEGORIES, case.per_category, case.places)
    given_lists = by_customer(case.repeat)
    for customer, own in by_customer(found).items():
        rest = iter(given_lists[customer])
        assert all(pair in rest for pair in own)
        assert len(own) <= case.places
        codes = [CATEGORIES[item] for item, _ in own]
        assert all(codes.count(code) <= (case.per_category or 99) for code in codes if code >= 0)
        assert found.rank[found.customer == customer].tolist() == list(range(1, len(own) + 1))
    first = sum(min(len(own), case.places) for own in given_lists.values())
    stayed = sum(pair in by_customer(found)[c] for c, own in given_lists.items() for pair in own[: case.places])
    assert removed + stayed == first


def test_two_lists_are_merged_by_score_and_what_was_had_comes_first_among_equals() -> None:
    repeat, discovery = lists_of([(0, [(3, 0.9), (2, 0.5)])]), lists_of([(0, [(7, 0.5), (1, 0.5)]), (1, [(4, 0.1)])])
    found = composed(repeat, discovery, 3)
    assert entries(found.lists)[:3] == [(0, 1, 3, np.float32(0.9)), (0, 2, 2, 0.5), (0, 3, 7, 0.5)]
    assert found.lists.customer.tolist() == [0, 0, 0, 1]
    assert found.new.tolist() == [False, False, True, True]
    assert (found.capped, found.gave_way) == (0, 0)


def test_the_worst_of_what_was_had_gives_way_to_what_is_new() -> None:
    repeat = lists_of([(0, [(0, 0.9), (1, 0.8), (2, 0.7)]), (1, [(0, 0.9)])])
    discovery = lists_of([(0, [(4, 0.2), (5, 0.1)]), (1, [(4, 0.2)])])
    found = composed(repeat, discovery, 3, 2)
    assert by_customer(found.lists) == by_customer(
        lists_of([(0, [(0, 0.9), (4, 0.2), (5, 0.1)]), (1, [(0, 0.9), (4, 0.2)])])
    )
    assert found.new.tolist() == [False, True, True, False, True]
    assert found.gave_way == 2


def test_a_list_of_both_is_under_the_limit_as_a_whole() -> None:
    repeat, discovery = lists_of([(0, [(0, 0.9), (4, 0.7)])]), lists_of([(0, [(1, 0.6), (5, 0.5), (8, 0.4)])])
    found = composed(repeat, discovery, 3, 2, categories=CATEGORIES, per_category=1)
    # By score and limit 0, 4 and 8. Item 5 costs less in the place of 4 than item 1 in that of 0, and 1 can't join 0.
    assert found.lists.item.tolist() == [0, 5, 8]
    assert found.new.tolist() == [False, True, True]
    assert (found.capped, found.gave_way) == (1, 1)


def test_new_items_beyond_the_limit_are_not_added_for_the_sake_of_novelty() -> None:
    repeat, discovery = lists_of([(0, [(8, 0.9), (9, 0.8)])]), lists_of([(0, [(0, 0.3), (1, 0.2), (2, 0.1)])])
    found = composed(repeat, discovery, 2, 2, categories=CATEGORIES, per_category=1)
    assert found.lists.item.tolist() == [8, 0]


def best_sum(had: list[tuple[int, float]], fresh: list[tuple[int, float]], case: Case, size: int) -> float:
    """The highest sum of scores of all lists of a size that hold enough new items, or as many as there can be."""
    found: dict[int, float] = {}
    for own in combinations([*had, *fresh], size):
        codes = [CATEGORIES[item] for item, _ in own]
        if all(codes.count(code) <= (case.per_category or 99) for code in codes if code >= 0):
            new = min(sum(pair in fresh for pair in own), case.min_new)
            found[new] = max(found.get(new, -np.inf), sum(score for _, score in own))
    return found[max(found)]


@given(cases())
def test_no_list_with_enough_that_is_new_has_a_higher_sum_of_scores(case: Case) -> None:
    repeat, discovery = by_customer(case.repeat), by_customer(case.discovery)
    for customer, own in composed_of(case).items():
        best = best_sum(repeat.get(customer, []), discovery.get(customer, []), case, len(own))
        assert sum(score for _, score in own) == best


@given(cases())
def test_lists_merged_by_score_are_those_filled_an_item_at_a_time(case: Case) -> None:
    repeat, discovery = by_customer(case.repeat), by_customer(case.discovery)
    # Sorting is stable: had before comes first among equals, and each kind keeps its order.
    merged = {
        customer: sorted([*repeat.get(customer, []), *discovery.get(customer, [])], key=lambda pair: -pair[1])
        for customer in sorted({*repeat, *discovery})
    }
    wanted = {customer: greedy(own, case.per_category, case.places) for customer, own in merged.items()}
    assert composed_of(case, min_new=0) == wanted


@given(cases())
def test_a_composed_list_has_its_laws(case: Case) -> None:
    found = composed(
        case.repeat,
        case.discovery,
        case.places,
        case.min_new,
        categories=CATEGORIES,
        per_category=case.per_category,
    )
    assert len(found.new) == len(found.lists.item)
    fresh = by_customer(case.discovery)
    by_score = composed_of(case, min_new=0)
    for customer, own in by_customer(found.lists).items():
        at = found.lists.customer == customer
        assert found.lists.rank[at].tolist() == list(range(1, len(own) + 1))
        assert len({item for item, _ in own}) == len(own) <= case.places
        assert [score for _, score in own] == sorted((score for _, score in own), reverse=True)
        codes = [CATEGORIES[item] for item, _ in own]
        assert all(codes.count(code) <= (case.per_category or 99) for code in codes if code >= 0)
        assert found.new[at].tolist() == [pair in fresh.get(customer, []) for pair in own]
        there_are = len(greedy(fresh.get(customer, []), case.per_category, case.min_new))
        assert found.new[at].sum() >= there_are
        # Giving way makes no list shorter, and one that has enough by itself is the plain merge.
        assert len(own) == len(by_score[customer])
        if sum(pair in fresh.get(customer, []) for pair in by_score[customer]) >= case.min_new:
            assert own == by_score[customer]


@given(cases())
def test_without_a_limit_only_the_last_of_what_was_had_give_way(case: Case) -> None:
    found = composed(case.repeat, case.discovery, case.places, case.min_new)
    plain = composed(case.repeat, case.discovery, case.places)
    repeat, discovery = by_customer(case.repeat), by_customer(case.discovery)
    for customer in {*found.lists.customer.tolist()}:
        at = found.lists.customer == customer
        had, new = found.lists.item[at & ~found.new].tolist(), found.lists.item[at & found.new].tolist()
        assert had == [item for item, _ in repeat.get(customer, [])][: len(had)]
        assert new == [item for item, _ in discovery.get(customer, [])][: len(new)]
    assert found.gave_way == (~plain.new).sum() - (~found.new).sum()


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        ({"places": 0}, "places must be at least 1"),
        ({"places": 2, "min_new": 3}, "min_new must be from 0 to the 2 places"),
        ({"places": 2, "min_new": -1}, "min_new must be from 0"),
        ({"places": 2, "per_category": 0, "categories": CATEGORIES}, "per_category must be at least 1"),
        ({"places": 2, "per_category": 1}, "needs the categories"),
    ],
)
def test_places_that_make_no_sense_are_refused(asked: dict[str, Any], complaint: str) -> None:
    lists = lists_of([(0, [(0, 1.0)])])
    with pytest.raises(ValueError, match=complaint):
        composed(lists, lists_of([]), **asked)


def test_an_item_that_is_both_had_and_new_is_refused() -> None:
    lists = lists_of([(0, [(0, 1.0)])])
    with pytest.raises(ValueError, match="has an item twice"):
        composed(lists, lists, 2)
