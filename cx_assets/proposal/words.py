"""What a column's name says, in the languages that exports are written in.

Belongs here: words and how a name is taken apart. Does not: what values say (`values`, `dates`) or which column is
chosen (`roles`).
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache

# A concept and the words that name it, without accents: English, German, French, Spanish, Dutch, Italian.
VOCABULARY = {
    "customer": "customer client kunde kunden kundin klant cliente user usuario gebruiker utente utilisateur member "
    "mitglied household haushalt shopper buyer acheteur comprador kaeufer visitor besucher visiteur patron "
    "reader leser subscriber abonnent contact kontakt account konto debitor nutzer benutzer cust person people",
    "item": "item product produkt producto produit prodotto article artikel articulo articolo sku ean gtin asin isbn "
    "upc plu merchandise ware waren movie film track song book buch livre libro content story prod art",
    "order": "order bestellung bestell bestel auftrag auftrags beleg bon kassenbon receipt invoice rechnung rechnungs "
    "transaction transaktion commande pedido ordine bestelling basket warenkorb panier session sitzung "
    "visit besuch ticket facture factura fattura checkout orders cesta quittung kauf",
    "id": "id nr no num nummer number numero numer key code kennung ref reference uuid guid identifier kod",
    "line": "line position pos zeile ligne linea regel lineitem row posten",
    "event": "event ereignis evenement evento gebeurtenis log hit click clicks activity interaction",
    "time": "time timestamp ts zeit zeitpunkt zeitstempel uhrzeit date datum day tag fecha data jour heure hora "
    "tijd am um "
    "moment when at created erstellt occurred datetime dt dag ora horodatage",
    "birth": "birth birthday birthdate geburt geburts geburtstag dob naissance nacimiento nascita geboorte",
    "later": "ship shipped shipping versand liefer delivery delivered livraison entrega updated modified changed "
    "aenderung geaendert expires valid paid bezahlt zahlung payment due faellig registered signup registrierung "
    "anmeldung joined inscription last letzte end ende",
    "quantity": "quantity qty menge anzahl stueck stueckzahl quantite cantidad quantita aantal units pieces pcs count "
    "hoeveelheid stk amountordered",
    "money": "amount betrag total gesamt umsatz sales value wert revenue summe sum montant importe bedrag totaal "
    "totale spend turnover price preis prix precio prezzo prijs brutto netto erloes cost kosten subtotal",
    "unit": "unit unitario unitaire einzel stueck each stuk list listen uvp msrp",
    "whole": "total gesamt umsatz revenue sales summe montant importe betrag amount totaal line subtotal turnover",
    "tax": "tax mwst ust vat tva iva btw steuer discount rabatt remise descuento korting sconto shipping versand",
    "discount": "discount rabatt remise descuento korting sconto",
    "rating": "rating ratings rated stars sterne star bewertung bewertungen bewertet review reviewed reviews "
    "note puntuacion waardering nota valoracion beoordeling voto etoiles score points punkte",
    "type": "type typ action aktion kind art tipo ereignistyp eventname verb activitytype soort",
    "store": "store shop filiale branch markt magasin tienda winkel negozio site standort location outlet filial "
    "laden verkaufsstelle pos boutique sucursal vestiging",
    "name": "name bezeichnung title titel label nom nombre naam nome titre titulo titolo produktname description "
    "beschreibung designation denominazione omschrijving descripcion libelle",
    "category": "category kategorie categorie categoria warengruppe gruppe group rubrik genre genres department "
    "abteilung famille familia sortiment class klasse section rayon segment",
    "brand": "brand marke hersteller manufacturer marque marca merk maker vendor supplier lieferant fabricant",
    "email": "email mail courriel correo emailadresse mailadresse",
    "phone": "phone telephone telefon tel mobile handy mobil telefono telefoon fax cell rufnummer",
    "address": "address adresse street strasse rue calle straat via direccion indirizzo hausnummer adres anschrift",
    "postcode": "zip plz postcode postal postleitzahl cp cap codigopostal",
    "town": "city town ort stadt ville ciudad citta plaats wohnort region country land pays pais paese state "
    "bundesland county",
    "given": "first given vorname prenom voornaam firstname surname last lastname nachname familienname apellido "
    "apellidos cognome achternaam full fullname kundenname forename familyname",
    "status": "status state zustand etat estado stato storno storniert cancelled canceled returned retoure",
    "sellable": "active available lieferbar verfuegbar aktiv instock stock bestand lagerbestand actif disponible "
    "beschikbaar sellable recommendable enabled buyable listed disponibile activo auflager voorraad",
    "campaign": "campaign kampagne campagne campana mailing promotion promo werbeaktion",
    "start": "start starts begin beginn from von debut inicio inizio launch sent",
    "end": "end ends ende until bis fin over stop final einde",
}
# Words that are one only on their own: inside a longer one they are chance.
SHORT = 3


@cache
def _concepts_by_word() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for concept, words in VOCABULARY.items():
        for word in words.split():
            found.setdefault(word, set()).add(concept)
    return {word: frozenset(concepts) for word, concepts in found.items()}


def plain(text: str) -> str:
    """A text in lower case without accents; German umlauts as two letters, as exports write them."""
    for accented, letters in (
        ("ä", "ae"),
        ("ö", "oe"),
        ("ü", "ue"),
        ("ß", "ss"),
        ("Ä", "Ae"),
        ("Ö", "Oe"),
        ("Ü", "Ue"),
    ):
        text = text.replace(accented, letters)
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def words(name: str) -> list[str]:
    """The words of a name: parted at signs, digits and capitals, compounds into the words that are known.

    `kundenNr`, `kunden_nr` and `Kundennr` are the same three letters apart: customer and number.
    """
    spaced = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", plain(name))
    parts = re.findall(r"[a-z]+|\d+", spaced.lower())
    return [word for part in parts for word in _parted(part)]


@cache
def _parted(word: str) -> tuple[str, ...]:
    """A word as known words, where all of it is made of such, fewest first; else as it is."""
    known = _concepts_by_word()
    for form in (word, word.removesuffix("s"), word.removesuffix("es"), word.removesuffix("en")):
        if form in known:
            return (form,)
    best: dict[int, tuple[str, ...]] = {0: ()}
    for end in range(1, len(word) + 1):
        for begin in range(end):
            # A linking s, as in German and Dutch compounds.
            piece = word[begin:end] if word[begin:end] in known else word[begin:end].removesuffix("s")
            long_enough = len(piece) >= SHORT or piece in ("id", "nr", "no", "at", "ts")
            if begin in best and piece in known and long_enough:
                candidate = (*best[begin], piece)
                if end not in best or len(candidate) < len(best[end]):
                    best[end] = candidate
    return best.get(len(word), (word,))


@cache
def concepts(name: str) -> frozenset[str]:
    """What a name speaks of: the concepts of its words."""
    known = _concepts_by_word()
    return frozenset(concept for word in words(name) for concept in known.get(word, ()))


# The words of event types, by the canonical type that they mean.
EVENT_WORDS = {
    "purchase": "purchase purchased buy bought order ordered sale sold checkout transaction kauf gekauft bestellung "
    "achat compra koop aankoop acquisto completed paid",
    "view": "view viewed pageview look click clicked visit impression ansicht angesehen aufruf seitenaufruf vue vista "
    "bekeken visualizzazione read gelesen open productview detail play played watch watched listen stream streamed",
    "cart": "cart addtocart add basket warenkorb panier carrito winkelwagen carrello bag wishlist",
    "rating": "rating rated rate review bewertung note valoracion beoordeling voto",
}
# What else is done, by the name that a manifest may declare for it.
OWN_EVENT_WORDS = {
    "like": "like liked love loved favourite favorite favourited favorited upvote gefaellt",
    "share": "share shared geteilt partage",
    "download": "download downloaded heruntergeladen",
    "bookmark": "bookmark bookmarked saved gemerkt merkliste",
    "follow": "follow followed gefolgt",
    "comment": "comment commented kommentar commentaire",
}
TAKEN_BACK = {
    "remove", "removed", "refund", "refunded", "return", "returned", "cancel", "cancelled", "canceled", "cancellation",
    "storno", "retoure", "retouren", "unlike", "dislike",
}  # fmt: skip


def event_type_meant(value: str) -> str | None:
    """The canonical event type that a delivered one, or a file's name, means, or None."""
    return None if taken_back(value) else _first_named(value, EVENT_WORDS, ("cart", "rating", "purchase", "view"))


def own_event_type(value: str) -> str | None:
    """The type of its own that a manifest may declare for a delivered one, or for a file's name, or None."""
    if taken_back(value) or event_type_meant(value):
        return None
    return _first_named(value, OWN_EVENT_WORDS, tuple(OWN_EVENT_WORDS))


def taken_back(value: str) -> bool:
    """Whether a word speaks of what undoes something that was done."""
    return bool(_forms(value) & TAKEN_BACK)


def _first_named(value: str, vocabulary: Mapping[str, str], order: Sequence[str]) -> str | None:
    forms = _forms(value) | {"".join(re.findall("[a-z]+", plain(value).lower()))}
    return next((name for name in order if forms & set(vocabulary[name].split())), None)


def _forms(value: str) -> set[str]:
    """The words of a text, of plurals both forms."""
    found = set(re.findall("[a-z]+", plain(value).lower()))
    return found | {word.removesuffix("s") for word in found}
