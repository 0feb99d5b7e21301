"""What a proposal is made of: a guess for each key of the manifest, with what speaks for it.

Belongs here: the shapes. Does not: making guesses (`events`, `masters`) or writing them down (`manifest_text`).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from cx_assets.proposal.groups import Group

# From these sureness on a guess is called so.
SURE = 0.85
LIKELY = 0.6


@dataclass(frozen=True)
class Guess:
    """One key of a manifest.

    Attributes:
        key: as the manifest calls it: `occurred_at`, `id`, an attribute's name.
        expression: the SQL that is proposed; empty for a key that is only talked of.
        columns: the delivered columns that it is made of.
        examples: delivered values.
        sureness: 0 to 1.
        check: what to look at, and what to write if it is wrong; sentences.
        type: of an attribute.
        policy: what is proposed for an attribute's missing values, as YAML; empty for the default.
    """

    key: str
    expression: str
    columns: tuple[str, ...]
    examples: tuple[str, ...]
    sureness: float
    check: str = ""
    type: str = ""
    policy: str = ""


@dataclass(frozen=True)
class Personal:
    """A column that tells who a customer is, and so is kept out unless somebody decides otherwise."""

    name: str
    column: str
    expression: str
    what: str
    sureness: float


@dataclass(frozen=True)
class SourceProposal:
    """One source of the manifest.

    Attributes:
        table: what it feeds.
        group: its files.
        sureness: 0 to 1, that it feeds that.
        why: for a person.
        guesses: its keys, in the manifest's order.
        attributes: of customers and items.
        personal: columns that are kept out.
        left_out: columns that no key uses, with the reason.
        notes: sentences on the source as a whole: negative lines, rows that can't be read.
        rating_scale: the lowest and highest rating seen.
        own_types: types of events that its manifest must declare.
        naive: whether events tell their time without its distance from UTC.
        returns: SQL for the rows that seem to take others back; empty if none do.
        returns_fit: the share of them that name a line of the same basket, item and customer.
    """

    table: str
    group: Group
    sureness: float
    why: str
    guesses: tuple[Guess, ...]
    attributes: tuple[Guess, ...] = ()
    personal: tuple[Personal, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    rating_scale: tuple[float, float] | None = None
    own_types: tuple[str, ...] = ()
    naive: bool = False
    returns: str = ""
    returns_fit: float = 0.0

    def guess(self, key: str) -> Guess | None:
        """The guess for a key, if there is one."""
        return next((guess for guess in self.guesses if guess.key == key), None)


@dataclass(frozen=True)
class Proposal:
    """A manifest to be.

    Attributes:
        name: of the dataset.
        sources: events first.
        unused: globs of files that feed nothing, with the reason.
        doubts: sentences on single files.
        first_day, last_day: of the events, as dates in ISO; empty if none could be read.
        exact_days: whether all rows were read for them.
        naive: whether some events tell their time without its distance from UTC.
        seen: what values have in common, by table and column.
    """

    name: str
    sources: tuple[SourceProposal, ...]
    unused: tuple[tuple[str, str], ...] = ()
    doubts: tuple[str, ...] = ()
    first_day: str = ""
    last_day: str = ""
    exact_days: bool = True
    naive: bool = False
    seen: tuple[tuple[str, str, Mapping[str, object]], ...] = ()

    def of(self, table: str) -> list[SourceProposal]:
        """The sources of a table."""
        return [source for source in self.sources if source.table == table]


def told(sureness: float) -> str:
    """How sure a guess is, in a word and a figure."""
    word = "sure" if sureness >= SURE else "likely" if sureness >= LIKELY else "UNSURE"
    return f"{word}, {sureness:.0%}"
