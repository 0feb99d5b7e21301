"""What names say, in several languages."""

import pytest

from cx_assets.proposal.words import concepts, event_type_meant, words


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
        ("Storno", None),
    ],
)  # fmt: skip
def test_a_word_for_what_was_done_means_a_type_or_nothing(value: str, kind: str | None) -> None:
    assert event_type_meant(value) == kind
