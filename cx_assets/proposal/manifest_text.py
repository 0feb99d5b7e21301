"""A proposal as the text of a manifest, each line with what to check and how to correct it.

Belongs here: YAML and comments. Does not: guessing (`events`, `masters`).
"""

import json
import re
import textwrap
from collections.abc import Iterator, Sequence

from pydantic import ValidationError

from cx_assets.proposal.event_types import MEANINGS
from cx_assets.proposal.events import LEFT_OUT
from cx_assets.proposal.groups import Group
from cx_assets.proposal.guesses import Guess, Proposal, SourceProposal, told
from cx_assets.proposal.kinds import NEEDED
from cx_assets.proposal.returns import SURE
from cx_assets.source import Source
from cx_assets.table.schema import literal

WIDTH = 118


def manifest_text(proposal: Proposal) -> str:
    """The whole manifest."""
    lines = [
        *_comment(
            "Proposed by `cx init` from what the files look like. Each guess says how sure it is; begin with "
            "those that say UNSURE. Every value under columns, id, name, category, recommendable and expression is SQL "
            "over the columns of the file. Then: CX_DATASET=<this file> cx doctor, and cx run."
        ),
        f"name: {proposal.name}",
        f"title: {_yaml(proposal.name.replace('_', ' ').capitalize())}   # what reports call it",
        *_days(proposal),
        *_zone(proposal),
        *_scale(proposal),
        *_types(proposal),
        "",
        "events:",
    ]
    for source in proposal.of("events"):
        lines += [f"  {line}" if line else "" for line in _events(source)]
    for table in ("customers", "items"):
        for source in proposal.of(table):
            lines += ["", f"{table}:", *_master(source)]
        if not proposal.of(table):
            lines += [
                "",
                *_comment(f"No file of {table} was found; with one, say so as in template.yaml: {table}: ..."),
            ]
    lines += _privacy(proposal)
    for table in ("campaigns", "campaign_targets", "campaign_responses"):
        for source in proposal.of(table):
            lines += ["", f"{table}:", *_about(source, "  "), f"  source: {_source(source)}", "  columns:"]
            lines += [line for guess in source.guesses for line in _guess(guess, "    ")]
    lines += _contract(proposal)
    if proposal.unused or proposal.doubts:
        lines.append("")
        lines += _comment("What is not used, or looks wrong:")
        for glob, why in proposal.unused:
            lines += _comment(f"- {glob}: {why}.")
        for doubt in proposal.doubts:
            lines += _comment(f"- {doubt}")
    return "\n".join(lines) + "\n"


def source_of(group: Group) -> Source:
    """The source of a group of files, as the manifest declares it.

    An encoding that a manifest can't say yet is told as latin-1, of which windows-1252 is a larger brother.
    """
    first = group.first
    given = {"files": group.glob, "format": first.format} | ({"unnest": group.unnest} if group.unnest else {})
    if first.sheet:
        given["sheet"] = first.sheet
    if first.format == "csv":
        given["delimiter"] = first.delimiter
        if group.encoding != "utf-8":
            given["encoding"] = group.encoding
    try:
        return Source.model_validate(given)
    except ValidationError:
        return Source.model_validate({**given, "encoding": "latin-1"} if "encoding" in given else given)


def _days(proposal: Proposal) -> Iterator[str]:
    if not proposal.first_day:
        yield from _comment("No time could be read: say the first day that may hold events.")
        yield "first_day: 2000-01-01"
        return
    found = "all rows" if proposal.exact_days else "some of the rows: there may be earlier and later ones"
    yield from _comment(f"The days of {found}. Events outside of first_day and last_day are rejected.")
    yield f"first_day: {proposal.first_day}"
    yield from _comment("Remove the # if these files are all there is; leave it while new events still arrive.")
    yield f"# last_day: {proposal.last_day}"


def _zone(proposal: Proposal) -> Iterator[str]:
    if proposal.naive:
        yield from _comment(
            "The times tell no offset, so they are taken as UTC. If they are those of the shop's own clock, say where "
            "it is, and days are its days:"
        )
        yield "# timezone: Europe/Berlin"


def _scale(proposal: Proposal) -> Iterator[str]:
    scales = [source.rating_scale for source in proposal.of("events") if source.rating_scale]
    if scales:
        low, high = min(low for low, _ in scales), max(high for _, high in scales)
        # Scales that people use: one of them holds all ratings that were seen, although nobody gave the lowest.
        for least, most in ((1, 5), (0, 5), (1, 10), (0, 10), (0, 100)):
            if least <= low and high <= most:
                low, high = float(least), float(most)
                break
        yield from _comment("The lowest and the highest rating that can be given; others are rejected.")
        yield f"rating_scale: [{low:g}, {high:g}]"


def _types(proposal: Proposal) -> Iterator[str]:
    own = dict.fromkeys(name for source in proposal.of("events") for name in source.own_types)
    if own:
        yield from _comment(
            "UNSURE: what else customers did beside purchase, view, cart and rating, and what one of it counts beside "
            "1 of a purchase: choose the weight."
        )
        yield "event_types:"
        yield from (f"  {name}: {{weight: 1, meaning: {MEANINGS[name]}}}" for name in own)


def _events(source: SourceProposal) -> Iterator[str]:
    yield from _about(source, "")
    yield f"- source: {_source(source)}"
    if source.group.where:
        yield f"  where: {_yaml(source.group.where)}"
    yield "  columns:"
    for guess in source.guesses:
        yield from _guess(guess, "    ")
    for key, what in LEFT_OUT.items():
        if source.guess(key) is None:
            yield f"    # {key}: ...   # {what}"
    yield from _rest(source, "    ")
    if source.returns:
        sure = source.returns_fit >= SURE
        why = f"{source.returns_fit:.0%} have such a line." if sure else "Remove the # if that is so."
        yield from _comment(
            "These rows take back what their customer bought in the same basket: their quantity and value are taken "
            f"off that line. {why}",
            "  ",
        )
        yield f"  {'' if sure else '# '}returns: {{when: {_yaml(source.returns)}}}"


def _master(source: SourceProposal) -> Iterator[str]:
    yield from _about(source, "  ")
    yield f"  source: {_source(source)}"
    for guess in source.guesses:
        yield from _guess(guess, "  ")
    if source.table == "items" and source.guess("recommendable") is None:
        yield '  # recommendable: "stock > 0"   # left out: every item may be recommended'
    if source.attributes:
        yield "  attributes:"
        for guess in source.attributes:
            type_ = f", type: {guess.type}" if guess.type != "varchar" else ""
            policy = f", missing: {guess.policy}" if guess.policy else ""
            yield from _comment(f"{told(guess.sureness)}: {_examples(guess.examples)}. {guess.check}", "    ")
            yield f"    {guess.key}: {{expression: {_yaml(guess.expression)}{type_}{policy}}}"
        yield from _comment(
            "Where an attribute has no value: missing: {policy: constant} (the default: unknown), mean, median, mode, "
            "predict, or drop.",
            "    ",
        )
    yield from _rest(source, "    ")


def _privacy(proposal: Proposal) -> Iterator[str]:
    personal = [entry for source in proposal.of("customers") for entry in source.personal]
    if not personal:
        return
    yield ""
    yield from _comment(
        "These columns tell who a customer is. They are not read, so they reach no table. To keep them apart in the "
        "vault, remove the # of these lines; `keep: drop` says that they are not wanted at all. Kept apart or not, "
        "customers who registered twice can be merged by them: customers.merge_keys."
    )
    yield "# privacy:"
    yield "#   identifiers: [customer_id]"
    yield "#   personal:"
    for entry in personal:
        yield (
            f"#     {entry.name}: {{expression: {_yaml(entry.expression)}, keep: vault}}"
            f"   # {entry.what}, {told(entry.sureness)}"
        )


def _contract(proposal: Proposal) -> Iterator[str]:
    """What was seen, to be declared or not."""
    if not proposal.seen:
        return
    yield ""
    yield from _comment(
        "This is what the values looked like. Of what must always be so remove the #, and give bounds some room: an "
        "event that isn't so is then rejected, and an attribute counts as missing. `cx doctor` says how many."
    )
    yield "# contract:"
    for table in dict.fromkeys(table for table, _, _ in proposal.seen):
        yield f"#   {table}:"
        yield "#     columns:"
        for own, name, common in proposal.seen:
            if own == table:
                told_ = ", ".join(f"{key}: {_value(value)}" for key, value in common.items())
                yield f"#       {name}: {{{told_}}}"


def _value(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_yaml, value))}]"
    if isinstance(value, str):
        return literal(value)  # quotes are doubled in YAML as in SQL, and a backslash stays one
    return f"{value:.0f}" if isinstance(value, float) and value.is_integer() else str(value)


def _about(source: SourceProposal, indent: str) -> Iterator[str]:
    count = len(source.group.files)
    files = f"{count} files" if count > 1 else "1 file"
    first = source.group.first
    written = ""
    if first.format == "csv":
        sign = {"\t": "tabs", ";": "semicolons", ",": "commas", "|": "bars"}.get(first.delimiter, first.delimiter)
        sure = min(file.encoding_sureness for file in source.group.files)
        encoding = source.group.encoding + (f" ({told(sure)})" if sure < 1 else "")
        written = f", parted by {sign}, in {encoding}"
    yield from _comment(f"{files}{written}. Holds {source.table}: {told(source.sureness)}: {source.why}.", indent)
    declared = source_of(source.group).encoding
    if first.format == "csv" and declared != source.group.encoding:
        yield from _comment(
            f"The files are in {source.group.encoding}, which is read as {declared} here: if the doctor names a line "
            "with a sign that isn't in it, save the files as UTF-8 and leave the encoding out.",
            indent,
        )
    for note in source.notes:
        yield from _comment(f"CHECK: {note}", indent)


def _source(source: SourceProposal) -> str:
    declared = source_of(source.group)
    parts = [f"files: {_yaml(str(declared.files))}", f"format: {declared.format}"]
    if declared.format == "csv":
        parts.append(f"delimiter: {json.dumps(declared.delimiter)}")
        if declared.encoding != "utf-8":
            parts.append(f"encoding: {declared.encoding}")
    if declared.sheet:
        parts.append(f"sheet: {_yaml(declared.sheet)}")
    if declared.unnest:
        parts.append(f"unnest: {_yaml(declared.unnest)}")
    return f"{{{', '.join(parts)}}}"


def _guess(guess: Guess, indent: str) -> Iterator[str]:
    needed = " It must be given." if guess.key in NEEDED and not guess.columns else ""
    told_ = f"{told(guess.sureness)}: {_examples(guess.examples)}. {guess.check}{needed}"
    yield from _comment(told_.replace(": . ", ": "), indent)
    yield f"{indent}{guess.key}: {_yaml(guess.expression)}"


def _rest(source: SourceProposal, indent: str) -> Iterator[str]:
    hidden = {entry.column for entry in source.personal}
    for name, why in source.left_out:
        if name not in hidden:
            yield from _comment(f"not used: {name}: {why}", indent)


def _examples(examples: Sequence[str]) -> str:
    shown = [example if len(example) <= 40 else f"{example[:37]}..." for example in examples]
    return " | ".join(re.sub(r"\s+", " ", example) for example in shown)


def _comment(text: str, indent: str = "") -> list[str]:
    clean = re.sub(r"\s+", " ", text).strip()
    return textwrap.wrap(clean, WIDTH, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}#   ")


def _yaml(text: str) -> str:
    """A text as YAML: bare where it can only be read so, else in quotes."""
    bare = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", text)
    words = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}
    return text if bare and text.lower() not in words else json.dumps(text, ensure_ascii=False)
