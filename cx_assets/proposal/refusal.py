"""What is told where no file holds events: what is missing in the likeliest, and how orders and their lines are joined.

Belongs here: the words and the command. Does not: which file holds what (`kinds`).
"""

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cx_assets.encodings import BUILT_IN, NAMES, encoding_name
from cx_assets.proposal.choosing import chosen
from cx_assets.proposal.columns import Column
from cx_assets.proposal.delivered import near
from cx_assets.proposal.groups import Group
from cx_assets.proposal.kinds import NEEDED, Kind
from cx_assets.proposal.words import concepts

Described = tuple[Group, list[Column]]
"""A group of files and its columns."""

MISSING = {
    "occurred_at": "when (no column holds times or days)",
    "customer_id": "who (no column looks like the id of a customer)",
    "item_id": "what (no column looks like the id of an item)",
}


@dataclass(frozen=True)
class Apart:
    """Orders and their lines in files of their own.

    Attributes:
        heads: the files of orders: who and when.
        lines: the files of lines: what.
        key: the column of the lines that names their order, as SQL.
        head_key: what the orders call it, as SQL.
    """

    heads: tuple[Group, ...]
    lines: Group
    key: str
    head_key: str


def refusal(name: str, folder: Path, told: Sequence[Described], kinds: Sequence[Kind], doubts: Sequence[str]) -> str:
    """What is missing in files that tell no events, and what to do.

    Args:
        name: of the dataset that was to be.
        folder: what globs are relative to.
        told: the files.
        kinds: theirs.
        doubts: sentences on files that couldn't be read.
    """
    parts = ["No file tells who (a customer) did something to what (an item) when, in one row."]
    apart = orders_apart(told)
    if apart is not None:
        parts += _joining(name, folder, apart, told)
    else:
        parts += _likeliest(told, kinds)
    for (group, columns), kind in zip(told, kinds, strict=True):
        looks = f" (looks like {kind.table})" if kind.table else ""
        parts.append(f"  {group.name}{looks}: {', '.join(column.name for column in columns)}")
    return "\n".join(
        [*parts, *doubts, "Start from cx_assets/datasets/template.yaml, and say which column is which."]
    )  # fmt: skip


def _likeliest(told: Sequence[Described], kinds: Sequence[Kind]) -> list[str]:
    """Which of who, what and when is missing in the file that tells most of them."""
    open_ = [pair for pair, kind in zip(told, kinds, strict=True) if not kind.table] or list(told)
    if not open_:
        return []
    found = [{part: pick for part, pick in chosen(columns, {}).items() if part in NEEDED} for _, columns in open_]
    best = max(range(len(open_)), key=lambda n: (len(found[n]), open_[n][0].size))
    glob, picks = open_[best][0].name, found[best]
    missing = [text for part, text in MISSING.items() if part not in picks]
    if not picks:
        return []
    if not missing:
        return [f"The likeliest is {glob}, but no customer or no item comes twice in it, as in a list of such."]
    has = " and ".join(pick.column.name for pick in picks.values())
    return [f"The likeliest is {glob}: it has {has}, and is missing {' and '.join(missing)}."]


def orders_apart(told: Sequence[Described]) -> Apart | None:
    """Orders without items, and the largest of the files that tell the items of orders; None if there are no such."""
    bodies = [(g, c, key) for g, c in told if (key := _named_key(c)) and any("item" in x.concepts for x in c)]
    # Returns tell items of orders too, and a time of their own.
    bodies = [body for body in bodies if not any(column.time for column in body[1])] or bodies
    if not bodies:
        return None
    lines, columns, key = max(bodies, key=lambda body: body[0].size)
    heads: dict[str, list[Group]] = {}
    for group, others in told:
        own = _named_key(others) or _bare_key(group, others)
        who, when = (any("customer" in c.concepts for c in others), any(c.time is not None for c in others))
        if own is not None and who and when and group != lines and not any("item" in c.concepts for c in others):
            heads.setdefault(own, []).append(group)
    if not heads or {"item", "customer"} <= {concept for column in columns for concept in column.concepts}:
        return None
    head_key = max(heads, key=lambda own: sum(group.size for group in heads[own]))
    return Apart(tuple(heads[head_key]), lines, key, head_key)


def _named_key(columns: Sequence[Column]) -> str | None:
    return next((c.sql for c in columns if {"order", "id"} <= c.concepts), None)


def _bare_key(group: Group, columns: Sequence[Column]) -> str | None:
    """The id in a file that is called after orders, where it is called nothing but id."""
    if "order" not in concepts(group.title):
        return None
    return next((c.sql for c in columns if c.concepts == {"id"}), None)


def _joining(name: str, folder: Path, apart: Apart, told: Sequence[Described]) -> list[str]:
    """What to do with orders that are apart from their lines."""
    heads = " and ".join(group.name for group in apart.heads)
    seem = f"{heads} seems to hold orders and {apart.lines.name} their lines."
    joined = folder / f"joined_{_stem(apart.lines.glob)}.parquet"
    calls = [_call(folder, [apart.lines]), _call(folder, apart.heads)]
    if None in calls:
        return [f"{seem} Join them by {apart.key} into one file, then name that in place of both."]
    rest = [(group, columns) for group, columns in told if group not in (*apart.heads, apart.lines)]
    others = [shlex.quote(near(folder / group.glob)) for group, _ in rest]
    left = [group.name for group, columns in rest if _named_key(columns)]
    return [
        f"{seem} Join them, which keeps every line and says how many there are, then name the result in place of "
        "both; again whenever files arrive:",
        f"  {joining_command(apart, str(calls[0]), str(calls[1]), near(joined))}",
        f"  cx init {name} --from {shlex.join([near(joined)])} {' '.join(others)}".rstrip(),
        *([f"  Not joined, though orders are named there too: {', '.join(left)}."] if left else []),
    ]


def joining_command(apart: Apart, lines: str, orders: str, joined: str) -> str:
    """A command of a shell that joins orders to their lines, with nothing but this project's own environment.

    Args:
        apart: what is joined.
        lines: Python that reads the lines.
        orders: Python that reads the orders.
        joined: the file to write.
    """
    renamed = ""
    if apart.head_key != apart.key:
        renamed = f".project({_text(f'* rename ({apart.head_key} as {apart.key})')})"
    pages = {group.encoding for group in (*apart.heads, apart.lines) if group.first.format == "csv"}
    extension = (
        'from cx_assets.ingestion.extensions import load_extension; load_extension(duckdb.default_connection(), '
        '"encodings"); '
        if any(encoding_name(page) not in BUILT_IN for page in pages)
        else ""
    )  # fmt: skip
    # An order that was delivered twice would double its lines.
    code = (
        f"import duckdb; {extension}lines = {lines}; orders = {orders}.distinct(){renamed}; "
        f"joined = lines.join(orders, {_text(apart.key)}, how=\"left\"); joined.to_parquet({_text(joined)}); "
        'print(len(lines), "lines,", len(joined), "written")'
    )  # fmt: skip
    return f"python -c {shlex.quote(code)}"


def _call(folder: Path, groups: Sequence[Group]) -> str | None:
    """Python that reads some groups of files as one, from the folder that the user is in; None where it can't."""
    first = groups[0].first
    if {group.first.format for group in groups} != {first.format} or first.format == "excel":
        return None
    paths = ", ".join(f"$${near(folder / group.glob)}$$" for group in groups)
    match first.format:
        case "parquet":
            return _query(f"read_parquet([{paths}], union_by_name = true)")
        case "jsonl":
            return _query(
                f"read_json([{paths}], format = $$newline_delimited$$, sample_size = -1, union_by_name = true)"
            )
    pages = {group.encoding for group in groups}
    if len(pages) > 1 or len({group.first.delimiter for group in groups}) > 1:
        return None
    try:
        page = NAMES[encoding_name(pages.pop())]
    except ValueError:  # a guess that DuckDB reads in no way
        return None
    told = "" if page == "utf-8" else f", encoding = $${page}$$"
    sign = f", delim = $${first.delimiter}$$" if first.delimiter else ""
    # As a run reads it: left to itself, DuckDB takes a line that begins with #, such as an order #1001, for a comment.
    return _query(
        f'read_csv([{paths}], header = true, all_varchar = true, union_by_name = true, quote = $$"$$, '
        f'escape = $$"$$, comment = $$$${sign}{told})'
    )


def _query(rows: str) -> str:
    """Python for a query; its texts stand between $$, as a shell's quotes and Python's are around them."""
    return f"duckdb.sql({_text(f'from {rows}')})"


def _stem(glob: str) -> str:
    """A file's name for what a glob names."""
    return "_".join(re.findall("[A-Za-z]+", glob.rsplit("/", 1)[-1].split(".")[0])) or "lines"


def _text(text: str) -> str:
    """A text in Python, in double quotes: a shell's single ones stand around it."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t") + '"'
