"""Ids are the same whether or not a file writes zeros before them; where every file does, they stay as they are."""

from pathlib import Path

import pytest

from cx_assets.dataset import load_dataset
from cx_assets.diagnosis.trial import tried_out
from cx_assets.proposal.delivered import files_named
from cx_assets.proposal.guesses import SURE, Proposal
from cx_assets.proposal.manifest_text import manifest_text
from cx_assets.proposal.proposing import proposed
from cx_assets.settings import Settings


def shop(folder: Path, in_orders: str, in_customers: str) -> Proposal:
    """What is proposed for orders and customers whose ids are written in some way."""
    orders = [f"{n},2025-03-{n % 28 + 1:02} 10:00,{in_orders.format(n % 40 + 1)},tea{n % 7},1,2.5" for n in range(200)]
    (folder / "orders.csv").write_text(
        "\n".join(["order_id,ordered_at,customer_id,sku,quantity,amount", *orders]) + "\n", "utf-8"
    )
    customers = [f"{in_customers.format(n + 1)},{('Köln', 'Bern')[n % 2]}" for n in range(40)]
    (folder / "customers.csv").write_text("\n".join(["customer_id,city", *customers]) + "\n", "utf-8")
    proposal, _ = proposed("my_shop", files_named([str(folder)]))
    (folder / "my_shop.yaml").write_text(manifest_text(proposal), "utf-8")
    return proposal


@pytest.mark.parametrize(("in_orders", "in_customers"), [("{}", "{:05}"), ("{:05}", "{}"), ("{:03}", "{:05}")])
def test_customers_are_found_whichever_file_writes_zeros(tmp_path: Path, in_orders: str, in_customers: str) -> None:
    (events,) = shop(tmp_path, in_orders, in_customers).of("events")
    guess = events.guess("customer_id")
    assert guess is not None
    assert guess.sureness >= SURE
    assert "100% of its values are in the customers' file." in guess.check
    with tried_out(load_dataset(str(tmp_path / "my_shop.yaml")), Settings()) as trial:
        acted = set(trial.tables["events"].df()["customer_id"])
        assert acted == set(trial.tables["raw_customers"].df()["customer_id"]) == {str(n) for n in range(1, 41)}
    assert "Zeros before its numbers are left out" in " ".join(
        (tmp_path / "my_shop.yaml").read_text("utf-8").replace("#", "").split()
    )


def test_zeros_that_every_file_writes_are_of_the_id(tmp_path: Path) -> None:
    proposal = shop(tmp_path, "{:05}", "{:05}")
    made = [source.guess(key) for source, key in zip(proposal.sources, ("customer_id", "id"), strict=True)]
    assert [guess.expression for guess in made if guess] == ["customer_id", "customer_id"]
