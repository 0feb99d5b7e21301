"""The instant that a delivered text tells, and the day that an instant belongs to.

Belongs here: the SQL for both, one way for all stages. Does not: judging it (`warehouse`).
"""

from cx_assets.table.schema import literal

UTC = "UTC"


def utc_timestamp(text: str, timezone: str = UTC) -> str:
    """SQL for the UTC timestamp that a text tells, null where it tells none.

    A text with an offset or a Z tells its instant by itself; one without is a local time of the dataset's zone. Of the
    hour that comes twice when clocks go back it means the later one, and a time within the hour that is left out when
    they go forward is an hour later: what DuckDB's calendar (ICU) says. DuckDB's cast to a timestamp ignores an
    offset, and its cast to a timestamp with time zone is eight times slower: only texts with an offset take it.

    Args:
        text: a SQL expression of type varchar; the session's time zone is UTC.
        timezone: the dataset's, by its IANA name.
    """
    # That a Z means UTC is news only where a time without it would mean another.
    zulu = "" if timezone == UTC else "|[zZ]"
    offset = f"length({text}) > 16 and regexp_matches({text}, '([+-][0-9]{{2}}(:?[0-9]{{2}})?{zulu})\\s*$')"
    zoned = f"cast(try_cast({text} as timestamptz) as timestamp)"
    local = f"try_cast({text} as timestamp)"
    if timezone != UTC:
        local = f"cast(timezone({literal(timezone)}, {local}) as timestamp)"
    return f"case when {offset} then {zoned} else {local} end"


def local_day(timestamp: str, timezone: str = UTC) -> str:
    """SQL for the day that an instant belongs to where the dataset is at home.

    Args:
        timestamp: a SQL expression of type timestamp, of UTC; the session's time zone is UTC.
        timezone: the dataset's, by its IANA name.
    """
    return f"cast({local_time(timestamp, timezone)} as date)"


def local_time(timestamp: str, timezone: str = UTC) -> str:
    """SQL for what clocks show at an instant where the dataset is at home; as of `local_day`."""
    if timezone == UTC:
        return timestamp
    return f"timezone({literal(timezone)}, cast({timestamp} as timestamptz))"
