"""What names say, in several languages."""

import pytest

from cx_assets.proposal.words import concepts, event_type_meant, own_event_type, taken_back, words


@pytest.mark.parametrize("name", ["kundenNr", "kunden_nr", "Kundennr", "KUNDENNR", "Kunden-Nr."])
def test_a_compound_is_taken_apart_however_it_is_written(name: str) -> None:
    assert words(name) == ["kunden", "nr"]


@pytest.mark.parametrize(
    ("name", "spoken_of"),
    [
        ("customer_id", {"customer", "id"}),
        ("CustomerID", {"customer", "id"}),
        ("Bestelldatum", {"order", "time"}),
        ("numéro client", {"id", "customer"}),
        ("klantnummer", {"customer", "id"}),
        ("Stückpreis", {"unit", "quantity", "money"}),
        ("N° commande", {"order"}),
        ("fecha_pedido", {"time", "order"}),
        ("xyzzy", set()),
    ],
)
def test_a_name_speaks_of_what_its_words_mean(name: str, spoken_of: set[str]) -> None:
    assert concepts(name) >= spoken_of
    assert bool(concepts(name)) == bool(spoken_of)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("Purchase", "purchase"), ("page_view", "view"), ("add_to_cart", "cart"), ("Kauf", "purchase"),
        ("AddToCart", "cart"), ("review", "rating"), ("remove_from_cart", None), ("refund", None), ("zzz", None),
        ("Storno", None), ("plays_2025-03", "view"), ("Page Views", "view"), ("ratings", "rating"), ("carts", "cart"),
        ("likes", None), ("returns", None),
    ],
)  # fmt: skip
def test_a_word_for_what_was_done_means_a_type_or_nothing(value: str, kind: str | None) -> None:
    assert event_type_meant(value) == kind


@pytest.mark.parametrize(
    ("value", "kind"),
    [("likes", "like"), ("Liked", "like"), ("downloads_2025", "download"), ("plays", None), ("zzz", None)],
)
def test_what_no_type_of_every_dataset_means_may_be_one_of_its_own(value: str, kind: str | None) -> None:
    assert own_event_type(value) == kind


@pytest.mark.parametrize(
    ("value", "undoes"), [("returns", True), ("Storno", True), ("unlike", True), ("orders", False)]
)
def test_words_for_what_undoes_something_are_known(value: str, undoes: bool) -> None:
    assert taken_back(value) == undoes
