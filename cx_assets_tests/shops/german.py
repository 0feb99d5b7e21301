"""A shop unlike the default, as its till and its web shop export it: five CSV files in German.

`python -m cx_assets_tests.shops.german exports` writes them: semicolons, decimal commas, days first, Windows-1252, a
cancelled line as a negative one, a category tree as a path, customers with umlauts.
"""

import csv
import sys
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

FIRST_DAY = datetime(2025, 1, 2)
DAYS = 84
NAMES = ("Jürgen Groß", "Änne Köhler", "Zoë Müller", "Björn Weiß", "Özge Sahin", "Käthe Schäfer")
TOWNS = ("Köln", "München", "Lübeck", "Düsseldorf", "Görlitz")
SHELVES = (
    "Lebensmittel > Getränke > Tee", "Lebensmittel > Getränke > Kaffee", "Lebensmittel > Süßes > Gebäck",
    "Haushalt > Küche > Töpfe", "Haushalt > Wäsche > Tücher", "Garten > Kräuter > Töpfchen",
)  # fmt: skip


def write_german_shop(folder: Path, *, customers: int = 70, items: int = 90, seed: int = 11) -> dict[str, int]:
    """Write the five files.

    Returns:
        Counts of what was planted: `lines` of orders, `cancelled` ones among them, `ratings`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    shelf = np.arange(items) % len(SHELVES)
    price = np.round(2 + 30 * rng.random(items), 2)
    lines, ratings, order, cancelled = [], [], 70_000, 0
    for customer in range(customers):
        taste = customer % len(SHELVES)
        favourites = rng.choice(np.flatnonzero(shelf == taste), 3, replace=False)
        days = np.sort(rng.choice(DAYS, size=int(rng.integers(9, 22)), replace=False))
        for day in days:
            order += 1
            at = FIRST_DAY + timedelta(days=int(day), minutes=int(rng.normal(15 * 60, 150)))
            basket = {
                *rng.choice(favourites, 2),
                int(rng.integers(items)),
                *rng.choice(np.flatnonzero(shelf == taste), 1),
            }
            if rng.random() < 0.25:
                basket.update({4 % items, 9 % items})
            for position, item in enumerate(sorted(int(i) for i in basket), 1):
                pieces = int(rng.integers(1, 4))
                lines.append((at, order, position, customer, item, pieces))
                if rng.random() < 0.008:
                    cancelled += 1
                    lines.append((at + timedelta(hours=30), order, position + 50, customer, item, -pieces))
                if rng.random() < 0.12:
                    stars = 5 if shelf[item] == taste else int(rng.integers(1, 5))
                    ratings.append((at + timedelta(days=3, minutes=7), customer, item, stars))
    lines.sort()
    ratings.sort()
    half = FIRST_DAY + timedelta(days=DAYS // 2)
    _orders(folder / "bestellungen_2025-01.csv", [line for line in lines if line[0] < half], price)
    _orders(folder / "bestellungen_2025-02.csv", [line for line in lines if line[0] >= half], price)
    _write(
        folder / "bewertungen.csv",
        ("Kundennr", "Artikelnr", "Bewertet am", "Sterne"),
        [(_customer(c), _item(i), f"{at:%d.%m.%Y %H:%M}", stars) for at, c, i, stars in ratings],
    )
    _write(
        folder / "kunden.csv",
        ("Kundennr", "Name", "E-Mail", "Telefon", "Straße", "Ort", "Geburtsdatum", "Kundengruppe"),
        [
            (
                _customer(c), NAMES[c % len(NAMES)], f"person{c}@beispiel.example", f"+49 221 {555000 + c}",
                f"Gänseweg {c + 1}", TOWNS[c % len(TOWNS)] if c % 9 else "",
                f"{1 + c % 28:02}.{1 + c % 12:02}.{1950 + c % 50}", ("Stamm", "Neu", "Großhandel")[c % 3],
            )
            for c in range(customers - 1)
        ],
    )  # fmt: skip
    _write(
        folder / "artikel.csv",
        ("Artikelnr", "Bezeichnung", "Warengruppe", "Hersteller", "Preis", "Lieferbar"),
        [
            (
                _item(i), f"{SHELVES[shelf[i]].split(' > ')[2]} Nr. {i}", SHELVES[shelf[i]],
                f"Hersteller {'ÄÖÜ'[i % 3]}" if i % 7 else "", _decimal(price[i]), "nein" if i % 17 == 0 else "ja",
            )
            for i in range(items)
        ],
    )  # fmt: skip
    return {"lines": len(lines), "cancelled": cancelled, "ratings": len(ratings)}


def _orders(path: Path, lines: list[tuple[datetime, int, int, int, int, int]], price: np.ndarray) -> None:
    _write(
        path,
        ("Auftragsnr", "Position", "Bestelldatum", "Kundennr", "Artikelnr", "Menge", "Betrag", "Filiale"),
        [
            (
                order, position, f"{at:%d.%m.%Y %H:%M}", _customer(customer), _item(item), pieces,
                _decimal(pieces * price[item]), ("Köln", "Lübeck")[customer % 2],
            )
            for at, order, position, customer, item, pieces in lines
        ],
    )  # fmt: skip


def _customer(number: int) -> str:
    return f"K{10_000 + number}"


def _item(number: int) -> str:
    return f"{4_000 + number}-{'ABC'[number % 3]}"


def _decimal(value: float) -> str:
    return f"{value:,.2f}".replace(",", " ").replace(".", ",").replace(" ", ".")


def _write(path: Path, header: tuple[str, ...], rows: list[tuple[object, ...]]) -> None:
    with path.open("w", newline="", encoding="windows-1252") as file:
        writer = csv.writer(file, delimiter=";", lineterminator="\r\n")
        writer.writerow(header)
        writer.writerows(rows)


if __name__ == "__main__":
    told = write_german_shop(Path(sys.argv[1]))
    print(", ".join(f"{count} {what}" for what, count in told.items()))
