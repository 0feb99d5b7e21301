"""Laws of connection strings: both ways to write one say the same, and no complaint repeats it."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cx_assets.ingestion.connection_string import parsed

WORDS = st.text(st.characters(min_codepoint=32, max_codepoint=382), min_size=1)


@given(user=WORDS, password=WORDS, database=WORDS)
def test_a_uri_and_words_say_the_same(user: str, password: str, database: str) -> None:
    who = f"{quote(user, '')}:{quote(password, '')}"
    uri = f"postgresql://{who}@db.example.org:5433/{quote(database, '')}?sslmode=require"
    told = {"host": "db.example.org", "port": "5433", "user": user, "password": password, "dbname": database}
    words = " ".join(
        f"{k}='{v.replace(chr(92), chr(92) * 2).replace(chr(39), chr(92) + chr(39))}'" for k, v in told.items()
    )
    expected = {"database" if name == "dbname" else name: value for name, value in told.items()}
    for text in (uri, f"{words} sslmode=require"):
        found = parsed(text, "postgres")
        assert found.secret == expected
        assert found.options == "sslmode=require"
        assert repr(found) == "ConnectionString(options='sslmode=require')"


@pytest.mark.parametrize(
    ("text", "kind", "complaint"),
    [
        ("mysql://u:canary@h/d", "postgres", "it should begin with postgresql://"),
        ("postgresql://u:canary@h:port/d", "postgres", "it should be postgresql://user:password@host:port/database"),
        ("host=h canary", "postgres", "it should be a URI, or words such as"),
        ("host=h sslpassword=canary", "postgres", "of secrets only the password itself is supported"),
    ],
)
def test_what_is_no_connection_string_is_refused_without_repeating_it(text: str, kind: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint) as told:
        parsed(text, kind)
    assert "canary" not in str(told.value)
