"""The same events, exported in a dozen ways.

Belongs here: writing them. Each style returns what a manifest must make of its files, and nothing of how.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd

from cx_assets_tests.shops.sold import CUSTOMERS, ITEMS, Truth, facts, sold, write


def english(folder: Path) -> Truth:
    """A web shop's tables: bare `id` columns, ISO times, unit prices, a status."""
    lines = sold()
    write(
        folder / "order_items.csv",
        ("id", "order_id", "user_id", "product_id", "created_at", "quantity", "unit_price", "status"),
        [
            (n, s.order, s.customer + 1, s.item + 1, s.at, s.pieces, s.price, ("complete", "pending")[n % 2])
            for n, s in enumerate(lines, 1)
        ],
    )
    write(
        folder / "users.csv",
        ("id", "first_name", "last_name", "email", "city", "created_at", "age"),
        [(c, "Given", "Family", f"c{c}@mail.example", "Leeds", "2024-05-01", 20 + c) for c in range(1, CUSTOMERS + 1)],
    )
    write(
        folder / "products.csv",
        ("id", "title", "category", "brand", "price", "in_stock"),
        [(i, f"Thing {i}", f"shelf {i % 4}", f"brand {i % 3}", i * 2.5, i % 2) for i in range(1, ITEMS + 1)],
    )
    tables = {"events": "order_items.csv", "customers": "users.csv", "items": "products.csv"}
    return Truth(facts(lines), tables, frozenset({"first_name", "last_name", "email"}))


def american(folder: Path) -> Truth:
    """Months first, twelve hours, dollars with thousands, a mark of UTF-8."""
    lines = sold()
    write(
        folder / "Sales Report.csv",
        ("Order ID", "Order Date", "Customer ID", "Product SKU", "Qty", "Line Total"),
        [
            (s.order, f"{s.at:%m/%d/%Y %I:%M %p}", f"C-{s.customer + 1}", f"SKU{s.item + 1}", s.pieces,
             f"${s.value:,.2f}")
            for s in lines
        ],
        encoding="utf-8-sig",
    )  # fmt: skip
    return Truth(facts(lines, "C-{}", "SKU{}"), {"events": "Sales Report.csv"})


def french(folder: Path) -> Truth:
    """Semicolons, Windows-1252, decimal commas with blanks for thousands, days first with slashes."""
    lines = sold()
    rows = [
        (s.order, f"{s.at:%d/%m/%Y %H:%M:%S}", f"cl{s.customer + 1}", f"a{s.item + 1}", s.pieces,
         f"{s.value:,.2f}".replace(",", " ").replace(".", ","), "Orléans")
        for s in lines
    ]  # fmt: skip
    header = (
        "N° commande",
        "Date de commande",
        "N° client",
        "Référence article",
        "Quantité",
        "Montant total",
        "Magasin",
    )
    write(folder / "commandes.csv", header, rows, sign=";", encoding="windows-1252")
    write(
        folder / "clients.csv",
        ("N° client", "Nom", "Prénom", "Courriel", "Ville"),
        [(f"cl{c}", "Éloi", "Zoé", f"cl{c}@poste.example", "Orléans") for c in range(1, CUSTOMERS + 1)],
        sign=";",
        encoding="windows-1252",
    )
    tables = {"events": "commandes.csv", "customers": "clients.csv"}
    return Truth(facts(lines, "cl{}", "a{}"), tables, frozenset({"Prénom", "Courriel", "Nom"}))


def spanish(folder: Path) -> Truth:
    """A day and its time of day in two columns; a file per month."""
    lines = sold()
    header = ("pedido", "fecha", "hora", "cliente", "articulo", "cantidad", "importe")
    for month in (1, 2, 3):
        rows = [
            (s.order, f"{s.at:%d-%m-%Y}", f"{s.at:%H:%M}", f"u{s.customer + 1}", f"p{s.item + 1}", s.pieces,
             f"{s.value:.2f}".replace(".", ","))
            for s in lines if s.at.month == month
        ]  # fmt: skip
        write(folder / f"ventas_2025{month:02}.csv", header, rows, sign=";")
    return Truth(facts(lines, "u{}", "p{}"), {"events": "ventas_*.csv"})


def dutch(folder: Path) -> Truth:
    """Bars; thousands by points; a catalogue beside the sales whose header begins alike."""
    lines = sold()
    header = ("bestelnummer", "besteldatum", "klantnummer", "artikelnummer", "aantal", "bedrag")
    rows = [
        (s.order, f"{s.at:%Y-%m-%d %H:%M}", 10_000 + s.customer + 1, f"{s.item + 1}", s.pieces,
         f"{s.value:,.2f}".replace(",", " ").replace(".", ",").replace(" ", "."))
        for s in lines
    ]  # fmt: skip
    write(folder / "bestellingen.csv", header, rows, sign="|")
    write(
        folder / "artikelen.csv",
        ("artikelnummer", "naam", "categorie", "merk", "voorraad"),
        [(i, f"Ding {i}", f"groep {i % 5}", f"merk {i % 3}", i - 3) for i in range(1, ITEMS + 1)],
        sign="|",
    )
    tables = {"events": "bestellingen.csv", "items": "artikelen.csv"}
    customers = [(*e[:1], str(10_000 + int(e[1])), *e[2:]) for e in facts(lines)]
    return Truth(sorted(customers), tables)


def event_log(folder: Path) -> Truth:
    """JSON lines of a tracker: milliseconds, sessions, its own words for what was done."""
    said = {"purchase": "purchase", "view": "page_view", "cart": "add_to_cart"}
    lines = sold(kinds=tuple(said))
    rows = [
        {"event_time": int(s.at.replace(tzinfo=UTC).timestamp() * 1000), "event_name": said[s.kind],
         "visitor_id": f"v{s.customer + 1}", "item_id": s.item + 1, "session_id": f"s{s.order}"}
        for s in lines
    ]  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tracking.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return Truth(facts(lines, "v{}", worth=False), {"events": "tracking.jsonl"})


def typed(folder: Path) -> Truth:
    """Parquet with types, whose customers and items are whole numbers from 1 alike."""
    lines = sold()
    folder.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(
        {
            "transaction_timestamp": pd.to_datetime([s.at for s in lines]),
            "household_id": [s.customer + 1 for s in lines],
            "product_id": [s.item + 1 for s in lines],
            "basket_id": [s.order for s in lines],
            "quantity": [float(s.pieces) for s in lines],
            "sales_value": [s.value for s in lines],
            "week": [s.at.isocalendar().week for s in lines],
        }
    ).to_parquet(folder / "transactions.parquet")
    pd.DataFrame({"product_id": range(1, ITEMS + 1), "department": ["a", "b"] * 15}).to_parquet(
        folder / "products.parquet"
    )
    pd.DataFrame({"household_id": range(1, CUSTOMERS + 1), "income": ["low", "high"] * 20}).to_parquet(
        folder / "demographics.parquet"
    )
    tables = {"events": "transactions.parquet", "customers": "demographics.parquet", "items": "products.parquet"}
    return Truth(facts(lines), tables)


def daily_folders(folder: Path) -> Truth:
    """A folder a day, gzip, seconds since 1970."""
    lines = [line for line in sold() if line.at < datetime(2025, 1, 15)]
    for day in sorted({s.at.date() for s in lines}):
        rows = [
            (int(s.at.replace(tzinfo=UTC).timestamp()), f"m{s.customer + 1}", f"i{s.item + 1}", s.pieces, s.value)
            for s in lines
            if s.at.date() == day
        ]
        path = folder / f"day={day}" / "sales.csv.gz"
        write(path, ("timestamp", "member_id", "sku", "units", "revenue"), rows)
    return Truth(facts(lines, "m{}", "i{}"), {"events": "day=*/sales.csv.gz"})


def films(folder: Path) -> Truth:
    """Ratings and a list of films: no order, no value."""
    lines = sold(kinds=("rating",))
    write(
        folder / "ratings.csv",
        ("userId", "movieId", "rating", "timestamp"),
        [(s.customer + 1, s.item + 1, f"{s.stars:.1f}", int(s.at.replace(tzinfo=UTC).timestamp())) for s in lines],
    )
    write(
        folder / "movies.csv",
        ("movieId", "title", "genres"),
        [(i, f"Film {i} (1999)", ("Drama", "Comedy")[i % 2]) for i in range(1, ITEMS + 1)],
    )
    return Truth(facts(lines, worth=False, rated=True), {"events": "ratings.csv", "items": "movies.csv"})


def italian_offsets(folder: Path) -> Truth:
    """Tabs, times with their distance from UTC, a mail address beside the number of a customer."""
    lines = sold()
    header = ("ordine", "data_ordine", "cliente_id", "email", "prodotto", "quantita", "importo_totale")
    rows = [
        (s.order, (s.at + timedelta(hours=1)).isoformat() + "+01:00", f"k{s.customer + 1}",
         f"k{s.customer}@posta.example", f"p{s.item + 1}", s.pieces, s.value)
        for s in lines
    ]  # fmt: skip
    write(folder / "ordini.tsv", header, rows, sign="\t")
    return Truth(facts(lines, "k{}", "p{}"), {"events": "ordini.tsv"})


def joined(folder: Path) -> Truth:
    """Names that say little: who `ref` is, the customers' file tells."""
    lines = sold()
    write(
        folder / "till.csv",
        ("ref", "plu", "when", "pcs", "sum"),
        [(f"R{s.customer + 1}", f"P{s.item + 1}", s.at, s.pieces, s.value) for s in lines],
    )
    write(
        folder / "club_members.csv",
        ("member", "tier"),
        [(f"R{c}", ("gold", "plain")[c % 2]) for c in range(1, CUSTOMERS + 1)],
    )
    return Truth(facts(lines, "R{}", "P{}"), {"events": "till.csv", "customers": "club_members.csv"})


def wide_page(folder: Path) -> Truth:
    """UTF-16 with semicolons, as a spreadsheet saves `Unicode text`; years of two digits."""
    lines = sold()
    rows = [
        (f"{s.at:%d.%m.%y %H:%M}", f"Q{s.customer + 1}", f"W{s.item + 1}", s.pieces,
         f"{s.value:.2f} €".replace(".", ","))
        for s in lines
    ]  # fmt: skip
    header = ("Datum", "Kundennummer", "Artikelnummer", "Anzahl", "Umsatz")
    write(folder / "umsätze.csv", header, rows, sign=";", encoding="utf-16")
    return Truth(facts(lines, "Q{}", "W{}"), {"events": "umsätze.csv"})


STYLES: dict[str, Callable[[Path], Truth]] = {
    style.__name__: style
    for style in (
        english, american, french, spanish, dutch, event_log, typed, daily_folders, films, italian_offsets, joined,
        wide_page,
    )
}  # fmt: skip
