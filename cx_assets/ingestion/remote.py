"""Files behind a URL: S3-compatible storage and HTTP, through DuckDB's own reader.

Belongs here: credentials for it, and finding out which files there are. Does not: reading rows (`formats`). Credentials
come from the environment alone, as AWS's own tools read them, and go nowhere but into DuckDB's secrets, which live in
memory and are told redacted.
"""

import os
from urllib.parse import urlsplit

import duckdb

from cx_assets.ingestion.extensions import load_extension
from cx_assets.source import SourceError, Url
from cx_assets.table.schema import literal

SECRETS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
NONE_MATCHES = ("No files found that match", "HTTP 404")


def reach(connection: duckdb.DuckDBPyConnection, url: str) -> None:
    """Make URLs of a kind readable on a connection.

    S3 reads AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION (or AWS_DEFAULT_REGION) and
    AWS_ENDPOINT_URL_S3 (or AWS_ENDPOINT_URL) from the environment; without keys a bucket has to be public.

    Raises:
        SourceError: if the extension is missing, or a key without the other is given.
    """
    load_extension(connection, "httpfs")
    if not url.startswith("s3://"):
        return
    settings = s3_settings(dict(os.environ))
    # Bound parameters: no statement, which an error could repeat, holds a key.
    names = ", ".join(f"{name} ${name}" for name in settings)
    connection.execute(f"create or replace temporary secret cx_s3 (type s3, {names})", settings)


def s3_settings(environment: dict[str, str]) -> dict[str, str | bool]:
    """What DuckDB's secret for S3 holds, from AWS's variables.

    Raises:
        SourceError: if one of the two keys is missing, or the endpoint is no URL.
    """
    key, secret, token = (environment.get(name) for name in SECRETS)
    if bool(key) != bool(secret):
        missing = SECRETS[1] if key else SECRETS[0]
        raise SourceError(f"the environment variable {missing} is not set, though the other key is. Set both or none.")
    region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or "us-east-1"
    settings: dict[str, str | bool] = {"region": region}
    if key and secret:
        settings |= {"key_id": key, "secret": secret} | ({"session_token": token} if token else {})
    if endpoint := environment.get("AWS_ENDPOINT_URL_S3") or environment.get("AWS_ENDPOINT_URL"):
        parts = urlsplit(endpoint)
        if parts.scheme not in ("http", "https") or not parts.netloc or "@" in parts.netloc:
            raise SourceError("AWS_ENDPOINT_URL must be a URL without a user, such as https://storage.example.org:9000")
        settings |= {"endpoint": parts.netloc, "use_ssl": parts.scheme == "https", "url_style": "path"}
    return settings


def listed(connection: duckdb.DuckDBPyConnection, url: str) -> dict[Url, list[int | str]]:
    """The files that a URL or glob means now, sorted, each with its size and when it was last modified.

    Raises:
        SourceError: if the server can't be reached or refuses; none of the credentials are repeated.
    """
    reach(connection, url)
    try:
        rows = connection.execute(
            f"select filename, size, cast(last_modified as varchar) from read_blob({literal(url)}) order by filename"
        ).fetchall()
    except duckdb.Error as error:
        if any(sign in str(error) for sign in NONE_MATCHES):
            return {}
        raise SourceError(f"{shown(url)} can't be reached: {without_secrets(str(error)).splitlines()[0]}") from None
    return {Url(name): [size, modified or ""] for name, size, modified in rows}


def shown(url: str) -> str:
    """A URL without its query, which may hold a signature."""
    return url.partition("?")[0] if url.startswith("http") else url


def without_secrets(text: str) -> str:
    """A text without the credentials for S3, should it hold any."""
    for name in SECRETS:
        if value := os.environ.get(name):
            text = text.replace(value, f"${{{name}}}")
    return text
