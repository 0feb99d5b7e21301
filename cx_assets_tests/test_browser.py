"""What a person sees, in a real browser: the published report, and the web UI on the instance of a run.

They need Chromium: `make test-browser`.
"""

import re
import shutil
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import matplotlib.image
import pytest

from cx_assets_tests.processes import DAGSTER, started, wait_for
from cx_assets_tests.whole_shop import WholeShop, whole_shop

pytestmark = pytest.mark.browser

# Without these, Chromium asks hosts of its own maker before it shows anything.
QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-component-update",
    "--disable-background-networking", "--disable-sync", "--window-size=1280,2400",
)  # fmt: skip


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> WholeShop:
    return whole_shop(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="module")
def web_ui(shop: WholeShop) -> Iterator[str]:
    """The address of the web UI on the shop's instance."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    command = (*DAGSTER, "dev", "-w", "workspace.yaml", "-p", str(port))
    with started(*command, environment=shop.environment()):
        wait_for("the web UI", lambda: answers(f"{address}/server_info"))
        yield address


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=2) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, TimeoutError):
        return False


def browse(address: str, profile: Path, *what: str) -> str:
    """Open a page and give it time to draw itself."""
    chromium = shutil.which("chromium")
    assert chromium, "Chromium is not installed: apt-get install chromium"
    command = [chromium, *QUIET, f"--user-data-dir={profile}", "--virtual-time-budget=20000", *what, address]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return shown.stdout


def text_of(address: str, profile: Path) -> str:
    """The text that a person sees."""
    page = browse(address, profile, "--dump-dom")
    return re.sub(r"\s+", " ", re.sub(r"<(script|style)\b.*?</\1>|<[^>]+>", " ", page, flags=re.DOTALL))


def test_the_report_shows_its_plots_and_asks_no_other_host(shop: WholeShop, tmp_path: Path) -> None:
    report = shop.settings.published_dir / "report.html"
    page = browse(report.as_uri(), tmp_path / "profile", "--dump-dom")
    assert page.count("<svg") >= 4
    assert "Who recommends best" in page
    assert not re.findall(r"""(?:src|href)=["'](?:https?:)?//""", page)


def test_the_report_draws_more_than_one_colour(shop: WholeShop, tmp_path: Path) -> None:
    picture = tmp_path / "report.png"
    report = shop.settings.published_dir / "report.html"
    browse(report.as_uri(), tmp_path / "profile", f"--screenshot={picture}")
    pixels = matplotlib.image.imread(picture)
    assert pixels.shape[:2] == (2400, 1280)
    assert pixels[..., :3].std() > 0.02


def test_the_web_ui_shows_every_stage(web_ui: str, tmp_path: Path) -> None:
    shown = text_of(f"{web_ui}/asset-groups", tmp_path / "profile")
    for stage in (
        "ingestion",
        "warehouse",
        "matrices",
        "similarity",
        "segments",
        "rules",
        "recommendations",
        "evaluation",
    ):
        assert stage in shown


def test_the_web_ui_shows_a_table_with_its_columns_evidence_and_checks(web_ui: str, tmp_path: Path) -> None:
    shown = text_of(f"{web_ui}/assets/customer_segments", tmp_path / "profile")
    assert "One row per customer" in shown
    assert "recency_score" in shown
    assert "stability (ARI)" in shown
    assert "[Show Markdown]" in shown  # the plot


def test_the_web_ui_shows_what_a_check_found(web_ui: str, tmp_path: Path) -> None:
    page = f"{web_ui}/assets/rejected_events?view=checks&checkDetail=few_events_are_rejected"
    shown = text_of(page, tmp_path / "profile")
    assert "This is a blocking asset check" in shown
    assert "delivered events break the contract" in shown


def test_the_web_ui_has_the_run_in_its_history(web_ui: str, tmp_path: Path) -> None:
    shown = text_of(f"{web_ui}/runs", tmp_path / "profile")
    assert "Success" in shown
