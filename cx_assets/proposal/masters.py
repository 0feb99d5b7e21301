"""How files of customers, items and campaigns are mapped.

Belongs here: ids, names, categories, attributes with their types and policies, and what is personal and stays out. Does
not: events (`events`) or which file is which (`kinds`).
"""

import re
from collections.abc import Callable, Sequence

import duckdb

from cx_assets.proposal.columns import Column
from cx_assets.proposal.events import verified
from cx_assets.proposal.groups import Group
from cx_assets.proposal.guesses import Guess, Personal, SourceProposal
from cx_assets.proposal.kinds import Kind
from cx_assets.proposal.values import path_separator, truth
from cx_assets.proposal.words import plain, words
from cx_assets.sections import TAKEN
from cx_assets.table.schema import literal

# A text with more different values than this share of the rows says something of one thing only.
TOO_MANY = 0.5
# Below this, what would be filled in outnumbers what is known.
HALF_KNOWN = 0.5
SURELY_PERSONAL = 0.6


def customers_proposal(
    connection: duckdb.DuckDBPyConnection, group: Group, columns: Sequence[Column], kind: Kind
) -> SourceProposal:
    """The mapping of the customers' file: an id, attributes, and what is personal kept apart."""
    personal = tuple(
        Personal(slug(c.name), c.name, c.sql, c.personal[0], c.personal[1])
        for c in columns
        if c.personal is not None and c.personal[1] >= SURELY_PERSONAL and c.name != kind.identifier.name
    )
    # Beside its id a customer's name is a person's, whatever else a name may be.
    named = [
        c
        for c in columns
        if c.concepts == {"name"} and c.text and c.name != kind.identifier.name and c.personal is None
    ]
    personal += tuple(Personal(slug(c.name), c.name, c.sql, "name", 0.8) for c in named)
    hidden = {entry.column for entry in personal}
    rest = [c for c in columns if c.name not in hidden | {kind.identifier.name}]
    attributes, left_out = _attributes(connection, group, rest)
    return SourceProposal(
        "customers", group, kind.sureness, kind.why, (_key(kind),), attributes, personal, left_out
    )  # fmt: skip


def items_proposal(
    connection: duckdb.DuckDBPyConnection, group: Group, columns: Sequence[Column], kind: Kind
) -> SourceProposal:
    """The mapping of the items' file: an id, a name, a category, whether it may be recommended, attributes."""
    guesses, used = [_key(kind)], {kind.identifier.name}
    for make in (_name, _category, _recommendable):
        guess = make([c for c in columns if c.name not in used])
        if guess is not None:
            guesses.append(verified(connection, group, guess))
            # A path of categories may also tell its first level.
            used |= set(guess.columns)
    rest = [c for c in columns if c.name not in used]
    attributes, left_out = _attributes(connection, group, rest)
    category = next((guess for guess in guesses if guess.key == "category"), None)
    tree = next((c for c in columns if category and c.name == category.columns[0]), None)
    if tree is not None and (sign := path_separator(tree.values)):
        top = Guess(
            "department", f"split_part({tree.sql}, {literal(sign)}, 1)", (tree.name,), tree.examples, 0.8,
            "The first level of the categories. ", "varchar",
        )  # fmt: skip
        attributes = (top, *attributes)
    return SourceProposal("items", group, kind.sureness, kind.why, tuple(guesses), attributes, (), left_out)


def campaigns_proposal(group: Group, columns: Sequence[Column], kind: Kind) -> SourceProposal:
    """The mapping of a file of campaigns, their targets or their responses."""
    wanted: dict[str, dict[str, Callable[[Column], bool]]] = {
        "campaigns": {
            "campaign_type": lambda c: "type" in c.concepts,
            "starts_on": lambda c: "start" in c.concepts and c.time is not None,
            "ends_on": lambda c: "end" in c.concepts and c.time is not None,
        },
        "campaign_targets": {"customer_id": lambda c: "customer" in c.concepts},
        "campaign_responses": {
            "customer_id": lambda c: "customer" in c.concepts,
            "responded_at": lambda c: c.time is not None,
        },
    }
    guesses, used = [_key(kind, "campaign_id")], {kind.identifier.name}
    for key, fits in wanted[kind.table].items():
        column = next((c for c in columns if c.name not in used and fits(c)), None)
        if column is not None:
            expression = column.time.expression(column.sql) if column.time and column.type == "VARCHAR" else column.sql
            guesses.append(Guess(key, expression, (column.name,), column.examples, kind.sureness))
            used.add(column.name)
    left_out = tuple((c.name, "no key of campaigns is made of it") for c in columns if c.name not in used)
    return SourceProposal(kind.table, group, kind.sureness, kind.why, tuple(guesses), left_out=left_out)


def attribute_name(column: str) -> str:
    """A column's name as an attribute's: lower-case letters, digits and _, none that the tables have already."""
    name = slug(column)
    return f"{name}_given" if name in TAKEN or name.endswith("_imputed") else name


def slug(column: str) -> str:
    """A column's name in lower-case letters, digits and _."""
    name = "_".join(words_kept(column))
    return name if name and name[0].isalpha() else f"a_{name}"


def words_kept(column: str) -> list[str]:
    """The words of a column's name as delivered, compounds whole."""
    return re.findall(r"[a-z0-9]+", re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", plain(column)).lower()) or words(column)


def _key(kind: Kind, name: str = "id") -> Guess:
    check = f"What the events call it: {kind.why}. {kind.identifier.note}".strip()
    return Guess(name, kind.identifier.sql, (kind.identifier.name,), kind.identifier.examples, kind.sureness, check)


def _name(columns: Sequence[Column]) -> Guess | None:
    fits = [c for c in columns if "name" in c.concepts and c.text and not c.concepts & {"category", "brand"}]
    if not fits:
        return None
    column = max(fits, key=lambda c: (c.concepts <= {"name", "item"}, c.distinct))
    others = [c.name for c in fits if c is not column]
    check = f"What a person calls the item. {f'It could also be {others[0]}. ' if others else ''}"
    return Guess("name", column.sql, (column.name,), column.examples, 0.9 if len(fits) == 1 else 0.75, check)


def _category(columns: Sequence[Column]) -> Guess | None:
    fits = [c for c in columns if "category" in c.concepts and not c.concepts & {"id"} and c.distinct > 1]
    if not fits:
        return None

    def suits(column: Column) -> tuple[bool, int]:
        """Some twenty to three hundred tell habits best; of several levels the finest below that."""
        return column.distinct <= 400, column.distinct if column.distinct <= 400 else -column.distinct

    column = max(fits, key=suits)
    sign = path_separator(column.values)
    check = "The level at which habits and rules are told: some 10 to 300 different ones are best. "
    if sign:
        depth = max(value.count(sign) for value in column.values) + 1
        level = min(2, depth)
        check += f"Level {level} of {depth} of the tree; for a coarser one write {level - 1}, for a finer {level + 1}. "
        expression = f"split_part({column.sql}, {literal(sign)}, {level})"
        return Guess("category", expression, (column.name,), column.examples, 0.7, check)
    others = [c.name for c in fits if c is not column]
    if others:
        check += f"It could also be {' or '.join(others)}. "
    return Guess("category", column.sql, (column.name,), column.examples, 0.85 if not others else 0.7, check)


def _recommendable(columns: Sequence[Column]) -> Guess | None:
    for column in columns:
        if "sellable" not in column.concepts:
            continue
        yes = truth(column.values)
        if yes is not None:
            listed = ", ".join(map(literal, yes))
            check = f"Whether it may be recommended: where {column.name} says yes. "
            expression = f"lower(trim({column.sql}::varchar)) in ({listed})"
            return Guess("recommendable", expression, (column.name,), column.examples, 0.8, check)
        if column.number is not None:
            check = f"Whether it may be recommended: where {column.name} is above 0. "
            number = column.number.expression(column.sql) if column.type == "VARCHAR" else column.sql
            expression = f"try_cast({number} as double) > 0"
            return Guess("recommendable", expression, (column.name,), column.examples, 0.75, check)
    return None


def _attributes(
    connection: duckdb.DuckDBPyConnection, group: Group, columns: Sequence[Column]
) -> tuple[tuple[Guess, ...], tuple[tuple[str, str], ...]]:
    """What is left as attributes, and what is left out of them with the reason."""
    found: list[Guess] = []
    left_out: list[tuple[str, str]] = []
    for column in columns:
        reason = _no_attribute(column)
        if reason:
            left_out.append((column.name, reason))
            continue
        name = attribute_name(column.name)
        while name in {guess.key for guess in found}:
            name += "_2"
        missing = f"{1 - column.filled:.0%} of the rows have none. " if column.filled < 1 else ""
        if column.number is not None and not (column.concepts & {"id", "postcode"}):
            text = column.type == "VARCHAR"
            expression = column.number.expression(column.sql) if text else column.sql
            kind = "bigint" if column.number.whole and column.number.high < 2**53 else "double"
            guess = Guess(
                name, expression, (column.name,), column.examples, 0.7 * column.number.sureness + 0.25, missing, kind,
                "{policy: median}",
            )  # fmt: skip
            found.append(verified(connection, group, guess))
        else:
            found.append(Guess(name, column.sql, (column.name,), column.examples, 0.85, missing, "varchar"))
    return tuple(found), tuple(left_out)


def _no_attribute(column: Column) -> str:
    if column.filled == 0:
        return "it is empty"
    if column.distinct == 1:
        return f"it is {column.examples[0]!r} wherever it is given"
    if column.filled < 1 - HALF_KNOWN and column.number is not None:
        return f"only {column.filled:.0%} of the rows have a value, so a guess would outnumber what is known"
    if column.time is not None and not column.time.epoch:
        return "a day; as an attribute write its expression with type: date and missing: {policy: mode}"
    if column.personal is not None:
        return f"perhaps {column.personal[0]} of a person"
    many = column.distinct > max(20, TOO_MANY * column.rows * column.filled)
    if many and column.number is None:
        return f"nearly every row has its own ({column.distinct:,} different ones)"
    if "postcode" in column.concepts:
        return "part of an address"
    return ""
