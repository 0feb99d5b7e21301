"""A corner shop of three files: a good manifest for tests to spoil."""

from pathlib import Path

GOOD = """\
name: corner
title: A corner shop
first_day: 2024-03-01
last_day: 2024-03-31
rating_scale: [1, 5]
events:
  - source: {files: "orders/*.csv", format: csv}
    columns:
      occurred_at: ordered_at
      customer_id: cust
      item_id: sku
      event_type: "'purchase'"
customers:
  source: {files: people.csv, format: csv}
  id: cust
  attributes:
    city:
      expression: town
    age:
      expression: years
      type: double
      missing: {policy: median}
"""


def write_corner(folder: Path) -> Path:
    """Write the shop's files."""
    (folder / "orders").mkdir()
    (folder / "orders" / "may.csv").write_text("order_id,cust,sku,ordered_at\n1,a,x,2024-03-01\n", "utf-8")
    (folder / "people.csv").write_text("cust,town,years\na,Ulm,30\n", "utf-8")
    return folder


def manifest(folder: Path, text: str = GOOD, *replacements: tuple[str, str]) -> str:
    """Write a manifest in which some text is replaced, and say where it is."""
    for old, new in replacements:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path = folder / "corner.yaml"
    path.write_text(text, "utf-8")
    return str(path)
