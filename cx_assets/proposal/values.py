"""What the values of a column are: how numbers are written, what is personal, what means yes.

Belongs here: guesses from a sample of texts, and the SQL that reads such numbers. Does not: times (`dates`), names
(`words`) or which column is chosen (`roles`).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

NUMBER = re.compile(
    r"(?P<sign>[-+(])?\s?(?P<before>[€$£]|EUR|USD|CHF)?\s?(?P<digits>\d[\d.,' \u00a0\u202f]*)\s?"
    r"(?P<after>[€$£%]|[A-Z]{3})?(?P<end>[-)])?"
)
PLAIN = re.compile(r"[-+]?\d+(\.\d+)?([eE][-+]?\d+)?")
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}")
PHONE = re.compile(r"(\+|00?)[\d][\d\s()/.-]{5,18}\d")
STREET = re.compile(r".*[^\d\W]{3,}.*\s\d{1,4}\s?[a-zA-Z]?|\d{1,5}\s+[^\d\W].*", re.UNICODE)
TRUE = {"1", "true", "t", "yes", "y", "ja", "j", "oui", "o", "si", "sí", "wahr", "x", "active", "aktiv", "vrai"}
FALSE = {"0", "false", "f", "no", "n", "nein", "non", "nee", "falsch", "", "inactive", "inaktiv", "faux"}


@dataclass(frozen=True)
class NumberFormat:
    """How numbers are written.

    Attributes:
        name: for a person: `decimal comma, as 1.234,50`.
        decimal: `.` or `,`.
        thousands: what parts thousands, or nothing.
        currency: whether signs or letters stand beside the digits.
        share: of the values that are numbers.
        sureness: 0 to 1, that they are read right.
        whole: whether all of them are whole numbers.
        negative: the share below 0.
        low, high: the bounds of those seen.
        minus: how those below 0 are written where no sign stands before them: `-` for 12- and `()` for (12).
    """

    name: str
    decimal: str
    thousands: str
    currency: bool
    share: float
    sureness: float
    whole: bool
    negative: float
    low: float
    high: float
    minus: str = ""

    def expression(self, column: str) -> str:
        """SQL that turns a text column into a text that DuckDB reads as a number.

        Args:
            column: SQL for the column.
        """
        text = column
        if self.minus:
            below = {"-": r"^(.*)-\s*$", "()": r"^\s*\((.*)\)\s*$"}[self.minus]
            text = f"regexp_replace({text}, '{below}', '-\\1')"
        if self.currency or (self.thousands and self.thousands not in ".,"):
            text = f"regexp_replace({text}, '[^0-9.,-]', '', 'g')"
        # Of a decimal comma a point can only part thousands, seen or not yet.
        thousands = "." if self.decimal == "," else self.thousands
        if thousands in (".", ","):
            text = f"replace({text}, '{thousands}', '')"
        return f"replace({text}, ',', '.')" if self.decimal == "," else text


def number_format(values: Sequence[str], *, comma_land: bool = False) -> NumberFormat | None:
    """How the numbers of a column are written, or None where most values are none.

    Args:
        values: some values as text; none empty.
        comma_land: whether other signs (a semicolon as delimiter) speak for decimal commas.
    """
    stripped = [value.strip() for value in values]
    matches = [match for value in stripped if (match := NUMBER.fullmatch(value))]
    plain = [value for value in stripped if PLAIN.fullmatch(value)]
    if not values or max(len(matches), len(plain)) / len(values) < 0.9:
        return None
    if len(plain) == len(stripped):
        ambiguous = any("." in value for value in plain) and all(
            re.fullmatch(r"[-+]?\d{1,3}\.\d{3}", value) for value in plain if "." in value
        )
        if ambiguous and comma_land:
            numbers = [float(value.replace(".", "")) for value in plain]
            return _format(numbers, ",", ".", False, 1.0, 0.6, values)
        return _format([float(value) for value in plain], ".", "", False, 1.0, 1.0, values)
    digits = [match["digits"].strip() for match in matches]
    currency = any(match["before"] or match["after"] for match in matches)
    decimal, thousands, sureness = _separators(digits, comma_land=comma_land)
    numbers = []
    for match, text in zip(matches, digits, strict=True):
        bare = re.sub(r"[^\d.,]", "", text)
        if thousands in (".", ","):
            bare = bare.replace(thousands, "")
        bare = bare.replace(",", ".")
        if PLAIN.fullmatch(bare):
            numbers.append(-float(bare) if _minus(match) else float(bare))
    if len(numbers) < 0.9 * len(values):
        return None
    minus = next((sign for match in matches if (sign := _minus(match)) not in ("", "before")), "")
    found = _format(numbers, decimal, thousands, currency, len(numbers) / len(values), sureness, values)
    return replace(found, minus=minus)


def _minus(match: re.Match[str]) -> str:
    """How a number says that it is below 0: `before`, `-` behind it, `()` around it; or nothing."""
    if match["sign"] == "(":
        return "()" if match["end"] == ")" else ""
    return "before" if match["sign"] == "-" else "-" if match["end"] == "-" else ""


def _format(
    numbers: list[float], decimal: str, thousands: str, currency: bool, share: float, sureness: float,
    values: Sequence[str],
) -> NumberFormat:  # fmt: skip
    sign = {".": "decimal point", ",": "decimal comma"}[decimal]
    whole = all(number == int(number) for number in numbers)
    longest = max(values, key=len)
    name = f"whole numbers, as {longest}" if whole and not thousands else f"{sign}, as {longest}"
    negative = sum(number < 0 for number in numbers) / len(numbers)
    return NumberFormat(
        name, decimal, thousands, currency, share, sureness * share, whole, negative, min(numbers), max(numbers)
    )


def _separators(digits: Sequence[str], *, comma_land: bool) -> tuple[str, str, float]:
    """The decimal sign, the thousands sign ('' if none), and how sure that is."""
    spaced = any(re.search(r"[ '\u00a0\u202f]", text) for text in digits)
    both = [text for text in digits if "." in text and "," in text]
    if both:
        comma = sum(text.rindex(",") > text.rindex(".") for text in both)
        return (",", ".", comma / len(both)) if comma > len(both) / 2 else (".", ",", 1 - comma / len(both))
    space = " " if spaced else ""
    for sign, other in ((",", "."), (".", ",")):
        used = [text for text in digits if sign in text]
        if used and any(not re.search(rf"{re.escape(sign)}\d{{3}}$", text) for text in used):
            return sign, space, 1.0
        if used and not any(other in text for text in digits):
            # 1,234 alone may be thousand two hundred and thirty-four, or one and a bit.
            if any(text.count(sign) > 1 for text in used) or any(re.match(r"[1-9]\d{0,2}\D\d{3}$", t) for t in used):
                several = any(text.count(sign) > 1 for text in used)
                if not several and comma_land == (sign == ","):
                    return sign, space, 0.55
                return other, sign, 1.0 if several else 0.55
            return sign, space, 0.9
    return (",", space, 0.9) if comma_land and not spaced else (".", space, 1.0)


def personal_kind(name_concepts: frozenset[str], values: Sequence[str]) -> tuple[str, float] | None:
    """What a column tells of a person (`email`, `phone`, `name`, `address`, `birth date`), and how sure that is.

    Args:
        name_concepts: of the column's name.
        values: some values; none empty.
    """
    shares = {"email": _share(EMAIL, values), "phone": _share(PHONE, values), "address": _share(STREET, values)}
    if shares["email"] >= 0.5:
        return "email", max(0.9, shares["email"])
    if "email" in name_concepts:
        return "email", 0.7
    if "phone" in name_concepts:
        return "phone", max(0.7, shares["phone"])
    if "birth" in name_concepts:
        return "birth date", 0.9
    if "given" in name_concepts and not name_concepts & {"time", "later_time"}:
        return "name", 0.9
    if {"customer", "name"} <= name_concepts:
        return "name", 0.9
    if "address" in name_concepts:
        return "address", max(0.8, shares["address"])
    if shares["phone"] >= 0.9 and any(not value.strip().isdigit() for value in values):
        return "phone", 0.6
    return None


def truth(values: Sequence[str]) -> tuple[str, ...] | None:
    """The delivered values that mean yes, where a column tells yes and no; else None."""
    seen = {value.strip().lower() for value in values}
    if not 1 < len(seen) <= 3 or not seen <= TRUE | FALSE or not seen & TRUE:
        return None
    return tuple(sorted(seen & TRUE))


def path_separator(values: Sequence[str]) -> str | None:
    """What parts the levels of a category tree that is written as a path, or None."""
    for sign in (" > ", " / ", " | ", " - ", ">", "|", "/", "\\"):
        if sum(sign in value for value in values) >= 0.6 * len(values) > 0:
            return sign
    return None


def _share(pattern: re.Pattern[str], values: Sequence[str]) -> float:
    return sum(bool(pattern.fullmatch(value.strip())) for value in values) / len(values) if values else 0.0
