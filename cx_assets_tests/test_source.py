"""Laws of what a manifest may say of a source."""

import pytest
from pydantic import ValidationError

from cx_assets.source import Source

DATABASE = {"kind": "postgres", "connection": "${SHOP_DSN}", "table": "orders"}


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ({"format": "csv"}, "give one of files, url and database"),
        ({"files": "a.csv", "url": "https://h/a.csv", "format": "csv"}, "give one of files, url and database"),
        ({"files": "a.csv"}, "format: say how the files are written: parquet, csv, jsonl or excel"),
        ({"database": DATABASE, "format": "csv"}, "format: a database has none; leave it out"),
        ({"files": "a.csv", "format": "csv", "sheet": "x"}, "sheet: only Excel files have sheets"),
        ({"package": "p", "url": "https://h/a.csv", "format": "csv"}, "a package has files: give 'files'"),
        ({"files": "a.csv", "format": "csv", "encoding": "windows-1525"}, "Did you mean 'windows-1252'?"),
        ({"files": "a.csv", "format": "csv", "encoding": "rot13"}, "'rot13' is no encoding that can be read"),
        ({"url": "ftp://h/a.csv", "format": "csv"}, "a URL begins with s3://, https:// or http://"),
        ({"url": "https://u:canary@h/a.csv", "format": "csv"}, "a URL may not hold a user or a password"),
        ({"url": "https://h/*.csv", "format": "csv"}, "HTTP can't list files"),
        ({"database": DATABASE | {"query": "select 1"}}, "give either table or query"),
        ({"database": DATABASE | {"table": None}}, "give either table or query"),
        ({"database": DATABASE | {"connection": "postgresql://u:canary@h/d"}}, "name the environment variable that"),
        ({"database": DATABASE | {"connection": "host=h password=canary"}}, "name the environment variable that"),
        ({"database": DATABASE | {"connection": "shop"}}, "connection: name the environment variable that holds it"),
    ],
)
def test_a_source_that_cannot_be_meant_is_refused(source: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValidationError) as told:
        Source.model_validate(source)
    messages = [error["msg"] for error in told.value.errors()]
    assert any(complaint in message for message in messages), messages
    assert "canary" not in str(told.value)


@pytest.mark.parametrize("encoding", ["utf-8", "UTF8", "latin-1", "Windows-1252", "cp1252", "iso-8859-15", "koi8-r"])
def test_an_encoding_may_be_called_by_any_of_its_names(encoding: str) -> None:
    assert Source(files="a.csv", format="csv", encoding=encoding).encoding == encoding
