"""Rows of many days in pieces that fit into memory, however many days a run has.

Belongs here: where to cut. Does not: what is made of a piece (`cleaning`).
"""

from datetime import date
from itertools import pairwise

from cx_assets.table import Table, sql


def pieces(rows: Table, at_most: int) -> list[Table]:
    """Rows with a column `day` as stretches of whole days, in order, each of so many rows or of one day.

    There is one at least, also of no rows.
    """
    counts = sql("select day, count(*) from days group by day order by day", days=rows).fetchall()
    firsts, total = [date.min], 0
    for day, count in counts:
        if total and total + count > at_most:
            firsts.append(day)
            total = 0
        total += count
    return [
        sql(f"select * from days where day >= date '{first}' and day < date '{end}'", days=rows)
        for first, end in pairwise([*firsts, date.max])
    ]
