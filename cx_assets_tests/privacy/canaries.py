"""A shop with people in its exports who must be found nowhere else, and the search for them in every byte of a folder.

The names, addresses and numbers are made up. What a search looks for is each of them as it is, as UTF-16, as hex, as
base64 wherever in a longer text it stood, and as a hash that anybody could make of it.
"""

import base64
import csv
import hashlib
import io
import json
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from cx_assets.dataset import Dataset, load_dataset
from cx_assets.privacy.protection import Protection
from cx_assets.settings import Settings

KEY = hashlib.sha256(b"a key that the tests use and nobody else").hexdigest()
OTHER_KEY = hashlib.sha256(b"another key of the tests").hexdigest()
FIRST = date(2024, 3, 1)
DAYS = (0, 3, 6, 9)
GOODS = ("birdseed for canaries", "cuttlefish bone", "perch of ash")

PEOPLE = {
    "kunde-4821-zq": ("Annegret Zwiebelfisch", "annegret.zwiebelfisch@post.example", "+49 151 7774821"),
    "kunde-4822-zq": ("Balduin Querlenker", "b.querlenker@post.example", "+49 151 7774822"),
    "kunde-4823-zq": ("Cosima Übelacker", "cosima@uebelacker.example", "+49 151 7774823"),
}
# Two who registered again: one with the first's address, one with the second's number, each in another spelling.
AGAIN = {
    "kunde-4824-zq": ("Zwiebelfisch A.", "Annegret.Zwiebelfisch@POST.example", "+49 151 7774824"),
    "kunde-4825-zq": ("Querlenker B.", "balduin@querlenker.example", "0151/777 48-22"),
}
COMPARED = ["tel:+49-151-7774822", "+49-151-7774822", "+491517774822", "0151/777 48-22", "01517774822"]
"""How a number of theirs is written where it is compared, and by whoever has it elsewhere."""
FILES = ("zwiebelfisch-annegret", "querlenker-balduin")
EVERYBODY = {**PEOPLE, **AGAIN}
CANARIES = [*EVERYBODY, *(text for told in EVERYBODY.values() for text in told), *COMPARED, *FILES]

MANIFEST = """
name: aviary
title: An aviary
first_day: 2024-03-01
last_day: 2024-03-10
events:
  - source: {files: "orders/*.csv", format: csv, delimiter: ";"}
    columns: {occurred_at: '"at"', customer_id: who, item_id: what, event_type: kind, event_id: line,
              basket_id: '"order"', quantity: pieces, value: amount}
customers:
  source: {files: people.csv, format: csv, delimiter: ";"}
  id: number
  attributes:
    town: {expression: town}
    age: {expression: age, type: double, missing: {policy: median}}
campaigns:
  source: {files: mailings.csv, format: csv}
  columns: {campaign_id: mailing, starts_on: sent, ends_on: over}
campaign_targets:
  source: {files: addressees.csv, format: csv}
  columns: {campaign_id: mailing, customer_id: who}
campaign_responses:
  source: {files: answers.jsonl, format: jsonl}
  columns: {campaign_id: mailing, customer_id: who, responded_at: '"at"', detail: text}
"""
PRIVACY = """
privacy:
  identifiers: [customer_id, basket_id]
  personal:
    full_name: {expression: full_name}
    email: {expression: email, keep: vault}
    phone: {expression: phone, keep: drop}
"""
MERGING = """
merge_customers: {by: [email, phone]}
"""
KEYS = "  merge_keys: {email: email, phone: {expression: phone, country: DE}}\n"
EVENT = {"at": "", "who": "", "what": "", "kind": "purchase", "line": "", "order": "", "pieces": "1", "amount": "2.50"}


def write_aviary(folder: Path, privacy: str = PRIVACY) -> Dataset:
    """Write the shop's files and its manifest, with its part `privacy` or another."""
    good = [
        {
            **EVENT,
            "at": f"{FIRST + timedelta(days=day)}T10:00:00",
            "who": f" {who} ",
            "what": what,
            "line": f"{day}-{number}-{what}",
            "order": f"{who}/{day}",
        }
        for number, who in enumerate(PEOPLE)
        for day in DAYS
        for what in GOODS
    ]
    (folder / "orders").mkdir(parents=True)
    for name, part in zip(FILES, (good[::2], [*good[1::2], *slipped()]), strict=True):
        _write_csv(folder / "orders" / f"{name}.csv", part)
    people = [
        {"number": number, "full_name": name, "email": email, "phone": phone, "town": town, "age": age}
        for (number, (name, email, phone)), town, age in zip(
            PEOPLE.items(), ("Ulm", "Ulm", "cosima@uebelacker.example"), ("41", "+49 151 7774822", "33"), strict=True
        )
    ]
    _write_csv(folder / "people.csv", people)
    (folder / "mailings.csv").write_text("mailing,sent,over\nm1,2024-03-03,2024-03-09\n", "utf-8")
    (folder / "addressees.csv").write_text("mailing,who\n" + "".join(f"m1,{who}\n" for who in PEOPLE), "utf-8")
    answers = [
        {"mailing": "m1", "who": who, "at": "2024-03-04T08:00:00", "text": f"write to {email}"}
        for who, (_, email, _) in PEOPLE.items()
    ]
    (folder / "answers.jsonl").write_text("".join(json.dumps(answer) + "\n" for answer in answers), "utf-8")
    path = folder / "aviary.yaml"
    path.write_text(MANIFEST + privacy, "utf-8")
    return load_dataset(str(path))


def write_merging_aviary(folder: Path, privacy: str = PRIVACY) -> Dataset:
    """Write the shop with those who registered again, each with a purchase, and a rule that merges them."""
    path = write_aviary(folder, privacy).path
    path.write_text(MANIFEST.replace("campaigns:\n", f"{KEYS}campaigns:\n", 1) + MERGING + privacy, "utf-8")
    with (folder / "people.csv").open("a", encoding="utf-8") as people:
        people.writelines(f"{who};{name}; {email};{phone};Ulm;40\n" for who, (name, email, phone) in AGAIN.items())
    with (folder / "orders" / f"{FILES[0]}.csv").open("a", encoding="utf-8") as orders:
        orders.writelines(
            f"{FIRST}T11:00:00;{who};{GOODS[0]};purchase;again-{number};{who}/0;1;2.50\n"
            for number, who in enumerate(AGAIN)
        )
    return load_dataset(str(path))


def slipped() -> list[dict[str, str]]:
    """Rows with something personal where it doesn't belong; each breaks the contract."""
    (one, (name, email, phone)), (two, (second_name, *_)), *_ = PEOPLE.items()
    row = {**EVENT, "at": "2024-03-02T10:00:00", "who": one, "what": GOODS[0]}
    return [
        {**row, "line": "s1", "pieces": email},
        {**row, "line": "s2", "what": phone.replace(" ", "")},
        {**row, "line": "s3", "kind": name},
        {**row, "line": "s4", "amount": phone},
        {**row, "line": "s5", "who": two, "at": second_name.upper()},
        {**row, "line": "s6", "who": "  ", "kind": "unheard of"},
    ]


def _write_csv(path: Path, rows: Sequence[dict[str, str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=";", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def found(folder: Path, texts: Sequence[str] = CANARIES) -> dict[str, list[str]]:
    """The files of a folder that hold a text in some form, by form and text; a file's name counts as its bytes."""
    hits: dict[str, list[str]] = {}
    looked_for = {f"{form} of {text}": needles for text in texts for form, needles in forms(text)}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        for content in (name.encode(), *contents(path)):
            for what, needles in looked_for.items():
                if any(needle in content for needle in needles):
                    hits.setdefault(what, []).append(name)
    return hits


def contents(path: Path) -> Iterator[bytes]:
    """A file's bytes; a Parquet file's without compression too, under which a search proves nothing."""
    content = path.read_bytes()
    while b"\0" * 64 in content:  # DuckDB's blocks are mostly empty, and no needle has so many zeros
        content = content.replace(b"\0" * 64, b"\0" * 2)
    yield content
    if path.suffix == ".parquet":
        plain = io.BytesIO()
        pq.write_table(pq.read_table(path), plain, compression="none", use_dictionary=False)
        yield plain.getvalue()


def forms(text: str) -> Iterator[tuple[str, list[bytes]]]:
    """The bytes that give a text away, by what they are called."""
    spellings = {text, text.casefold(), text.upper(), text.replace(" ", "")}
    plain = [spelling.encode() for spelling in spellings]
    yield "clear", plain
    yield "utf-16", [spelling.encode(order) for spelling in spellings for order in ("utf-16-le", "utf-16-be")]
    yield "json", [json.dumps(spelling)[1:-1].encode() for spelling in spellings]
    yield "hex", [digits for value in plain for digits in (value.hex().encode(), value.hex().upper().encode())]
    yield "base64", [part for value in plain for part in _base64(value)]
    for name in ("md5", "sha1", "sha256"):
        digests = [hashlib.new(name, value) for value in plain]
        yield (
            f"{name} hex",
            [made for d in digests for made in (d.hexdigest().encode(), d.hexdigest().upper().encode())],
        )
        yield f"{name} raw", [digest.digest() for digest in digests]
        yield f"{name} base64", [base64.b64encode(digest.digest()).rstrip(b"=") for digest in digests]


def _base64(value: bytes) -> Iterator[bytes]:
    """What is sure to be in base64 of a text that holds the value, wherever it begins."""
    for before in range(3):
        coded = base64.b64encode(b"\0" * before + value)
        # What mixes the value's bits with its neighbours' is left out.
        yield coded[-(-before * 8 // 6) : (before + len(value)) * 8 // 6]


def with_a_vault(dataset: Dataset, data: Path, monkeypatch: pytest.MonkeyPatch) -> Protection:
    """A dataset with a filled vault, in the environment of a person who has the key."""
    for name, value in {"CX_DATASET": dataset.path, "CX_DATA_DIR": data, "CX_KEY": KEY}.items():
        monkeypatch.setenv(name, str(value))
    protection = Protection(dataset, Settings())
    protection.vault().store(protection.vault_records())
    return protection
