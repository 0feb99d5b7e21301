"""How the times of a column are written.

Belongs here: the guess and the SQL that reads such times. Does not: which column holds the time of an event (`roles`).
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

WRITTEN = re.compile(
    r"(?P<a>\d{1,4})(?P<sep>[-./])(?P<b>\d{1,2}|[A-Za-z]{3})(?P=sep)(?P<c>\d{4}|\d{1,2})"
    r"(?:(?P<gap>T|, | )(?P<clock>\d{1,2}:\d{2}(?::\d{2}(?P<fraction>\.\d{1,9})?)?)(?P<half> ?[AaPp][Mm])?)?"
    r"(?P<offset> ?(?:Z|UTC|[+-]\d{2}(?::?\d{2})?))?"
)
COMPACT = re.compile(r"(?P<day>(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))(?P<clock>\d{4}|\d{6})?")
CLOCK = re.compile(r"(?:[01]?\d|2[0-3]):[0-5]\d(?P<seconds>:[0-5]\d)?(?P<half> ?[AaPp][Mm])?")
# Months in words, as in Mar 1, 2024 3:05 PM and Fri, 01 Mar 2024 15:05:00 +0100.
WORDED = re.compile(
    r"(?P<weekday>(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), )?"
    r"(?:(?P<day>\d{1,2}) (?P<month>[A-Z][a-z]{2,8})|(?P<us_month>[A-Z][a-z]{2,8}) \d{1,2}),? (?P<year>\d{4})"
    r"(?:(?P<gap>, | )(?P<clock>\d{1,2}:\d{2}(?P<seconds>:\d{2})?)(?P<half> ?[AaPp][Mm])?)?(?P<offset> [+-]\d{4})?"
)
# 2001 to 2040, as seconds since 1970 and in finer units.
EPOCHS = {
    "s": (978_307_200, 2_208_988_800),
    "ms": (978_307_200_000, 2_208_988_800_000),
    "us": (978_307_200_000_000, 2_208_988_800_000_000),
}
UNITS = {"s": "seconds", "ms": "milliseconds", "us": "microseconds"}
# The order of day and month that nobody can tell: worth a look, whatever the separator says.
AMBIGUOUS = 0.55


@dataclass(frozen=True)
class TimeFormat:
    """How times are written.

    Attributes:
        name: for a person: `day first, as 31.12.2025 14:05`.
        formats: of strptime; empty where DuckDB's own cast, or arithmetic for epochs, reads them.
        share: of the values that are written so.
        sureness: 0 to 1, that they are read right.
        epoch: `s`, `ms` or `us` where they are seconds, milliseconds or microseconds since 1970.
        clock: whether they tell a time of day; midnight throughout is none.
        offset: whether they tell their distance from UTC.
    """

    name: str
    formats: tuple[str, ...]
    share: float
    sureness: float
    epoch: str = ""
    clock: bool = False
    offset: bool = False

    def expression(self, column: str) -> str:
        """SQL for the timestamp that a text column (or, of epochs, a number) tells.

        Args:
            column: SQL for the column.
        """
        if self.epoch == "s":
            return f"make_timestamp(cast(try_cast({column} as double) * 1000000 as bigint))"
        if self.epoch == "ms":
            return f"epoch_ms(cast(try_cast({column} as double) as bigint))"
        if self.epoch == "us":
            return f"make_timestamp(try_cast({column} as bigint))"
        if not self.formats:
            return column
        formats = ", ".join(f"'{text}'" for text in self.formats)
        return f"try_strptime({column}, {formats if len(self.formats) == 1 else f'[{formats}]'})"


def time_format(values: Sequence[str], *, comma_land: bool = False) -> TimeFormat | None:
    """How the times of a column are written, or None where most values are no times.

    Args:
        values: some values as text, in the order of their rows; none empty.
        comma_land: whether the file writes decimal commas, as where days come first.
    """
    if not values:
        return None
    for guess in (_epoch, _compact, _worded):
        found = guess(values)
        if found is not None:
            return found
    matches = [match for value in values if (match := WRITTEN.fullmatch(value.strip()))]
    share = len(matches) / len(values)
    if share < 0.6:
        return None
    order, sureness = _order(matches, comma_land=comma_land)
    if order is None:
        return None
    formats = Counter(_format(match, order) for match in matches)
    offset = any(match["offset"] for match in matches)
    clock = any(match["clock"] and match["clock"].strip("0:.") for match in matches)
    example = matches[-1][0]
    iso = order == "year first" and all(match["sep"] == "-" and not match["half"] for match in matches)
    iso = iso and all(match["gap"] in (None, "T", " ") for match in matches)
    chosen = () if iso else tuple(text for text, _ in sorted(formats.items(), key=lambda f: (-len(f[0]), f[0])))
    return TimeFormat(f"{order}, as {example}", chosen, share, sureness * share, clock=clock, offset=offset)


def clock_share(values: Sequence[str]) -> float:
    """The share of values that are a time of day alone, such as 14:05."""
    return sum(bool(CLOCK.fullmatch(value.strip())) for value in values) / len(values) if values else 0.0


def clock_formats(values: Sequence[str]) -> tuple[str, ...]:
    """The formats of strptime for times of day, such as 14:05 or 2:05 PM; the longest first."""
    matches = [match for value in values if (match := CLOCK.fullmatch(value.strip()))]
    return tuple(sorted({_clock(match["seconds"], match["half"]) for match in matches}, key=lambda f: (-len(f), f)))


def _epoch(values: Sequence[str]) -> TimeFormat | None:
    numbers = [float(value) for value in values if re.fullmatch(r"\d{9,16}(\.\d+)?", value.strip())]
    for unit, (low, high) in EPOCHS.items():
        share = sum(low <= number <= high for number in numbers) / len(values)
        if share >= 0.95:
            return TimeFormat(
                f"{UNITS[unit]} since 1970, as {values[0]}", (), share, 0.9 * share, epoch=unit, clock=True
            )
    return None


def _compact(values: Sequence[str]) -> TimeFormat | None:
    matches = [match for value in values if (match := COMPACT.fullmatch(value.strip()))]
    share = len(matches) / len(values)
    if share < 0.95:
        return None
    lengths = {"": "%Y%m%d", "4": "%Y%m%d%H%M", "6": "%Y%m%d%H%M%S"}
    used = sorted({lengths[str(len(match["clock"] or "") or "")] for match in matches}, key=len, reverse=True)
    clock = any(match["clock"] for match in matches)
    return TimeFormat(f"year first, as {values[0]}", tuple(used), share, 0.9 * share, clock=clock)


def _worded(values: Sequence[str]) -> TimeFormat | None:
    matches = [match for value in values if (match := WORDED.fullmatch(value.strip()))]
    share = len(matches) / len(values)
    if share < 0.95:
        return None
    formats = sorted({_worded_format(match) for match in matches}, key=lambda text: (-len(text), text))
    clock, offset = any(match["clock"] for match in matches), any(match["offset"] for match in matches)
    return TimeFormat(f"months in words, as {values[0]}", tuple(formats), share, share, clock=clock, offset=offset)


def _worded_format(match: re.Match[str]) -> str:
    # May is May in either; strptime reads it so too.
    month = "%b" if len(match["month"] or match["us_month"]) == 3 else "%B"
    day = f"%d {month}" if match["day"] else f"{month} %d"
    comma = "," if f", {match['year']}" in match[0] else ""
    clock = match["gap"] + _clock(match["seconds"], match["half"]) if match["clock"] else ""
    return f"{'%a, ' if match['weekday'] else ''}{day}{comma} %Y{clock}{' %z' if match['offset'] else ''}"


def _order(matches: Sequence[re.Match[str]], *, comma_land: bool) -> tuple[str | None, float]:
    """Which part is the day, and how sure that is."""
    parts = [(match["a"], match["b"], match["c"]) for match in matches]
    year_first = sum(len(a) == 4 for a, _, _ in parts)
    if year_first >= 0.9 * len(parts):
        return "year first", 1.0
    if year_first or any(len(a) == 3 for a, _, _ in parts):
        return None, 0.0
    if all(b.isalpha() for _, b, _ in parts):
        return "day first", 1.0
    numbers = [(int(a), int(b)) for a, b, _ in parts if b.isdigit()]
    first_is_day, second_is_day = sum(a > 12 for a, _ in numbers), sum(b > 12 for _, b in numbers)
    if first_is_day and second_is_day:
        # Neither order reads all of them: the more common one, and its share.
        lead = max(first_is_day, second_is_day) / (first_is_day + second_is_day)
        return ("day first" if first_is_day >= second_is_day else "month first"), lead * AMBIGUOUS
    if first_is_day:
        return "day first", 1.0
    if second_is_day:
        return "month first", 1.0
    # Files mostly run forward in time: the order in which more rows follow one another is the better guess.
    day_first, month_first = (
        _forward([(match["c"], match[m], match[d]) for match in matches]) for m, d in ("ba", "ab")
    )
    if abs(day_first - month_first) > 0.05:
        return ("day first" if day_first > month_first else "month first"), 0.75
    dotted = matches[0]["sep"] == "."
    return ("day first" if dotted or comma_land else "month first"), 0.7 if dotted else AMBIGUOUS


def _forward(dates: Sequence[tuple[str, str, str]]) -> float:
    """The share of dates (year, month, day) that are no earlier than the one before."""
    numbers = [tuple(map(int, parts)) for parts in dates]
    pairs = list(pairwise(numbers))
    return sum(a <= b for a, b in pairs) / len(pairs) if pairs else 0.0


def _format(match: re.Match[str], order: str) -> str:
    year = "%Y" if "year" in order or len(match["c"]) == 4 else "%y"
    month = "%b" if match["b"].isalpha() else "%m"
    parts = {"day first": ("%d", month, year), "month first": ("%m", "%d", year), "year first": ("%Y", month, "%d")}
    text = match["sep"].join(parts[order])
    if match["clock"]:
        seconds = match["clock"].count(":") == 2
        text += match["gap"] + _clock(seconds, match["half"], ".%f" if match["fraction"] else "")
    return text + _offset(match["offset"])


def _clock(seconds: object, half: str | None, fraction: str = "") -> str:
    """The format of a time of day."""
    noon = "" if not half else " %p" if half.startswith(" ") else "%p"
    return f"{'%I' if half else '%H'}:%M{':%S' if seconds else ''}{fraction}{noon}"


def _offset(offset: str | None) -> str:
    if not offset:
        return ""
    gap = " " if offset.startswith(" ") else ""
    return gap + ("Z" if offset.strip() == "Z" else "UTC" if offset.strip() == "UTC" else "%z")
