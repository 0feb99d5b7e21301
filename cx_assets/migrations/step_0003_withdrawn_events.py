"""From before events could be corrected, cancelled or returned: nothing was withdrawn.

Days are cleaned by what the table says, so it must be there before the next run of some of them.
"""

import duckdb


def upgrade(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the table, empty."""
    connection.execute("create schema if not exists warehouse")
    connection.execute(
        """
        create table if not exists warehouse.withdrawn_events (
            day date not null, outcome varchar not null, quantity double, value double,
            source_file varchar not null, source_row bigint not null,
            other_day date not null, other_file varchar not null, other_row bigint not null
        )
        """
    )
