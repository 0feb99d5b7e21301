"""What `cx init` says that values have in common: a contract that the rows that it saw keep."""

from pathlib import Path

import pytest

from cx_assets.dataset import load_dataset
from cx_assets.diagnosis.trial import tried_out
from cx_assets.proposal.delivered import files_named
from cx_assets.proposal.manifest_text import manifest_text
from cx_assets.proposal.proposing import proposed
from cx_assets.proposal.seen import pattern_of
from cx_assets.settings import Settings
from cx_assets_tests.shops.german import write_german_shop


@pytest.mark.parametrize(
    ("values", "pattern"),
    [
        (["K1", "K20"], "K[0-9]+"),
        (["1-A", "22-BC"], "[0-9]+-[A-Z]+"),
        (["a.1", "b.2"], "[a-z]+\\.[0-9]+"),
        (["7", "8"], "[0-9]+"),
        (["A1", "1A"], None),
    ],
)
def test_ids_of_one_form_have_a_pattern(values: list[str], pattern: str | None) -> None:
    assert pattern_of(values) == pattern


def test_the_proposed_contract_is_kept_by_the_rows_that_it_was_seen_in(tmp_path: Path) -> None:
    write_german_shop(tmp_path)
    proposal, folder = proposed("my_shop", files_named([str(tmp_path)]))
    text = manifest_text(proposal)
    begin = text.index("# contract:")
    active = "\n".join(line.removeprefix("# ") for line in text[begin:].splitlines())
    manifest = folder / "my_shop.yaml"
    manifest.write_text(text[:begin] + active, "utf-8")
    dataset = load_dataset(str(manifest))
    declared = dataset.contract.events.columns
    assert declared["customer_id"].pattern == "K[0-9]+"
    assert set(declared["store_id"].allowed or ()) == {"Lübeck", "Köln"}
    assert dataset.contract.customers.columns["kundengruppe"].allowed
    with tried_out(dataset, Settings()) as trial:
        rejected = trial.tables["rejected_events"].df()
        assert rejected.empty
        assert trial.tables["rejected_values"].count() == 0
