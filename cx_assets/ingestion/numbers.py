"""Numbers that are written as text: with a decimal comma, with grouped thousands.

Belongs here: the SQL that makes them numbers as SQL writes them. Does not: judging them (`warehouse`).
"""

import duckdb

# What may stand between groups of three digits: blanks, the apostrophe, and the mark that isn't the decimal one.
GROUPS = r" '\x{00a0}\x{202f}\x{2019}"
OTHER = {",": ".", ".": ","}


def plain_number(text: str, decimal: str) -> str:
    """SQL for a written number as SQL writes it: `1.234,50` with a decimal comma is `1234.50`.

    What is no number stays as it is. What is one only by the other mark, such as `12.5` where a comma is due, is told
    so in its text and then rejected as no number: a guess could be wrong by a factor of a thousand.

    Args:
        text: a SQL expression of type varchar.
        decimal: the decimal mark, `,` or `.`.
    """
    mark = rf"\{decimal}"
    number = rf"[+-]?(\d+|\d{{1,3}}([{GROUPS}\{OTHER[decimal]}]\d{{3}})+)({mark}\d*)?|[+-]?{mark}\d+"
    as_sql_says = number.replace("'", "''")
    return (
        f"case when regexp_full_match(trim({text}), '{as_sql_says}') "
        f"then replace(regexp_replace({text}, '[^0-9{decimal}+-]', '', 'g'), '{decimal}', '.') "
        f"when try_cast({text} as double) is not null then {text} || ' (not written with a decimal ''{decimal}'')' "
        f"else {text} end"
    )


def as_plain_number(expression: str, text: str, decimal: str) -> str:
    """SQL for `text`, an expression's value as text, as a plain number where the expression itself is text.

    What an expression has computed is a number already, with a decimal point.
    """
    return f"case when typeof({expression}) = 'VARCHAR' then {plain_number(text, decimal)} else {text} end"


def define_functions(connection: duckdb.DuckDBPyConnection) -> None:
    """Let expressions of a manifest use `decimal_comma(text)` and `decimal_point(text)`: the number, null if none."""
    for name, decimal in (("decimal_comma", ","), ("decimal_point", ".")):
        number = plain_number("cast(delivered as varchar)", decimal)
        connection.execute(f"create or replace temp macro {name}(delivered) as try_cast({number} as double)")
