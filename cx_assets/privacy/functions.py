"""Functions of Python that queries may use, on texts and remembering what they said.

Belongs here: giving them to DuckDB. Does not: what they do (`pseudonyms`, `screening`).
"""

from collections.abc import Callable

import duckdb
import pyarrow as pa
from duckdb.func import ARROW, SPECIAL
from duckdb.sqltypes import VARCHAR

REMEMBERED = 100_000


def let_use(connection: duckdb.DuckDBPyConnection, name: str, function: Callable[[str], str | None]) -> None:
    """Let queries on a connection call a function from a text to a text; null stays null.

    It is called once for a text that comes again and again. A column of texts that come once, such as the ids of
    baskets, doesn't fill the memory.

    Args:
        connection: may know another function by that name, which it then forgets.
        name: what queries call it.
        function: always the same answer to the same text.
    """
    answers: dict[str, str | None] = {}

    def answer(text: str | None) -> str | None:
        if text is None:
            return None
        if text not in answers:
            if len(answers) >= REMEMBERED:
                answers.clear()
            answers[text] = function(text)
        return answers[text]

    def vectorised(texts: pa.ChunkedArray) -> pa.Array:
        return pa.array([answer(text) for text in texts.to_pylist()], pa.string())

    if connection.execute("select 1 from duckdb_functions() where function_name = ?", [name]).fetchone():
        connection.remove_function(name)
    connection.create_function(name, vectorised, [VARCHAR], VARCHAR, type=ARROW, null_handling=SPECIAL)
