import numpy as np

from cx_assets.rules import counting
from cx_assets.rules.counting import count_sets
from cx_assets_tests.rules.shop import basket_matrix


def test_a_customer_with_many_baskets_counts_once():
    baskets = basket_matrix(["ab", "ab", "ab", "a", "b"], customers=[0, 0, 1, 2, 2])

    held, customers = count_sets(baskets, np.array([[0, 1]]))

    assert held.tolist() == [3]
    assert customers.tolist() == [2]


def test_counts_agree_with_a_plain_loop():
    dice = np.random.default_rng(3)
    words = ["".join(np.array(list("abcdefg"))[dice.random(7) < 0.5]) for _ in range(200)]
    owners = dice.integers(0, 30, 200)
    baskets = basket_matrix(words, owners.tolist())
    members = np.array([[0, 1, 2], [1, 3, 6], [2, 4, 5]])

    held, customers = count_sets(baskets, members)

    for row, chosen in enumerate(members):
        holders = [i for i, word in enumerate(words) if set(baskets.things[chosen]) <= set(word)]
        assert held[row] == len(holders)
        assert customers[row] == len(set(owners[holders]))


def test_counts_do_not_depend_on_the_size_of_the_blocks(monkeypatch):
    baskets = basket_matrix(["abc", "ab", "bc", "ca", "abc"], customers=[0, 0, 1, 2, 3])
    members = np.array([[0, 1], [0, 2], [1, 2]])
    whole = count_sets(baskets, members)

    monkeypatch.setattr(counting, "BLOCK_ENTRIES", 1)

    assert np.array_equal(count_sets(baskets, members), whole)


def test_no_sets_have_no_counts():
    held, customers = count_sets(basket_matrix(["ab"]), np.empty((0, 2), dtype=np.int64))

    assert held.tolist() == customers.tolist() == []
