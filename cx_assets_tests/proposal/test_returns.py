"""Negative lines are declared to be returns where they name what they take back, and otherwise asked about."""

from pathlib import Path

import pytest

from cx_assets.dataset import Dataset, load_dataset
from cx_assets.proposal.delivered import files_named
from cx_assets.proposal.manifest_text import manifest_text
from cx_assets.proposal.proposing import proposed


def proposed_of(folder: Path, *negative: str) -> tuple[Dataset, str]:
    """The dataset proposed for two hundred lines of orders and some negative ones, and the text of its manifest."""
    lines = [
        f"{1000 + n // 2},2024-03-{n % 28 + 1:02} 10:{n % 60:02}:00,c{n // 2 % 9},p{n % 11},2,4.50" for n in range(200)
    ]
    header = "order_no,ordered_at,customer_id,sku,quantity,amount"
    (folder / "orders.csv").write_text("\n".join([header, *lines, *negative]) + "\n", "utf-8")
    proposal, _ = proposed("my_shop", files_named([str(folder / "orders.csv")]))
    text = manifest_text(proposal)
    path = folder / "my_shop.yaml"
    path.write_text(text, "utf-8")
    return load_dataset(str(path)), text


def test_lines_that_name_another_are_declared_to_be_returns(tmp_path: Path) -> None:
    dataset, text = proposed_of(
        tmp_path, "1000,2024-03-09 11:00:00,c0,p0,-1,-2.25", "1001,2024-03-09 11:30:00,c1,p3,-2,-4.50"
    )
    (events,) = dataset.events
    assert events.returns is not None
    assert "try_cast(quantity as double) < 0" in events.returns.when
    assert "100% of those have another line of their basket, item and customer" in " ".join(text.split())


@pytest.mark.parametrize("line", ["7777,2024-03-09 11:00:00,c0,p0,-1,-2.25", "1000,2024-03-09 11:00:00,c0,p9,-1,-2.25"])
def test_lines_that_name_nothing_stay_a_question(tmp_path: Path, line: str) -> None:
    dataset, text = proposed_of(tmp_path, line)
    assert dataset.events[0].returns is None
    assert "# returns: {when:" in text
    assert "cancelled or returned lines?" in text
