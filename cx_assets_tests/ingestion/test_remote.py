"""Laws of files behind a URL: a real web server, and a real S3-compatible one."""

import gzip
import urllib.request
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import pytest

from cx_assets.ingestion.changes import changes
from cx_assets.ingestion.fitting import problems
from cx_assets.ingestion.remote import s3_settings
from cx_assets.source import SourceError
from cx_assets_tests.ingestion.sources import events, shop
from cx_assets_tests.servers import http, s3

pytestmark = pytest.mark.whole

CSV = "day,who,what,n,price\n2024-03-01,ann,tea,1,2\n2024-03-05,bob,tea,1,2\n"
KEYS = {"AWS_ACCESS_KEY_ID": "CANARYKEYID", "AWS_SECRET_ACCESS_KEY": "canary/secret", "AWS_REGION": "eu-central-1"}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder and its address on the web."""
    (tmp_path / "site").mkdir()
    with http(tmp_path / "site") as address:
        yield tmp_path / "site", address


def test_files_at_urls_are_read_and_told_without_their_query(
    connection: duckdb.DuckDBPyConnection, site: tuple[Path, str], tmp_path: Path
) -> None:
    folder, address = site
    (folder / "a.csv").write_text(CSV, "utf-8")
    (folder / "b.csv.gz").write_bytes(gzip.compress(CSV.encode()))
    row = "select '2024-03-02' as day, 'cay' as who, 'x' as what, 1 as n, 2 as price"
    connection.execute(f"copy ({row}) to '{folder}/c.parquet'")
    dataset = shop(
        tmp_path,
        f"{{url: '{address}/a.csv?signature=canary', format: csv}}",
        f"{{url: '{address}/b.csv.gz', format: csv}}",
        f"{{url: '{address}/c.parquet', format: parquet}}",
    )
    assert problems(dataset) == []
    assert events(connection, dataset, "source_file", "source_row", "customer_id") == [
        (f"{address}/a.csv", 1, "ann"),
        (f"{address}/a.csv", 2, "bob"),
        (f"{address}/b.csv.gz", 1, "ann"),
        (f"{address}/b.csv.gz", 2, "bob"),
        (f"{address}/c.parquet", 1, "cay"),
    ]


def test_a_look_finds_the_days_of_a_file_that_has_changed_on_its_server(site: tuple[Path, str], tmp_path: Path) -> None:
    folder, address = site
    (folder / "a.csv").write_text(CSV, "utf-8")
    dataset = shop(tmp_path, f"{{url: '{address}/a.csv', format: csv}}")
    first = changes(dataset, {})
    assert first.days == [date(2024, 3, 1), date(2024, 3, 5)]
    assert changes(dataset, first.state).changed == {}
    (folder / "a.csv").write_text(CSV + "2024-03-09,cay,tea,1,2\n", "utf-8")
    assert changes(dataset, first.state).days == [date(2024, 3, day) for day in (1, 5, 9)]


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("gone.csv", None, "no file at {address}/gone.csv. Put the file there or correct 'url'."),
        ("bad.csv", b"day,who,what,n,price\n2024-03-01,M\xfcller,x,1,2\n", "bad.csv can't be read as csv: "),
        ("bad.jsonl", b'{"day": "M\xfcller"}\n', "invalid UTF-8"),
        ("bad.parquet", b"no parquet at all", "No magic bytes"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_file_at_a_url_is_told_by_line(
    site: tuple[Path, str], tmp_path: Path, name: str, content: bytes | None, complaint: str
) -> None:
    folder, address = site
    if content is not None:
        (folder / name).write_bytes(content)
    (told,) = problems(shop(tmp_path, f"{{url: '{address}/{name}', format: {name.partition('.')[2]}}}"))
    assert told.startswith("shop.yaml:6: events.0.source: ")
    assert complaint.format(address=address) in told


def test_a_server_that_is_not_there_is_told(tmp_path: Path) -> None:
    (told,) = problems(shop(tmp_path, "{url: 'http://127.0.0.1:1/a.csv', format: csv}"))
    assert "events.0.source: http://127.0.0.1:1/a.csv can't be reached: IO Error: Could not connect to server" in told


def test_the_secret_of_s3_is_made_of_awss_variables() -> None:
    endpoint = {"AWS_ENDPOINT_URL": "https://storage.example.org:9000", "AWS_SESSION_TOKEN": "t"}
    assert s3_settings(KEYS | endpoint) == {
        "region": "eu-central-1", "key_id": "CANARYKEYID", "secret": "canary/secret", "session_token": "t",
        "endpoint": "storage.example.org:9000", "use_ssl": True, "url_style": "path",
    }  # fmt: skip
    assert s3_settings({}) == {"region": "us-east-1"}
    with pytest.raises(SourceError, match="AWS_SECRET_ACCESS_KEY is not set, though the other key is"):
        s3_settings({"AWS_ACCESS_KEY_ID": "CANARYKEYID"})
    with pytest.raises(SourceError, match="AWS_ENDPOINT_URL must be a URL without a user") as told:
        s3_settings({"AWS_ENDPOINT_URL": "https://user:canary@storage.example.org"})
    assert "canary" not in str(told.value)


def test_a_bucket_is_globbed_read_and_looked_at_and_no_key_is_told(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = shop(tmp_path, "{url: 's3://shop/orders/*/*.parquet', format: parquet}")
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    with s3() as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        (told,) = problems(dataset)
        assert "canary" not in told.lower()
        _put(address, "shop", None, b"")
        (told,) = problems(dataset)
        assert told.endswith("no file at s3://shop/orders/*/*.parquet. Put the file there or correct 'url'.")
        for day in (1, 2):
            row = f"select 'ann' as who, 'tea' as what, {day} as n, 2.5 as price"
            connection.execute(f"copy ({row}) to '{tmp_path}/part.parquet'")
            _put(address, "shop", f"orders/day=2024-03-0{day}/part.parquet", (tmp_path / "part.parquet").read_bytes())
        assert problems(dataset) == []
        assert events(connection, dataset, "source_file", "occurred_at", "quantity") == [
            ("s3://shop/orders/day=2024-03-01/part.parquet", "2024-03-01", "1"),
            ("s3://shop/orders/day=2024-03-02/part.parquet", "2024-03-02", "2"),
        ]
        assert changes(dataset, {}).days == [date(2024, 3, 1), date(2024, 3, 2)]


def _put(address: str, bucket: str, key: str | None, content: bytes) -> None:
    """Make a bucket, or put a file into it."""
    target = f"{address}/{bucket}" + (f"/{key}" if key else "")
    # The server under test asks for a signature's form only.
    credential = "AWS4-HMAC-SHA256 Credential=k/20240301/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=s"
    headers = {"Authorization": credential, "Content-Type": "application/octet-stream"}
    request = urllib.request.Request(target, content, headers, method="PUT")
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 200
