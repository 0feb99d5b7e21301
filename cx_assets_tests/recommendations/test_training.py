"""What a recommender may see: the catalogue, the past, and nothing else."""

import numpy as np
import pandas as pd
import pytest

from cx_assets.matrices.interactions import EventWeights
from cx_assets.recommendations.recommender import build_training
from cx_assets.recommendations.similarities import read_neighbours
from cx_assets.similarity import top_k_cosine
from cx_assets_tests.recommendations.samples import AS_OF, SHOP, events_of, items_of, trained


def test_nothing_at_or_after_the_as_of_date_is_seen(tables):
    later = [("A", "w", "2024-01-11"), ("Z", "x", "2024-02-01")]
    one, other = trained(tables), trained(tables, [*SHOP, *later])
    assert list(other.interactions.customers) == ["A", "B", "C"]
    assert (one.counts != other.counts).nnz == 0
    assert (one.interactions.matrix != other.interactions.matrix).nnz == 0


def test_items_that_nobody_has_had_and_customers_without_events_have_their_place(tables):
    training = trained(tables, items=items_of("uwxyz"), customers=np.array(["0", "B"], dtype=object))
    assert list(training.interactions.items) == list("uwxyz")
    assert list(training.interactions.customers) == ["0", "A", "B", "C"]
    assert training.counts.toarray().tolist() == [[0] * 5, [0, 0, 3, 1, 0], [0, 0, 1, 1, 2], [0, 1, 0, 0, 1]]
    assert (training.interactions.matrix > 0).toarray().tolist() == (training.counts > 0).toarray().tolist()


def test_the_age_of_yesterdays_events_is_one_day(tables):
    training = trained(tables)
    assert training.last_age(purchases=False).toarray().tolist() == [[0, 8, 1, 0], [0, 10, 10, 2], [5, 0, 0, 6]]


def test_the_last_purchase_may_be_older_than_the_last_event(tables):
    rows = [("A", "x", "2024-01-01"), ("A", "x", "2024-01-05", "view"), ("A", "y", "2024-01-02", "view")]
    training = trained(tables, rows, items=items_of("xy"))
    assert training.last_age(purchases=True).toarray().tolist() == [[10, 0]]
    assert training.last_age(purchases=False).toarray().tolist() == [[6, 9]]
    assert training.counts.toarray().tolist() == [[2, 1]]
    assert training.purchases.toarray().tolist() == [[1, 0]]


def test_an_event_of_an_item_outside_the_catalogue_is_refused(tables):
    with pytest.raises(ValueError, match="1 items of the events are missing, 'z' for one"):
        trained(tables, items=items_of("wxy"))


def test_a_catalogue_that_has_an_item_twice_is_refused(tables):
    with pytest.raises(ValueError, match="1 item_ids are there twice"):
        trained(tables, items=items_of("wxyzz"))


def test_neighbours_come_from_the_tables_where_they_hold_them(tables):
    told = pd.DataFrame({"method": ["cosine"], "customer_id": ["A"], "neighbour_id": ["C"], "similarity": [0.25]})
    training = trained(tables, neighbours={"customer_neighbours": tables(told)})
    expected = [[0, 0, 0.25], [0, 0, 0], [0, 0, 0]]
    assert training.similarities.customers("cosine").toarray().tolist() == expected


def test_neighbours_written_to_a_table_and_read_back_are_the_same(tables):
    training = trained(tables)
    found = top_k_cosine(training.counts, 2)
    ids = training.interactions.customers
    read = read_neighbours(tables(found.to_frame(ids, "customer_id")), ids, "cosine")
    assert (read != found.matrix).nnz == 0


def test_neighbours_are_found_once_for_all_who_ask(tables):
    training = trained(tables)
    assert training.similarities.customers("cosine") is training.similarities.customers("cosine")


def test_an_unknown_similarity_is_refused(tables):
    with pytest.raises(ValueError, match="cosine or pearson"):
        trained(tables).similarities.customers("euclid")


def test_ratings_are_what_pearson_compares_where_there_are_any(tables):
    # The seed example: A (5, 3, 4) and B (4, 5, 3) over three items.
    rows = [(c, i, "2024-01-01", "rating") for c in "AB" for i in "xyz"]
    events = events_of(rows).assign(rating=[5.0, 3.0, 4.0, 4.0, 5.0, 3.0])
    training = build_training(tables(events), items_of("xyz"), as_of=AS_OF, weights=EventWeights())
    assert training.ratings is not None
    assert training.similarities.customers("cosine")[0, 1] == pytest.approx(0.94)
    assert training.similarities.customers("pearson")[0, 1] == pytest.approx(-0.5)
