"""A second shop, generated: other names, other formats, views, carts, purchases and ratings, and dirt in known amounts.

It proves that no code knows the default dataset. What is planted is counted, so that tests can ask for it back.
"""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from cx_assets.dataset import Dataset, load_dataset

FIRST_DAY = datetime(2024, 3, 1)

MANIFEST = """
name: second_shop
title: A second shop
first_day: 2024-03-01
last_day: {last_day}
rating_scale: [1, 5]
events:
  - source: {{files: "clicks/*.csv", format: csv, delimiter: ";"}}
    columns:
      occurred_at: "ts"
      customer_id: shopper
      item_id: sku
      event_type: >-
        case action when 'look' then 'view' when 'add' then 'cart' when 'buy' then 'purchase' else action end
      event_id: line
      basket_id: visit
      quantity: pieces
      value: amount
  - source: {{files: stars.jsonl, format: jsonl}}
    columns:
      occurred_at: '"when"'
      customer_id: shopper
      item_id: sku
      event_type: "'rating'"
      rating: stars
customers:
  source: {{files: people.csv, format: csv}}
  id: shopper
  attributes:
    city: {{expression: town}}
    age: {{expression: years, type: double, missing: {{policy: median}}}}
    member: {{expression: club, missing: {{policy: predict}}}}
items:
  source: {{files: wares.csv, format: csv}}
  id: sku
  name: label
  category: shelf
  recommendable: "sellable = 'yes'"
  attributes:
    maker: {{expression: maker, missing: {{policy: mode}}}}
    price: {{expression: price, type: double, missing: {{policy: mean}}}}
campaigns:
  source: {{files: mailings.csv, format: csv}}
  columns: {{campaign_id: mailing, campaign_type: kind, starts_on: sent, ends_on: over}}
campaign_targets:
  source: {{files: addressees.csv, format: csv}}
  columns: {{campaign_id: mailing, customer_id: shopper}}
campaign_responses:
  source: {{files: answers.jsonl, format: jsonl}}
  columns: {{campaign_id: mailing, customer_id: shopper, responded_at: '"at"', detail: voucher}}
"""


@dataclass(frozen=True)
class Shop:
    """What was written, and how much of it is dirt.

    Attributes:
        manifest: the path to give to CX_DATASET.
        dirt: planted rows by the reason that must reject them.
        duplicates: exact copies among the events.
        raw: all delivered events.
        days: how many days there are.
    """

    manifest: Path
    dirt: dict[str, int]
    duplicates: int
    raw: int
    days: int

    @property
    def dataset(self) -> Dataset:
        return load_dataset(str(self.manifest))


def write_shop(folder: Path, *, customers: int = 60, items: int = 120, days: int = 70, seed: int = 7) -> Shop:
    """Generate the shop's files and manifest in a folder.

    Customers like one of four shelves and buy the same things again, so that there is something to find.
    """
    rng = np.random.default_rng(seed)
    shelves = np.arange(items) % 4
    click_rows, stars = [], []
    line = 0
    for customer in range(customers):
        taste, favourites = customer % 4, rng.choice(np.flatnonzero(shelves == customer % 4), 3, replace=False)
        visits = np.sort(rng.choice(days, size=rng.integers(days // 8, days // 3) + 1, replace=False))
        for visit, day in enumerate(visits):
            at = FIRST_DAY + timedelta(days=int(day), seconds=int(rng.integers(8 * 3600, 20 * 3600)))
            basket = {*rng.choice(favourites, 2), int(rng.choice(items))}
            if rng.random() < 0.2:
                basket.update({5 % items, 9 % items})  # two things that go together: a rule to be found
            if rng.random() < 0.8:
                basket.update(rng.choice(np.flatnonzero(shelves == taste), 2))
            for item in sorted(int(i) for i in basket):
                for action in ("look", "add", "buy") if rng.random() < 0.7 else ("look",):
                    line += 1
                    pieces = int(rng.integers(1, 4))
                    amount = f"{pieces * (1 + item % 7) * 1.25:.2f}" if action == "buy" else "0"
                    names = f"c{customer:03}", f"w{item:03}", action, line, f"v{customer}-{visit}"
                    click_rows.append([f"{at:%Y-%m-%dT%H:%M:%S}", *names, pieces, amount])
                if rng.random() < 0.15:
                    liked = 5 if shelves[item] == taste else int(rng.integers(1, 4))
                    star = {"when": f"{at:%Y-%m-%d %H:%M:%S}", "shopper": f"c{customer:03}", "sku": f"w{item:03}"}
                    stars.append({**star, "stars": liked})
    dirty, dirt = _dirt(click_rows)
    copies = click_rows[10:13]
    _write_clicks(folder / "clicks", [*click_rows, *dirty, *copies])
    (folder / "stars.jsonl").write_text("".join(json.dumps(row) + "\n" for row in stars), "utf-8")
    _write_masters(folder, rng, customers, items)
    _write_campaigns(folder, customers)
    manifest = folder / "second_shop.yaml"
    manifest.write_text(MANIFEST.format(last_day=(FIRST_DAY + timedelta(days=days - 1)).date()), "utf-8")
    raw = len(click_rows) + len(dirty) + len(copies) + len(stars)
    return Shop(manifest, dirt, len(copies), raw, days)


def _dirt(rows: list[list[object]]) -> tuple[list[list[object]], dict[str, int]]:
    """One row for each way of breaking the contract, made from good rows."""
    broken = {
        "missing customer_id": (1, " "),
        "missing item_id": (2, ""),
        "missing time": (0, ""),
        "time does not parse": (0, "yesterday"),
        "time in the future": (0, "2999-01-01T00:00:00"),
        "time outside the dataset's days": (0, "2019-12-31T00:00:00"),
        "unknown event type": (3, "sniff"),
        "quantity is not a number": (6, "three"),
        "quantity not above 0": (6, "0"),
        "value is not a number": (7, "n/a"),
        "value below 0": (7, "-4.00"),
    }
    dirty = []
    for number, (column, value) in enumerate(broken.values()):
        row = list(rows[20 + number])
        row[column] = value
        row[4] = f"dirt{number}"
        dirty.append(row)
    return dirty, dict.fromkeys(broken, 1)


def _write_clicks(folder: Path, rows: list[list[object]]) -> None:
    """Two files of about one size, by the order of delivery."""
    folder.mkdir(parents=True, exist_ok=True)
    half = len(rows) // 2
    for name, part in (("first.csv", rows[:half]), ("second.csv", rows[half:])):
        with (folder / name).open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, delimiter=";", lineterminator="\n")
            writer.writerow(["ts", "shopper", "sku", "action", "line", "visit", "pieces", "amount"])
            writer.writerows(part)


def _write_masters(folder: Path, rng: np.random.Generator, customers: int, items: int) -> None:
    """Master data with gaps; the last customer and the last item are not in them."""
    with (folder / "people.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["shopper", "town", "years", "club"])
        for customer in range(customers - 1):
            town = "" if customer % 5 == 0 else ("Ulm", "Graz", "Bern")[customer % 3]
            years = "" if customer % 7 == 0 else 20 + int(rng.integers(50))
            club = "" if customer % 4 == 3 else ("gold", "plain")[customer % 2]
            writer.writerow([f"c{customer:03}", town, years, club])
        writer.writerow(["c999", "Ulm", 44, "gold"])  # never bought anything
    with (folder / "wares.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["sku", "label", "shelf", "sellable", "maker", "price"])
        for item in range(items - 1):
            maker = "" if item % 6 == 0 else f"maker {item % 5}"
            price = "" if item % 8 == 0 else f"{(1 + item % 7) * 1.25:.2f}"
            sellable = "no" if item % 13 == 0 else "yes"
            writer.writerow([f"w{item:03}", f"Ware {item}", f"shelf {item % 4}", sellable, maker, price])


def _write_campaigns(folder: Path, customers: int) -> None:
    """Two mailings to every other customer, answered by a few, and one that can't be read: it ends before it begins."""
    mailings = [("m1", "letter", 3, 9), ("m2", "", 5, 12), ("m3", "letter", 9, 2)]
    day = {number: (FIRST_DAY + timedelta(days=number)).date() for number in range(20)}
    lines = ["mailing,kind,sent,over", *(f"{name},{kind},{day[a]},{day[b]}" for name, kind, a, b in mailings)]
    (folder / "mailings.csv").write_text("\n".join(lines) + "\n", "utf-8")
    addressed = [f"{name},c{customer:03}" for name in ("m1", "m2") for customer in range(0, customers, 2)]
    (folder / "addressees.csv").write_text("\n".join(["mailing,shopper", *addressed]) + "\n", "utf-8")
    answers = [
        {"mailing": "m1", "shopper": f"c{customer:03}", "at": f"{day[4]}T12:00:00", "voucher": 100 + customer}
        for customer in range(0, customers, 6)
    ]
    (folder / "answers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in answers), "utf-8")


TINY = """
name: tiny_shop
title: A tiny shop
first_day: 2024-03-01
last_day: 2024-03-05
rating_scale: [1, 5]
events:
  - source: {files: "events/*.csv", format: csv, delimiter: ","}
    columns: {occurred_at: '"at"', customer_id: who, item_id: what, event_type: kind, event_id: id, basket_id: basket,
              quantity: quantity, value: value, rating: rating}
"""
GOOD = {
    "at": "2024-03-01T10:00:00",
    "who": "ann",
    "what": "tea",
    "kind": "purchase",
    "id": "",
    "basket": "",
    "quantity": "1",
    "value": "2.50",
    "rating": "",
}


def write_tiny(
    folder: Path, files: Mapping[str, Sequence[Mapping[str, object]]], more: str = "", manifest: str = TINY
) -> Dataset:
    """Write a shop of literal events: by file, one row per event, each told by what differs from a good purchase.

    Args:
        folder: where the manifest goes; the files go to its folder `events`.
        files: rows by file name.
        more: further lines of the manifest.
        manifest: its first lines.
    """
    (folder / "events").mkdir(parents=True, exist_ok=True)
    for name, events in files.items():
        with (folder / "events" / name).open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(GOOD), lineterminator="\n")
            writer.writeheader()
            writer.writerows({**GOOD, **event} for event in events)
    path = folder / "tiny_shop.yaml"
    path.write_text(manifest + more, "utf-8")
    return load_dataset(str(path))
