"""People who registered, some of them twice and with slips, and a shop that has them as customers; all made up."""

import csv
import random
from dataclasses import dataclass
from pathlib import Path

from cx_assets.dataset import Dataset
from cx_assets.merging import Compared
from cx_assets_tests.shop import write_tiny

FIRST = (
    *("Anna", "Bernd", "Clara", "David", "Emil", "Frieda", "Gustav", "Hanna", "Ida"),
    *("Jonas", "Karla", "Lukas", "Marta", "Nils", "Olga", "Paul", "Ruth", "Sven"),
)
LAST = (
    *("Adler", "Bauer", "Decker", "Engel", "Falk", "Gross", "Hahn", "Jansen"),
    *("Keller", "Lange", "Maurer", "Neumann", "Ott", "Peters", "Rabe", "Sauer"),
)
ENDINGS = ("", "mann", "er", "s", "feld", "hof")

COMPARE = {
    "name": Compared(expression="who"),
    "email": Compared(expression="mail"),
    "born": Compared(expression="born", kind="day"),
}

MASTERS = """
customers:
  source: {files: people.csv, format: csv}
  id: number
  merge_keys: {email: mail}
"""
LINKED = """
merge_customers:
  by: [email]
  linkage:
    labels: labelled.csv
    compare: {name: who, email: mail, born: {expression: born, kind: day}}
"""
KEYS_ALONE = "merge_customers: {by: [email]}\n"


@dataclass(frozen=True)
class Registrations:
    """What was written.

    Attributes:
        rows: by customer: number, who, mail, born.
        same: pairs of numbers that are one person.
        different: as many pairs that aren't.
    """

    rows: list[dict[str, str]]
    same: list[tuple[str, str]]
    different: list[tuple[str, str]]

    @property
    def records(self) -> dict[str, dict[str, str]]:
        """What is compared, by customer."""
        columns = {"name": "who", "email": "mail", "born": "born"}
        return {
            row["number"]: {name: row[column] for name, column in columns.items() if row[column]} for row in self.rows
        }


def registrations(people: int = 160, *, seed: int = 5) -> Registrations:
    """People of whom two thirds registered twice, half of those with an address of the same spelling."""
    dice = random.Random(seed)
    rows: list[dict[str, str]] = []
    same, once = [], []
    for person in range(people):
        first, last = dice.choice(FIRST), dice.choice(LAST) + dice.choice(ENDINGS)
        row = {
            "number": f"c{1000 + 2 * person}",
            "who": f"{first} {last}",
            "mail": f"{first}.{last}{dice.randrange(90)}@post.example".lower(),
            "born": f"{dice.randrange(1940, 2006)}-{dice.randrange(1, 13):02}-{dice.randrange(1, 29):02}",
        }
        rows.append(row)
        if dice.random() < 0.33:
            once.append(row["number"])
            continue
        again = {**row, "number": f"c{1001 + 2 * person}"}
        if dice.random() < 0.4:
            again["who"] = slipped(row["who"], dice)
        if dice.random() < 0.5:
            again["mail"] = dice.choice(["", slipped(row["mail"].partition("@")[0], dice) + "@post.example"])
        rows.append(again)
        same.append((row["number"], again["number"]))
    firsts = [pair[0] for pair in same]
    different = list(zip(firsts, [*firsts[1:], firsts[0]], strict=True))[::2] + list(
        zip(once[::2], once[1::2], strict=False)
    )
    return Registrations(rows, same, different)


def slipped(text: str, dice: random.Random) -> str:
    """A text with a letter left out, doubled, or two in the wrong order."""
    at = dice.randrange(1, len(text) - 1)
    return dice.choice(
        [
            text[:at] + text[at + 1 :],
            text[:at] + text[at] + text[at:],
            text[:at] + text[at + 1] + text[at] + text[at + 2 :],
        ]
    )


def write_registrations(folder: Path, told: Registrations, more: str = LINKED) -> Dataset:
    """Write a shop whose customers they are: each bought tea once."""
    write_people(folder, told.rows)
    write_labels(folder, told)
    events = [{"who": row["number"], "id": row["number"]} for row in told.rows]
    return write_tiny(folder, {"a.csv": events}, MASTERS + more)


def write_people(folder: Path, rows: list[dict[str, str]]) -> None:
    """Write the customers' file."""
    with (folder / "people.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["number", "who", "mail", "born"], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def write_labels(folder: Path, told: Registrations, *, wrong: bool = False) -> None:
    """Write labelled pairs; if wrong, with the answers the other way round."""
    lines = [f"{a},{b},{'no' if wrong else 'yes'}" for a, b in told.same]
    lines += [f"{a},{b},{'yes' if wrong else 'no'}" for a, b in told.different]
    (folder / "labelled.csv").write_text("\n".join(["customer_a,customer_b,same", *lines, ""]), "utf-8")
