"""The data dictionary: every table and column in Markdown, from the declarations.

Belongs here: the text, and putting it into a page between two marks. Does not: any description; those stand where the
tables are declared.
"""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from cx_assets.table import TableSpec
from cx_assets.table.schema import Column

BEGIN = "<!-- tables: made by `make docs` from the declarations -->"
END = "<!-- end of tables -->"


def data_dictionary(specs: Sequence[TableSpec]) -> str:
    """One section per stage, one folded list of columns per table."""
    parts = []
    for group, tables in groupby(_in_stages(specs), key=lambda spec: spec.group):
        parts.append(f"## {group}\n")
        for spec in tables:
            key = f" Key: {', '.join(f'`{name}`' for name in spec.key)}." if spec.key else ""
            rows = "\n".join(map(_row, spec.columns))
            parts.append(
                f"<details><summary><code>{spec.qualified}</code>: {spec.description}</summary>\n\n{key.strip()}\n\n"
                f"| column | type | meaning |\n|---|---|---|\n{rows}\n\n</details>\n"
            )
    return "\n".join(parts)


def with_dictionary(page: str, dictionary: str) -> str:
    """The page with the dictionary between its marks.

    Raises:
        ValueError: if the page lacks the marks.
    """
    if BEGIN not in page or END not in page:
        raise ValueError(f"the page needs the lines {BEGIN!r} and {END!r}")
    before, rest = page.split(BEGIN, 1)
    return f"{before}{BEGIN}\n\n{dictionary}\n{END}{rest.split(END, 1)[1]}"


def write_dictionary(page: Path, specs: Sequence[TableSpec]) -> None:
    """Put the dictionary into a file that has the marks."""
    page.write_text(with_dictionary(page.read_text("utf-8"), data_dictionary(specs)), "utf-8")


def _row(column: Column) -> str:
    meaning = column.description.replace("|", "\\|").replace("\n", " ")
    return f"| `{column.name}` | {column.type}{', may be null' if column.nullable else ''} | {meaning} |"


def _in_stages(specs: Sequence[TableSpec]) -> list[TableSpec]:
    """The tables of each stage together, stages in the order in which they first come."""
    stages = list(dict.fromkeys(spec.group for spec in specs))
    return sorted(specs, key=lambda spec: stages.index(spec.group))
