"""How files are written, which belong together, and what is said of those that can't be used."""

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest
import yaml
from openpyxl import Workbook, load_workbook
from typer.testing import CliRunner

from cx_assets.cli import app
from cx_assets.dataset import load_dataset
from cx_assets.diagnosis.trial import tried_out
from cx_assets.proposal.delivered import DeliveryError, encoding_guess, files_named, looked_at
from cx_assets.proposal.groups import grouped
from cx_assets.proposal.manifest_text import manifest_text
from cx_assets.proposal.proposing import proposed
from cx_assets.settings import Settings
from cx_assets.source import Source


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Müller; Straße; 5 €", "windows-1252"),
        ("Crêpes à la carte; façade, déjà", "windows-1252"),
        ("Müller; Straße", "utf-8"),
        ("Šárka; řepa; člověk; žluť", "windows-1250"),
        ("Привет; товар", "windows-1251"),
        ("Müller; Straße", "utf-16"),
        ("Mueller", "ascii"),
    ],
)
def test_an_encoding_is_told_by_its_bytes(text: str, encoding: str) -> None:
    page = "utf-8" if encoding == "ascii" else encoding
    guess, sureness = encoding_guess((text + "\n").encode(page) * 20)
    assert guess == encoding
    # Of a page that only letters speak for nobody can be sure.
    assert sureness >= 0.85 or encoding in ("windows-1250", "windows-1251")


def test_a_character_cut_at_the_end_of_what_was_read_is_no_other_encoding() -> None:
    assert encoding_guess("Müller ü".encode()[:-1]) == ("utf-8", 1.0)


def globs(folder: Path, names: list[str], header: str = "a,b") -> list[str]:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"{header}\n1,2\n", "utf-8")
    return [group.glob for group in grouped([looked_at(folder / name) for name in names], folder)]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["orders_2025-01.csv", "orders_2025-02.csv"], ["orders_*.csv"]),
        (["orders_2024-12.csv", "orders_2025-01.csv"], ["orders_*.csv"]),
        (["orders-jan.csv", "orders-feb.csv"], ["orders-*.csv"]),
        (["2025/01/sales.csv", "2025/02/sales.csv"], ["2025/*/sales.csv"]),
        (["day=2025-01-01/p.csv", "day=2025-01-02/p.csv"], ["day=*/p.csv"]),
        (["alone.csv"], ["alone.csv"]),
    ],
)
def test_files_of_one_header_become_one_glob(tmp_path: Path, names: list[str], expected: list[str]) -> None:
    assert globs(tmp_path, names) == expected


def test_a_glob_matches_no_file_of_another_header(tmp_path: Path) -> None:
    (tmp_path / "orders_old.csv").write_text("x,y\n1,2\n", "utf-8")
    files = ["orders_2025-01.csv", "orders_2025-02.csv"]
    for name in files:
        (tmp_path / name).write_text("a,b\n1,2\n", "utf-8")
    found = grouped([looked_at(tmp_path / name) for name in ["orders_old.csv", *files]], tmp_path)
    assert [group.glob for group in found] == ["orders_[0-9]*.csv", "orders_old.csv"]


def test_files_of_unlike_names_and_no_common_glob_stay_apart(tmp_path: Path) -> None:
    assert globs(tmp_path, ["web.csv", "till.csv"]) == ["till.csv", "web.csv"]


def test_a_pattern_that_names_nothing_is_told(tmp_path: Path) -> None:
    with pytest.raises(DeliveryError, match="there is no such file"):
        files_named([str(tmp_path / "*.csv")])
    (tmp_path / "a.doc").write_text("x", "utf-8")
    with pytest.raises(DeliveryError, match="not a kind of file that can be read"):
        files_named([str(tmp_path / "a.doc")])


def test_a_database_is_answered_with_the_source_that_reads_it(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
        connection.execute("create table sales (line_id integer primary key)")
    for pattern in (tmp_path, tmp_path / "shop.db"):
        with pytest.raises(DeliveryError) as told:
            files_named([str(pattern)])
        (source,) = re.findall(r"source: (\{.*\}\})\.", str(told.value))
        declared = Source.model_validate(yaml.safe_load(source))
        assert declared.database is not None
        assert (declared.database.connection, declared.database.table) == ("shop.db", "sales")
        assert "cx_assets/datasets/template.yaml" in str(told.value)
        assert "data/README.md" in str(told.value)


def test_the_help_tells_what_every_argument_is() -> None:
    told = CliRunner().invoke(app, ["init", "--help"]).output
    assert "a dataset NAME" in told
    assert "MORE are further files" in told


def sheet(path: Path, day: Callable[[date], object], clock: Callable[[time], object]) -> None:
    """A workbook of sales with its days as cells of Excel's own, and the time of day apart."""
    book = Workbook()
    page = book.active
    assert page is not None
    page.append(["line_id", "sold_on", "sold_time", "customer_code", "article", "qty", "line_total"])
    for n in range(120):
        moment = datetime(2025, 2, 1, 8 + n % 9, 15) + timedelta(days=n // 5)
        page.append(
            [n + 1, day(moment.date()), clock(moment.time()), f"K{n % 13}", 100 + n % 17, n % 3 + 1, n % 17 + 1.5]
        )
    book.save(path)


@pytest.mark.parametrize("day", [lambda day: day, lambda day: datetime.combine(day, time()), str])
@pytest.mark.parametrize("clock", [lambda clock: f"{clock:%H:%M}", lambda clock: clock])
def test_days_of_a_sheet_are_read_with_their_time_of_day_from_another_column(
    tmp_path: Path, day: Callable[[date], object], clock: Callable[[time], object]
) -> None:
    sheet(tmp_path / "sales.xlsx", day, clock)
    proposal, _ = proposed("my_shop", files_named([str(tmp_path)]))
    manifest = tmp_path / "my_shop.yaml"
    manifest.write_text(manifest_text(proposal), "utf-8")
    with tried_out(load_dataset(str(manifest)), Settings()) as trial:
        times = trial.tables["events"].df()["occurred_at"]
    assert (len(times), times.min(), times.max()) == (120, datetime(2025, 2, 1, 8, 15), datetime(2025, 2, 24, 16, 15))


def test_every_sheet_of_a_workbook_is_looked_at(tmp_path: Path) -> None:
    sheet(tmp_path / "sales.xlsx", lambda day: day, lambda clock: clock)
    book = load_workbook(tmp_path / "sales.xlsx")
    sales = book.worksheets[0]
    sales.title = "Sales & returns"
    sales.insert_rows(1, 2)
    sales["A1"] = "Our sales"
    book.create_sheet("Read me", 0).append(["made by hand"])
    articles = book.create_sheet("Articles")
    for row in (["article", "name", "group"], *([100 + n, f"Tea {n}", f"shelf {n % 3}"] for n in range(17))):
        articles.append(row)
    book.save(tmp_path / "sales.xlsx")
    proposal, _ = proposed("my_shop", files_named([str(tmp_path)]))
    assert [source.group.name for source in proposal.sources] == ["sales.xlsx#Sales & returns", "sales.xlsx#Articles"]
    assert [name for name, _ in proposal.unused] == ["sales.xlsx#Read me"]
    manifest = tmp_path / "my_shop.yaml"
    manifest.write_text(manifest_text(proposal), "utf-8")
    with tried_out(load_dataset(str(manifest)), Settings()) as trial:
        assert trial.tables["events"].count() == 120


def test_a_file_without_a_header_is_doubted(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("1001,2025-01-01,5\n1002,2025-01-02,6\n", "utf-8")
    (doubt,) = looked_at(tmp_path / "a.csv").doubts
    assert "its first line looks like data (1001,2025-01-01,5)" in doubt


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.csv", b"", "a.csv: the file is empty"),
        ("a.parquet", b"no parquet", "a.parquet: can't be read as parquet"),
        ("a.csv.gz", b"no gzip", "a.csv.gz: can't be read as csv"),
        ("a.jsonl", b"{oops\n", "a.jsonl: can't be read as jsonl"),
        ("a.json", b'[\n{"a": 1}\n]\n', "a.json: it is one array. Save it as one object a line: jq -c"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_told(tmp_path: Path, name: str, data: bytes, words: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(DeliveryError, match=words):
        looked_at(tmp_path / name)


def test_columns_that_say_nothing_are_not_guessed_at(tmp_path: Path) -> None:
    rows = "".join(f"{n % 7},{n % 9},{n % 5}\n" for n in range(100))
    (tmp_path / "a.csv").write_text(f"f1,f2,f3\n{rows}", "utf-8")
    with pytest.raises(DeliveryError, match=r"a\.csv: f1, f2, f3"):
        proposed("my_shop", files_named([str(tmp_path)]))


def test_a_file_called_json_is_read_line_by_line(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"sku": 1}\n{"sku": 2, "name": "tea"}\n', "utf-8")
    (found,) = files_named([str(tmp_path)])
    assert (looked_at(found).format, looked_at(found).columns) == ("jsonl", ("sku", "name"))
