"""Which files hold events, customers, items or campaigns.

Belongs here: the kind of each group of files, by its columns' names and values, its own name, and how its ids join.
Does not: which column is which part of an event (`choosing`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb

from cx_assets.proposal.choosing import chosen
from cx_assets.proposal.columns import Column
from cx_assets.proposal.groups import Group
from cx_assets.proposal.roles import JOINED, Join
from cx_assets.proposal.words import concepts

NEEDED = ("occurred_at", "customer_id", "item_id")
# A master file names at least so many things, or joining says nothing.
ENOUGH_IDS = 10


@dataclass(frozen=True)
class Kind:
    """What a group of files holds.

    Attributes:
        table: `events`, `customers`, `items`, `campaigns`, `campaign_targets`, `campaign_responses`, or nothing.
        sureness: 0 to 1.
        key: the column that identifies a row, of master data.
        why: for a person.
    """

    table: str
    sureness: float
    key: Column | None = None
    why: str = ""

    @property
    def identifier(self) -> Column:
        """The key of master data.

        Raises:
            LookupError: if there is none.
        """
        if self.key is None:
            raise LookupError(f"{self.table} has no column that identifies a row")
        return self.key


def kinds_of(
    connection: duckdb.DuckDBPyConnection, described: Sequence[tuple[Group, list[Column]]]
) -> list[Kind]:  # fmt: skip
    """The kind of every group of files, in order."""
    found = [_by_names(group, columns) for group, columns in described]
    events = [(pair, kind) for pair, kind in zip(described, found, strict=True) if kind.table == "events"]
    # What names don't tell, joins may: who `ref` is, the customers' file says.
    masters = masters_of(described, found)
    for number, pair in enumerate(described):
        if not found[number].table and masters:
            picks = chosen(pair[1], joins_of(connection, pair, masters))
            if all(part in picks for part in NEEDED):
                sureness = min(picks[part].sureness for part in NEEDED)
                found[number] = Kind("events", sureness, None, "its ids are those of other files, and it tells when")
                events.append((pair, found[number]))
    # And a unique column that holds the customers of the events is the id of a customers' file.
    for number, (group, columns) in enumerate(described):
        if found[number].table:
            continue
        for part, table in (("customer_id", "customers"), ("item_id", "items")):
            if any(kind.table == table for kind in found):
                continue
            best = _joined_key(connection, group, columns, events, part)
            if best is not None:
                key, share = best
                found[number] = Kind(table, 0.9 * share, key, f"{share:.0%} of the events' are in its {key.name}")
                break
    return _one_each(found, described)


def _by_names(group: Group, columns: list[Column]) -> Kind:
    file = concepts(group.title)
    picks = chosen(columns, {})
    campaign = _campaign_kind(columns, picks.keys() & {"value", "quantity"} != set())
    if campaign is not None:
        return campaign
    if all(part in picks for part in NEEDED):
        sureness = min(picks[part].sureness for part in NEEDED)
        keyed = picks["customer_id"].column.unique or picks["item_id"].column.unique
        if not keyed or columns[0].rows < ENOUGH_IDS:
            return Kind("events", sureness, None, "it tells who, what and when")
    keys = [column for column in columns if column.unique and column.number_or_text]
    for table, concept, other in (("customers", "customer", "item"), ("items", "item", "customer")):
        named = [c for c in keys if concept in c.concepts and ("id" in c.concepts or len(c.concepts) <= 2)]
        named = [c for c in named if not c.concepts & {"name", "given", "email", "phone", "address", other}]
        if named:
            key = max(named, key=lambda c: "id" in c.concepts)
            return Kind(table, 0.95 if "id" in key.concepts else 0.8, key, f"each row has its own {key.name}")
        bare = [c for c in keys if "id" in c.concepts and not c.concepts & {other, "order", "store"}]
        if bare and concept in file and other not in file:
            return Kind(table, 0.85, bare[0], f"the file's name, and each row has its own {bare[0].name}")
    people = sum(column.personal is not None and column.personal[1] >= 0.7 for column in columns)
    bare = [c for c in keys if "id" in c.concepts and c.personal is None]
    if people >= 2 and bare and "item_id" not in picks:
        return Kind("customers", 0.7, bare[0], f"it tells of persons, and each row has its own {bare[0].name}")
    return Kind("", 0.0)


def _campaign_kind(columns: list[Column], has_amounts: bool) -> Kind | None:
    ids = [c for c in columns if "campaign" in c.concepts and not c.concepts & {"start", "end", "type", "name"}]
    if not ids or has_amounts:
        return None
    key = ids[0]
    starts = any("start" in c.concepts and c.time for c in columns)
    ends = any("end" in c.concepts and c.time for c in columns)
    if key.unique and starts and ends:
        return Kind("campaigns", 0.9, key, "each row has a campaign of its own, with its first and last day")
    if any("customer" in c.concepts and not c.unique for c in columns) or any(
        "customer" in c.concepts and c.concepts & {"id"} for c in columns
    ):
        times = [c for c in columns if c.time is not None]
        if times:
            return Kind("campaign_responses", 0.7, key, "it tells a campaign, a customer and a time")
        return Kind("campaign_targets", 0.8, key, "it tells a campaign and a customer")
    return None


def _joined_key(
    connection: duckdb.DuckDBPyConnection,
    group: Group,
    columns: list[Column],
    events: Sequence[tuple[tuple[Group, list[Column]], Kind]],
    part: str,
) -> tuple[Column, float] | None:
    best: tuple[Column, float] | None = None
    for (event_group, event_columns), _ in events:
        pick = chosen(event_columns, {}).get(part)
        for key in columns:
            if pick is None or not key.unique or key.distinct < ENOUGH_IDS or not key.number_or_text:
                continue
            share, _ = found_share(connection, event_group, pick.column, group, key)
            if share >= JOINED and (best is None or share > best[1]):
                best = (key, share)
    return best


def _one_each(found: list[Kind], described: Sequence[tuple[Group, list[Column]]]) -> list[Kind]:
    """Of master data a manifest names one source: the one with the most rows, others are told of."""
    kept = list(found)
    for table in ("customers", "items", "campaigns", "campaign_targets", "campaign_responses"):
        rivals = [number for number, kind in enumerate(found) if kind.table == table]
        best = max(rivals, key=lambda n: (round(found[n].sureness, 1), described[n][0].size), default=-1)
        for number in rivals:
            if number != best:
                kept[number] = Kind("", 0.0, None, f"looks like {table} too; {described[best][0].name} was taken")
    return kept


def masters_of(
    described: Sequence[tuple[Group, list[Column]]], kinds: Sequence[Kind]
) -> dict[str, tuple[Group, Column]]:
    """The files that name the customers and the items, each with its key, by the part of an event."""
    return {
        part: (group, kind.key)
        for part, table in (("customer_id", "customers"), ("item_id", "items"))
        for (group, _), kind in zip(described, kinds, strict=True)
        if kind.table == table and kind.key is not None
    }


def found_share(
    connection: duckdb.DuckDBPyConnection, group: Group, column: Column, master: Group, key: Column
) -> tuple[float, float]:
    """The share of a column's different values that are ids of master data, and the share of those ids that it names.

    The column's sample is whole or not; ids of a sampled master are missing by chance, so a low share is weak evidence
    and a high one strong.
    """
    row = connection.execute(
        f"""
        with named as (select distinct trim({column.sql}::varchar) as id from {group.table}),
        ids as (select distinct trim({key.sql}::varchar) as id from {master.table})
        select count(*) filter (ids.id is not null) / greatest(count(*), 1),
            count(*) filter (ids.id is not null) / greatest((select count(*) from ids), 1)
        from named left join ids using (id) where named.id <> ''
        """
    ).fetchone()
    return (float(row[0]), float(row[1])) if row else (0.0, 0.0)


def joins_of(
    connection: duckdb.DuckDBPyConnection,
    events: tuple[Group, list[Column]],
    masters: Mapping[str, tuple[Group, Column]],
) -> dict[tuple[str, str], Join]:
    """How the columns of events find their ids in the master data, by part and column."""
    group, columns = events
    shares: dict[tuple[str, str], tuple[float, float]] = {}
    for part, (master, key) in masters.items():
        for column in columns:
            if column.number_or_text and column.distinct >= min(ENOUGH_IDS, key.distinct) and not column.clock:
                shares[part, column.name] = found_share(connection, group, column, master, key)
    found = {}
    for (part, name), (share, named) in shares.items():
        others = [s for (p, n), (s, _) in shares.items() if n == name and p != part]
        # Whole numbers from 1 are ids everywhere: found in both, or naming almost none of the ids, tells little.
        telling = not any(other >= JOINED for other in others) and named >= 0.02
        found[part, name] = Join(share, telling, masters[part][0].whole)
    return found
