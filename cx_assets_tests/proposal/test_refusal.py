"""Files without events are refused with what is missing, and orders apart from their lines with what joins them."""

import os
import re
import shlex
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from cx_assets.proposal.delivered import DeliveryError, files_named
from cx_assets.proposal.guesses import LIKELY
from cx_assets.proposal.proposing import proposed
from cx_assets_tests.processes import PATIENCE, ROOT

ORDERS = 60
LINES = 150


def refused(folder: Path) -> str:
    """What is told of the files in a folder."""
    with pytest.raises(DeliveryError) as told:
        proposed("my_shop", files_named([str(folder)]))
    return str(told.value)


def write_orders(
    folder: Path, key: str = "order_id", sign: str = ",", encoding: str = "utf-8", line_key: str = "order_id"
) -> None:
    """Orders of six months, two of which have a column more, one order delivered twice, and their lines."""
    folder.mkdir(exist_ok=True)
    for month in range(1, 7):
        header = [key, "customer_id", "ordered_at", "town", *(["voucher"] if month > 4 else [])]
        numbers = [n for n in range(ORDERS) if n % 6 == month - 1]
        rows = [
            [f"#{n}", f"c{n % 7}", f"2025-0{month}-{n % 28 + 1:02} 10:00", "Köln", *(["V"] if month > 4 else [])]
            for n in [numbers[0], *numbers]
        ]
        text = "\n".join(sign.join(row) for row in [header, *rows])
        (folder / f"orders_2025-0{month}.csv").write_text(f"{text}\n", encoding)
    # Some lines name an order that was never delivered.
    for part in range(3):
        rows = [[f"#{n % (ORDERS + 1)}", f"p{n % 9}", "1"] for n in range(part, LINES, 3)]
        text = "\n".join(sign.join(row) for row in [[line_key, "product_id", "quantity"], *rows])
        (folder / f"order_lines_{part}.csv").write_text(f"{text}\n", encoding)


def run_printed(text: str, folder: Path) -> str:
    """Run the command that was printed in a shell, with no program but this Python, and return what it prints."""
    (command,) = re.findall(r"^  (python -c .*)$", text, re.MULTILINE)
    programs = folder / "bin"
    programs.mkdir()
    (programs / "python").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n', "utf-8")
    (programs / "python").chmod(0o755)
    done = subprocess.run(
        ["/bin/sh", "-c", command], cwd=folder, capture_output=True, text=True, timeout=PATIENCE,
        env={**os.environ, "PATH": str(programs), "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]  # after a bar of progress, where it takes two seconds


@pytest.mark.parametrize("place", ["exports", "my shop's $exports"])
def test_the_printed_command_joins_every_head_file_and_keeps_every_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    write_orders(tmp_path / place)
    monkeypatch.chdir(tmp_path)
    text = refused(tmp_path / place)
    assert f"{place}/orders_*.csv" in text.replace("'\"'\"'", "'")
    assert run_printed(text, tmp_path) == f"{LINES} lines, {LINES} written"
    proposal, _ = proposed("my_shop", files_named([f"{place}/joined_order_lines.parquet"]))
    (events,) = proposal.sources
    assert {"occurred_at", "customer_id", "item_id"} <= {guess.key for guess in events.guesses if guess.columns}
    found = duckdb.read_parquet(str(tmp_path / place / "joined_order_lines.parquet"))
    # All six months are there; of an order that is in no file the line is kept, for the run to reject with a reason.
    assert found.aggregate(
        "count(distinct month(ordered_at::timestamp)), count(*) filter (customer_id is null)"
    ).fetchall() == [(6, sum(n % (ORDERS + 1) == ORDERS for n in range(LINES)))]


@pytest.mark.parametrize(
    ("key", "line_key", "sign", "encoding"),
    [
        ("id", "order_id", ",", "utf-8"),
        ("order_id", "order_id", ";", "windows-1252"),
        ("order no", "order no", "\t", "utf-8"),
    ],
)
def test_the_command_reads_the_files_as_they_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, line_key: str, sign: str, encoding: str
) -> None:
    write_orders(tmp_path / "exports", key, sign, encoding, line_key)
    monkeypatch.chdir(tmp_path)
    assert run_printed(refused(tmp_path / "exports"), tmp_path) == f"{LINES} lines, {LINES} written"
    joined = duckdb.read_parquet(str(tmp_path / "exports" / "joined_order_lines.parquet"))
    assert joined.filter("town = 'Köln'").shape[0] > LINES / 2


def test_returns_beside_them_are_no_lines_of_orders(tmp_path: Path) -> None:
    write_orders(tmp_path)
    rows = "".join(f"{n},#{n % 60},p{n % 9},2025-07-01 10:00:00.000,a very long reason\n" for n in range(LINES))
    (tmp_path / "returns.csv").write_text(f"return_id,order_id,product_id,returned_at,reason\n{rows}", "utf-8")
    told = refused(tmp_path)
    assert "orders_*.csv seems to hold orders and order_lines_*.csv their lines" in told
    assert "Not joined, though orders are named there too: returns.csv." in told


@pytest.mark.parametrize(
    ("header", "missing"),
    [
        ("customer_id,sku,colour", "it has customer_id and sku, and is missing when (no column holds times or days)"),
        (
            "sold_at,sku,colour",
            "it has sold_at and sku, and is missing who (no column looks like the id of a customer)",
        ),
        ("sold_at,colour,customer_id", "is missing what (no column looks like the id of an item)"),
    ],
)
def test_the_likeliest_file_is_told_with_what_it_is_missing(tmp_path: Path, header: str, missing: str) -> None:
    days = [date(2025, 1, 1) + timedelta(n // 3) for n in range(90)]
    cells = [
        {"customer_id": f"c{n % 7}", "sku": f"p{n % 9}", "sold_at": str(day), "colour": "red"}
        for n, day in enumerate(days)
    ]
    rows = [",".join(row[name] for name in header.split(",")) for row in cells]
    (tmp_path / "sold.csv").write_text("\n".join([header, *rows]) + "\n", "utf-8")
    (tmp_path / "notes.csv").write_text("a,b\nx,y\nz,w\n", "utf-8")
    told = refused(tmp_path)
    assert "The likeliest is sold.csv: " in told
    assert missing in told


def test_a_column_that_is_outright_called_an_id_is_taken_though_it_has_one_value_and_unsure(tmp_path: Path) -> None:
    rows = "".join(f"c1,p{n % 9},{date(2025, 1, 1) + timedelta(n // 3)}\n" for n in range(90))
    (tmp_path / "sold.csv").write_text(f"customer_id,sku,sold_at\n{rows}", "utf-8")
    proposal, _ = proposed("my_shop", files_named([str(tmp_path)]))
    guess = proposal.of("events")[0].guess("customer_id")
    assert guess is not None
    assert (guess.expression, guess.sureness < LIKELY) == ("customer_id", True)
    assert "All rows that were looked at have the same." in guess.check
