"""Functions of Python that queries may use, on texts and remembering what they said.

Belongs here: giving them to DuckDB. Does not: what they do (`pseudonyms`, `screening`).
"""

from collections.abc import Callable

import duckdb
from duckdb.func import ARROW, SPECIAL
from duckdb.sqltypes import VARCHAR

REMEMBERED = 100_000


def let_use(connection: duckdb.DuckDBPyConnection, name: str, function: Callable[[str], str | None]) -> None:
    """Let queries on a connection call a function from a text to a text, for as long as it is open; null stays null.

    It is called once for a text that comes again and again. A column of texts that come once, such as the ids of
    baskets, doesn't fill the memory.

    Args:
        connection: knows no function by that name yet.
        name: what queries call it.
        function: always the same answer to the same text.
    """
    import pyarrow as pa

    answers: dict[str | None, str | None] = {None: None}

    def answer(text: str | None) -> str | None:
        if text not in answers:
            if len(answers) >= REMEMBERED:
                answers.clear()
                answers[None] = None
            answers[text] = function(str(text))
        return answers[text]

    def vectorised(texts: pa.ChunkedArray) -> pa.Array:
        # Of two thousand rows at a time, which is what DuckDB gives, most texts come more than once.
        coded = texts.combine_chunks().dictionary_encode()
        return pa.array([answer(text) for text in coded.dictionary.to_pylist()], pa.string()).take(coded.indices)

    connection.create_function(name, vectorised, [VARCHAR], VARCHAR, type=ARROW, null_handling=SPECIAL)


def can_use(connection: duckdb.DuckDBPyConnection, name: str) -> bool:
    """Whether queries on a connection may call a function of that name."""
    query = "select 1 from duckdb_functions() where function_name = ?"
    return connection.execute(query, [name]).fetchone() is not None
