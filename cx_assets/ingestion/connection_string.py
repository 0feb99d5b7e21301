"""Connection strings of PostgreSQL and MySQL, taken apart.

Belongs here: the two ways to write them, as a URI and as `key=value` words. Does not: connecting (`databases`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

# What DuckDB's secrets for databases hold, by the names that connection strings use.
NAMES = {
    "host": "host", "hostaddr": "host", "port": "port", "user": "user", "password": "password", "passwd": "password",
    "dbname": "database", "database": "database", "db": "database", "unix_socket": "socket", "socket": "socket",
}  # fmt: skip
SCHEMES = {"postgres": ("postgres", "postgresql"), "mysql": ("mysql", "mariadb")}
WORD = re.compile(r"\s*(\w+)\s*=\s*('(?:[^'\\]|\\.)*'|[^\s']\S*)(?:\s+|$)")


@dataclass(frozen=True)
class ConnectionString:
    """A connection string in parts.

    Attributes:
        secret: host, port, user, password and database, for DuckDB's secret.
        options: all else, such as sslmode, for its `attach`; nothing that has to be kept secret.
    """

    secret: Mapping[str, str] = field(repr=False)
    options: str = ""

    def without_secrets(self, text: str) -> str:
        """A text without the password, should it hold it."""
        password = self.secret.get("password")
        return text.replace(password, "***") if password else text


def parsed(text: str, kind: str) -> ConnectionString:
    """A connection string in parts.

    Args:
        text: a URI, `postgresql://user:password@host:port/database?sslmode=require`, or words, `host=... user=...`.
        kind: `postgres` or `mysql`.

    Raises:
        ValueError: if it is neither; nothing of it is repeated.
    """
    words = _of_uri(text, SCHEMES[kind]) if "://" in text else _of_words(text)
    secret = {NAMES[name]: value for name, value in words.items() if name in NAMES and value}
    rest = {name: value for name, value in words.items() if name not in NAMES}
    if any("pass" in name or "secret" in name for name in rest):
        raise ValueError("of secrets only the password itself is supported")
    options = " ".join(f"{name}={_word(value)}" for name, value in rest.items())
    return ConnectionString(secret, options)


def _of_uri(text: str, schemes: tuple[str, ...]) -> dict[str, str]:
    try:
        parts = urlsplit(text.strip())
        port = parts.port
    except ValueError:
        raise ValueError(f"it should be {schemes[-1]}://user:password@host:port/database") from None
    if parts.scheme not in schemes:
        raise ValueError(f"it should begin with {schemes[-1]}://")
    told = {"host": parts.hostname, "user": parts.username, "password": parts.password, "dbname": parts.path[1:]}
    words = {name: unquote(value) for name, value in told.items() if value}
    return words | ({"port": str(port)} if port else {}) | dict(parse_qsl(parts.query))


def _of_words(text: str) -> dict[str, str]:
    words, position = {}, 0
    while position < len(text.rstrip()):
        found = WORD.match(text, position)
        if found is None:
            raise ValueError("it should be a URI, or words such as host=localhost user=shop password=... dbname=shop")
        value = found[2]
        words[found[1]] = re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith("'") else value
        position = found.end()
    return words


def _word(value: str) -> str:
    """A value as a word of a connection string."""
    if re.fullmatch(r"[\w./:-]+", value):
        return value
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
