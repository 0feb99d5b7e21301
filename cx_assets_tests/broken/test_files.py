"""Every way in which a file of events can't be read: what a run says of it, and that all is as it was before."""

import gzip
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest

from cx_assets.dataset import load_dataset
from cx_assets.ingestion.fitting import problems
from cx_assets_tests.broken.sound import COLUMNS, HEADER, SoundShop, event, lines, write_sound
from cx_assets_tests.broken.spoiling import Kind, a_folder, a_link, cut, damaged, holding, with_line, workbook
from cx_assets_tests.runs import error_of, failed

pytestmark = pytest.mark.whole

FAR = lines() * 5_000
OBJECT = json.dumps(dict(zip(COLUMNS, event(1), strict=True))) + "\n"


GONE = "no file matches 'till.csv' in shop. Put the file there or correct 'files'."
NOT_UTF_8 = "is not UTF-8. Save the file as UTF-8 or state its encoding under 'source'."
HEADER_8 = "its header 8. Correct the line; a value with the delimiter ',' in it needs double quotes."
KEPT = "Nothing was written; the rows of before are intact."
NO_OBJECT = 'is no object. Each line is one row, as {"key": value, ...}.'
AN_ARRAY = "begins an array. Write one object a line, without brackets around them and commas between."
NO_PARQUET = "old.parquet can't be read as parquet: Invalid Input Error: No magic bytes found at end of file"
OPEN = "opens quotes that are never closed. Close them, or double them as text."

TILL = [
    Kind("it was not delivered", GONE, Path.unlink),
    Kind("it is a link to a file that is gone", GONE, a_link),
    Kind("it is a folder", "'till.csv' in shop is a folder. Name its files, such as 'till.csv/*'.", a_folder),
    Kind(
        "it is written in Windows-1252",
        f"till.csv: line 2 {NOT_UTF_8}",
        holding((HEADER + "2024-03-01,Zoë,w1,purchase,7,1,2,\n").encode("cp1252")),
    ),
    Kind("it is written in UTF-16", f"till.csv: line 1 {NOT_UTF_8}", holding(HEADER.encode("utf-16"))),
    Kind("it is a picture", f"till.csv: line 1 {NOT_UTF_8}", holding(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\xff\xfe")),
    Kind("it is compressed, and not by its name", f"till.csv: line 1 {NOT_UTF_8}", holding(gzip.compress(b"at,who"))),
    Kind(
        "a line has too few fields",
        f"till.csv: line 5 has 3 fields, {HEADER_8}",
        with_line("2024-03-01,c1,w1\n"),
    ),
    Kind(
        "a line has too many fields, such as by a decimal comma",
        f"till.csv: line 5 has 9 fields, {HEADER_8}",
        with_line("2024-03-01,c1,w1,purchase,7,1,2,50,\n"),
    ),
    Kind(
        "a line far down has too few fields",
        f"till.csv: line 30002 has 2 fields, {HEADER_8}",
        with_line("2024-03-01,c1\n", FAR),
    ),
    Kind(
        "a line far down has too few fields and another has quotes",
        f"till.csv: line 30003 has 2 fields, {HEADER_8} {KEPT}",
        with_line('2024-03-01,"c1",w1,purchase,7,1,2,\n2024-03-01,c1\n', FAR),
    ),
    Kind(
        "a line has another delimiter",
        f"till.csv: line 5 has 1 field, {HEADER_8}",
        with_line(lines(7, 1)[0].replace(",", ";")),
    ),
    Kind(
        "its last line was cut off",
        f"till.csv: line 7 has 4 fields, {HEADER_8}",
        holding((HEADER + "".join(lines()))[:-17]),
    ),
    Kind(
        "a line is zero bytes, as after a crash",
        f"till.csv: line 5 has 1 field, {HEADER_8}",
        with_line("\0" * 300 + "\n"),
    ),
    Kind("quotes are never closed", f"till.csv: line 5 {OPEN}", with_line('2024-03-01,"c1,w1,purchase,7,1,2.50,\n')),
    Kind(
        "quotes far down are never closed",
        f"till.csv: line 30002 {OPEN} {KEPT}",
        with_line('2024-03-01,"c1,w1,purchase,7,1,2.50,\n', FAR),
    ),
    Kind(
        "text follows closing quotes",
        "till.csv: line 5 has text after closing quotes. Write quotes inside of quotes twice.",
        with_line('2024-03-01,"c"1",w1,purchase,7,1,2.50,\n'),
    ),
    Kind(
        "a line has three million characters",
        "till.csv: line 5 is longer than 1,048,576 bytes. Are line breaks missing? Deliver the file again.",
        with_line(f"2024-03-01,{'c' * 3_000_000},w1,purchase,7,1,2,\n"),
    ),
    Kind(
        "one line ends as on Windows and the others do not",
        "till.csv: line 5 ends with CR LF, its header with LF alone. Save the file with one kind of line ends.",
        with_line("2024-03-01,c1,w1,purchase,7,1,2,3\r\n"),
    ),
    Kind(
        "it has no header",
        "events.0.columns.occurred_at: no column 'at' in till.csv. It has: 2024-03-02T10:01:00, c1, w1, purchase, 1, ",
        holding("".join(lines())),
    ),
    Kind(
        "a column is missing",
        "sound_shop.yaml:16: events.0.columns.rating: no column 'rating' in till.csv. It has: at, who, what, ",
        holding(HEADER.replace(",rating", "") + lines()[0].replace(",\n", "\n")),
    ),
    Kind(
        "a column was renamed",
        "kind, line, quantities, value, rating. Did you mean 'quantities'?",
        holding(HEADER.replace("quantity", "quantities") + lines()[0]),
    ),
    Kind(
        "a column stands twice, in the place of another",
        "no column 'rating' in till.csv. It has: at, who, what, kind, line, quantity, value, value_1.",
        holding(HEADER.replace("rating", "value") + lines()[0]),
    ),
]
WEB = [
    Kind(
        "it was cut off when it was compressed",
        "web.csv.gz: not a whole gzip file (Compressed file ended before the end-of-stream marker was reached).",
        cut,
    ),
    Kind(
        "it isn't compressed, but by its name",
        "web.csv.gz: not a whole gzip file (Not a gzipped file (b'at')). Deliver it again.",
        holding(HEADER + "".join(lines())),
    ),
]
APP = [
    Kind(
        "JSON was cut off",
        "app.jsonl: line 5 is no JSON: Unterminated string starting at (character 8). Deliver the file again.",
        holding((OBJECT * 5)[: len(OBJECT) * 4 + 20]),
    ),
    Kind(
        "JSON is an array over several lines",
        f"app.jsonl: line 1 {AN_ARRAY}",
        holding("[\n" + OBJECT + "]\n"),
    ),
    Kind(
        "JSON is broken in the middle",
        "app.jsonl: line 2 is no JSON: Expecting property name enclosed in double quotes (character 2). Deliver the",
        holding(OBJECT + "{oops}\n" + OBJECT),
    ),
    Kind("JSON is one array", f"app.jsonl: line 1 {AN_ARRAY}", holding(f"[{OBJECT.strip()}]")),
    Kind("a line of JSON is a list", f"app.jsonl: line 2 {NO_OBJECT}", holding(OBJECT + '["c1", "w1"]\n')),
    Kind(
        "a line of JSON gives a key twice",
        f"app.jsonl: line 2 gives a key twice. Deliver each key once. {KEPT}",
        holding(OBJECT + OBJECT.replace('{"at"', '{"who": "c9", "at"')),
    ),
    Kind(
        "JSON begins with a byte order mark",
        f"app.jsonl: line 1 begins with a byte order mark. Save the file as UTF-8 without one. {KEPT}",
        holding("\ufeff" + OBJECT),
    ),
    Kind(
        "JSON is not UTF-8",
        "app.jsonl: line 1 is not UTF-8. Save the file as UTF-8.",
        holding(OBJECT.replace("c1", "Zoë").encode("latin-1")),
    ),
]
OLD = [
    Kind("it is no Parquet", NO_PARQUET, holding(HEADER + "".join(lines()))),
    Kind("Parquet was cut off", NO_PARQUET, cut),
    Kind("Parquet is damaged in the middle", f'old.parquet": Snappy decompression failure. {KEPT}', damaged),
]
FAIR = [
    Kind(
        "a workbook lacks the sheet",
        'fair.xlsx#Orders can\'t be read as excel: Binder Error: Sheet "Orders" not found',
        lambda path: workbook(path, "Bestellungen", COLUMNS, event(1)),
    ),
    Kind(
        "it is no workbook",
        "fair.xlsx#Orders can't be read as excel: IO Error: Failed to open zip for reading",
        holding(HEADER + "".join(lines())),
    ),
]
KINDS = {"till.csv": TILL, "web.csv.gz": WEB, "app.jsonl": APP, "old.parquet": OLD, "fair.xlsx": FAIR}
EVENTS = dg.AssetSelection.assets("raw_events").downstream()


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SoundShop]:
    folder = tmp_path_factory.mktemp("sound") / "shop"
    folder.mkdir()
    write_sound(folder)
    with dg.DagsterInstance.ephemeral() as instance:
        shop = SoundShop(folder, instance)
        result = shop.run()
        assert result.success
        assert failed(result) == {}
        yield shop


@pytest.mark.parametrize(
    ("file", "kind"),
    [pytest.param(file, kind, id=f"{file}: {kind.name}") for file, kinds in KINDS.items() for kind in kinds],
)
def test_a_file_that_can_not_be_read_is_told_and_changes_no_table_and_no_published_file(
    sound: SoundShop, tmp_path: Path, file: str, kind: Kind
) -> None:
    shop = sound.copied_to(tmp_path / "shop")
    before = shop.state()
    assert len(before) > 20
    kind.spoil(shop.folder / file)
    result = shop.run(EVENTS)
    assert not result.success
    assert kind.told in error_of(result)
    assert shop.state() == before


def test_a_file_that_may_not_be_read_is_told_with_whose_leave_is_missing() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # of what another user may enter
        write_sound(Path(folder))
        (Path(folder) / "till.csv").chmod(0)
        with as_nobody():
            (told,) = problems(load_dataset(f"{folder}/sound_shop.yaml"))
    assert told == (
        "sound_shop.yaml:7: events.0.source: till.csv: permission denied. Let the user that runs cx read the file."
    )


@contextmanager
def as_nobody() -> Iterator[None]:
    """Without root's right to read everything."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_the_shop_itself_loads_again_as_it_was(sound: SoundShop, tmp_path: Path) -> None:
    shop = sound.copied_to(tmp_path / "shop")
    before = shop.state()
    assert shop.run(EVENTS).success
    after = shop.state()
    assert {name for name in before if before[name] != after[name]} <= {"cx.duckdb"}  # its blocks may lie elsewhere
