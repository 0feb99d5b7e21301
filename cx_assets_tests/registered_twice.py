"""A shop with customers who registered more than once: ann three times (a1, a2 by e-mail, a3 by the phone of a2).

Five others gave the shop's own number.
"""

from pathlib import Path

from cx_assets.dataset import Dataset, load_dataset
from cx_assets_tests.shop import TINY, write_tiny

MASTERS = """
customers:
  source: {files: people.csv, format: csv}
  id: number
  attributes:
    city: {expression: town}
    age: {expression: years, type: double, missing: {policy: median}}
  merge_keys:
    email: mail
    phone: {expression: tel, country: DE}
campaign_targets:
  source: {files: addressees.csv, format: csv}
  columns: {campaign_id: mailing, customer_id: number}
campaign_responses:
  source: {files: answers.csv, format: csv}
  columns: {campaign_id: mailing, customer_id: number, responded_at: '"at"'}
"""
RULE = "merge_customers: {by: [email, phone]}\n"
PEOPLE = """number,town,years,mail,tel
a1,Ulm,,ann@post.example,
a2,Graz,30,ANN@post.example ,030 901820
a3,,soon,,+49 30 901820
b1,Bern,40,bea@post.example,0711 555123
b2,,,,0711 555123
b3,,,,0711 555123
b4,,,,0711 555123
b5,,,,+49711555123
"""
EVENTS = [
    {"at": f"2024-03-0{day}T10:00:00", "who": who, "what": what, "id": f"{day}{who}{what}"}
    for day, who, what in [
        *((1, "a1", "tea"), (1, "a2", "tea"), (1, "b1", "tea")),
        *((2, "a3", "milk"), (2, "b2", "tea"), (4, " a2 ", "milk"), (5, "b1", "milk")),
    ]
]


def write_registered_twice(folder: Path) -> None:
    """Write its files."""
    write_tiny(folder, {"a.csv": EVENTS})
    (folder / "people.csv").write_text(PEOPLE, "utf-8")
    (folder / "addressees.csv").write_text("mailing,number\nm1,a1\nm1,a3\nm1,b1\n", "utf-8")
    (folder / "answers.csv").write_text("mailing,number,at\nm1,a2,2024-03-03\nm1,a1,2024-03-03\n", "utf-8")


def registered_twice(folder: Path, rule: str, events: str = TINY) -> Dataset:
    """The shop with a rule for merges, or an empty text for none."""
    (folder / "tiny_shop.yaml").write_text(events + MASTERS + rule, "utf-8")
    return load_dataset(str(folder / "tiny_shop.yaml"))
