"""Which clock events were told by, guessed from the hours at which nobody acts.

Belongs here: the guess. Does not: what days are (`partitions`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from cx_assets.ingestion.times import UTC

# Wherever people are watched, they do least in these hours of their own clock; the middle of five quiet hours.
DEEP_NIGHT = 3.5
QUIET_HOURS = 5
# A fifth of the hours would hold a fifth of the events if hours didn't matter; above this share they hardly do.
QUIET_SHARE = 0.08
ENOUGH_EVENTS = 500


@dataclass(frozen=True)
class Clock:
    """What the hours of a dataset say.

    Attributes:
        first_quiet, last_quiet: the quiet hours, as told, both included.
        share: of the events that fall into them.
        offset: hours that the told times seem to be ahead of the customers' own clock; negative if behind.
    """

    first_quiet: int
    last_quiet: int
    share: float
    offset: int


def guessed_clock(events_by_hour: Sequence[int]) -> Clock | None:
    """The quiet hours of a day and what they say of the clock, or None where the hours tell nothing.

    Args:
        events_by_hour: 24 counts, from midnight.

    Raises:
        ValueError: if there aren't 24.
    """
    if len(events_by_hour) != 24:
        raise ValueError(f"a day has 24 hours, not {len(events_by_hour)}")
    total = sum(events_by_hour)
    # Times that are all at one hour are days without a time.
    if total < ENOUGH_EVENTS or max(events_by_hour) > 0.9 * total:
        return None
    windows = [sum(events_by_hour[(first + hour) % 24] for hour in range(QUIET_HOURS)) for first in range(24)]
    least = min(windows)
    if least > QUIET_SHARE * total:
        return None
    quietest = [first for first in range(24) if windows[first] == least]
    first = _middle(quietest)
    middle = first + QUIET_HOURS / 2
    offset = round(((middle - DEEP_NIGHT + 12) % 24) - 12)
    return Clock(first, (first + QUIET_HOURS - 1) % 24, least / total, offset)


def _middle(hours: list[int]) -> int:
    """The middle of hours that follow one another around the clock: a closed shop is quiet all night."""
    start = next((hour for hour in hours if (hour - 1) % 24 not in hours), hours[0])
    run = 0
    while (start + run + 1) % 24 in hours and run < 23:
        run += 1
    return (start + run // 2) % 24


def clock_told(clock: Clock | None, timezone: str = UTC) -> str:
    """The guess as a sentence for the person who knows where the shop is."""
    if clock is None:
        return "the hours of the events don't show a night, so nothing is guessed of their time zone"
    hours = f"quiet from {clock.first_quiet:02}:00 to {(clock.last_quiet + 1) % 24:02}:00 ({clock.share:.1%} of events)"
    # A night differs by two hours between shops and countries: less than that is no evidence.
    if abs(clock.offset) <= 2:
        return f"{hours}: the times look like those of the customers' own clock"
    way, then = (
        ("ahead of", "evenings count as the next day")
        if clock.offset > 0
        else ("behind", "mornings count as the day before")
    )
    by = f"UTC{-clock.offset:+d} if they are UTC" if timezone == UTC else f"with timezone: {timezone}"
    return f"{hours}: the times look some {abs(clock.offset)} hours {way} the customers' own clock ({by}), so {then}"
