"""What is known of each delivered column: its name, its values, how often they repeat.

Belongs here: gathering it, one `Column` each. Does not: deciding what a column is for (`roles`).
"""

import re
from dataclasses import dataclass, field

import duckdb

from cx_assets.proposal.dates import TimeFormat, clock_share, time_format
from cx_assets.proposal.groups import Group
from cx_assets.proposal.samples import some_values, typed
from cx_assets.proposal.values import NumberFormat, number_format, personal_kind
from cx_assets.proposal.words import concepts
from cx_assets.table.schema import quoted

# Values that patterns are looked for in: enough for one row in a hundred to show.
LOOKED_AT = 1_500
FEW = 12
PLAIN_NAME = r"[A-Za-z_][A-Za-z0-9_]*"


@dataclass(frozen=True)
class Column:
    """One delivered column.

    Attributes:
        name: as delivered.
        sql: the name as SQL, quoted where it must be.
        type: DuckDB's, `VARCHAR` for text.
        concepts: what the name speaks of.
        values: some of them as text, in the order of the rows, without empty ones.
        filled: the share of sampled rows that have a value.
        distinct: different values in the sample.
        rows: of the sample.
        time: how times are written, if they are times.
        number: how numbers are written, if they are numbers.
        clock: whether they are a time of day alone.
        personal: what it tells of a person, and how sure that is.
        few: its values, the most frequent first, where they are few.
        note: how its SQL differs from what is delivered, a sentence with a blank after it.
    """

    name: str
    sql: str
    type: str
    concepts: frozenset[str]
    values: tuple[str, ...]
    filled: float
    distinct: int
    rows: int
    time: TimeFormat | None = None
    number: NumberFormat | None = None
    clock: bool = False
    personal: tuple[str, float] | None = None
    few: tuple[str, ...] = field(default=())
    note: str = ""

    @property
    def unique(self) -> bool:
        """Whether every row has a value of its own; says little of a handful of rows."""
        return self.rows > 0 and self.filled > 0.99 and self.distinct >= 0.995 * self.rows * self.filled

    @property
    def of_element(self) -> bool:
        """Whether it is inside of the elements of a list that rows are made of."""
        return self.name.startswith("element.")

    @property
    def text(self) -> bool:
        """Whether it is neither times nor numbers."""
        return self.time is None and self.number is None

    @property
    def number_or_text(self) -> bool:
        """Whether it could be an id: whole numbers, or text that isn't a time."""
        written = self.time is None or bool(self.time.epoch)
        return written and (self.number is None or self.number.whole)

    @property
    def examples(self) -> tuple[str, ...]:
        """The first few different values."""
        return tuple(dict.fromkeys(self.values))[:3]


def described(connection: duckdb.DuckDBPyConnection, group: Group) -> list[Column]:
    """Every column of a group's sample, in its order."""
    types = typed(connection, group)
    if not types:
        return []
    comma_land = group.first.delimiter == ";"
    counts = ", ".join(
        f"count(nullif(trim({quoted(name)}::varchar), '')), count(distinct nullif(trim({quoted(name)}::varchar), ''))"
        for name in types
    )
    rows, *told = connection.execute(f"select count(*), {counts} from {group.table}").fetchall()[0]
    reserved, inside = reserved_words(connection), dict(group.inside)
    seen = some_values(connection, group, list(types), LOOKED_AT)
    found = []
    for number, (name, kind) in enumerate(types.items()):
        filled, distinct = told[2 * number], told[2 * number + 1]
        values = seen[name]
        meant = concepts(name)
        time = time_format(values, comma_land=comma_land) if not kind.startswith(("DOUBLE", "DECIMAL")) else None
        few: tuple[str, ...] = ()
        if distinct <= FEW:
            few = tuple(
                str(row[0])
                for row in connection.execute(
                    f"select trim({quoted(name)}::varchar) as given from {group.table} "
                    "where given <> '' group by given order by count(*) desc, given"
                ).fetchall()
            )
        found.append(
            Column(
                name,
                inside.get(name) or as_sql(name, reserved),
                kind,
                meant,
                tuple(values),
                filled / rows if rows else 0.0,
                distinct,
                rows,
                time,
                None if time is not None and not time.epoch else number_format(values, comma_land=comma_land),
                clock_share(values) > 0.9,
                personal_kind(meant, values),
                few,
            )
        )
    return found


def reserved_words(connection: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """Words of SQL that need quotes where they are a column's name."""
    return frozenset(
        row[0]
        for row in connection.execute(
            "select keyword_name from duckdb_keywords() where keyword_category in ('reserved', 'type_function')"
        ).fetchall()
    )


def as_sql(name: str, reserved: frozenset[str]) -> str:
    """A column's name as it must stand in SQL."""
    plain = re.fullmatch(PLAIN_NAME, name) and name.lower() not in reserved
    return name if plain else quoted(name)
