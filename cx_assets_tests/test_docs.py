"""The pages that people read: what they promise to have, and where their links lead."""

import re
from pathlib import Path

import pytest

from cx_assets.dataset import load_dataset
from cx_assets.definitions import table_specs
from cx_assets.dictionary import data_dictionary, with_dictionary
from cx_assets.settings import Settings

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("data/*.md"), *ROOT.glob("cx_assets/docs/*.md")])

LINK = re.compile(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)")


def headings(page: Path) -> set[str]:
    """A page's headings as its links call them."""
    titles = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title).strip().lower().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_a_page_leads_to_a_file_and_a_heading(page: Path) -> None:
    astray = []
    for name, heading in LINK.findall(page.read_text("utf-8")):
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (heading and heading not in headings(target)):
            astray.append((name, heading))
    assert astray == []


def test_the_data_dictionary_has_the_present_tables() -> None:
    # After a change of a declaration: make docs
    page = (ROOT / "cx_assets/docs/tables.md").read_text("utf-8")
    assert with_dictionary(page, data_dictionary(table_specs(load_dataset("complete_journey")))) == page


def test_the_readme_explains_every_setting() -> None:
    page = (ROOT / "README.md").read_text("utf-8")
    names = [f"`CX_{name.upper()}`" for name in Settings.model_fields]
    assert [name for name in names if name not in page] == []
