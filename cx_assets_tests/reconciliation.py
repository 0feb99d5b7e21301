"""Whether every delivered event is accounted for, asked of stored or published tables by SQL of its own.

Belongs here: the law that nothing is lost, which every run over all days of a dataset in the tests has to keep
(`runs.load_shop`, `whole_shop.execute`). Does not: the project's own check of it (`warehouse.checks`), which this
shares no query with.
"""

from pathlib import Path
from typing import Any

import duckdb

LAWS = {
    "days that don't add up: raw = clean + duplicates + rejected + withdrawn": """
        select day, sum(raw), sum(clean), sum(rejected), sum(withdrawn) from (
            select day, 1 as raw, 0 as clean, 0 as rejected, 0 as withdrawn from ingestion.raw_events
            union all select day, 0, copies, 0, 0 from warehouse.events
            union all select day, 0, 0, 1, 0 from warehouse.rejected_events
            union all select day, 0, 0, 0, 1 from warehouse.withdrawn_events where outcome <> 'reduced'
        ) group by day having sum(raw) <> sum(clean) + sum(rejected) + sum(withdrawn) order by day
    """,
    "clean, rejected or withdrawn rows that were never delivered": """
        select day, source_file, source_row from warehouse.events
        union all select day, source_file, source_row from warehouse.rejected_events
        union all select day, source_file, source_row from warehouse.withdrawn_events where outcome <> 'reduced'
        except all select day, source_file, source_row from ingestion.raw_events
    """,
    "rows that are clean and rejected": """
        select source_file, source_row from warehouse.events
        intersect select source_file, source_row from warehouse.rejected_events
    """,
    "rejected rows that aren't told as they were delivered": """
        select source_file, source_row, occurred_at, item_id, event_type, quantity, value, rating
        from warehouse.rejected_events
        except all select source_file, source_row, occurred_at, item_id, event_type, quantity, value, rating
        from ingestion.raw_events
    """,
    "rejected rows without a reason": "select * from warehouse.rejected_events where coalesce(reason, '') = ''",
}


def unaccounted(database: Path) -> dict[str, list[tuple[Any, ...]]]:
    """The rows that break a law, by law; empty where every delivered event is accounted for.

    Args:
        database: a working or published database that nobody writes.
    """
    with duckdb.connect(str(database), read_only=True) as connection:
        found = {law: connection.execute(query).fetchall() for law, query in LAWS.items()}
    return {law: rows for law, rows in found.items() if rows}
