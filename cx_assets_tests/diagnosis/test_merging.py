"""What the doctor says of customers who registered twice is what a run makes of them."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from cx_assets.diagnosis.terminal import diagnose
from cx_assets.diagnosis.trial import tried_out
from cx_assets.diagnosis.verdicts import verdicts
from cx_assets.settings import Settings
from cx_assets_tests.privacy.canaries import KEY
from cx_assets_tests.registered_twice import RULE, registered_twice, write_registered_twice
from cx_assets_tests.runs import load_shop, rows
from cx_assets_tests.shop import TINY, write_tiny

PRIVACY = """
privacy:
  identifiers: [customer_id, event_id]
  personal: {email: {expression: mail}, phone: {expression: tel, keep: drop}}
"""
RETURNS = """    returns: {when: "quantity like '-%'"}\n"""


@pytest.mark.whole
@pytest.mark.parametrize("rule", ["", RULE, RULE + PRIVACY], ids=["undecided", "merged", "merged by personal keys"])
def test_verdicts_and_merges_are_those_of_a_run(tmp_path: Path, rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CX_KEY", KEY)
    monkeypatch.setenv("CX_DATA_DIR", str(tmp_path / "data"))
    write_registered_twice(tmp_path)
    dataset = registered_twice(tmp_path, rule)
    result = load_shop(tmp_path / "w.duckdb", dataset, checked=True)
    with tried_out(dataset, Settings()) as trial:
        told = {verdict.check: (verdict.passed, verdict.text) for verdict in verdicts(trial, dataset, Settings())}
        merges = trial.tables["customer_merges"].fetchall()
        known = sorted(row[0] for row in trial.tables["customers"].fetchall())
    judged = {
        f"{e.asset_key.to_user_string()}: {e.check_name}": (e.passed, e.description)
        for e in result.get_asset_check_evaluations()
    }
    shared = told.keys() & judged.keys()
    assert {"customer_merges: duplicates_are_decided", "raw_customers: no_key_is_a_crowds"} <= shared
    assert {name: told[name] for name in shared} == {name: judged[name] for name in shared}
    stored = "select customer_id, merged_into, key_kind from warehouse.customer_merges order by all"
    assert [row[:3] for row in merges] == rows(tmp_path / "w.duckdb", stored)
    assert len(merges) == (2 if rule else 0)
    assert [(name,) for name in known] == rows(
        tmp_path / "w.duckdb", "select customer_id from warehouse.customers order by all"
    )


def test_a_return_under_the_other_id_of_a_person_takes_off_what_was_bought_under_the_first(tmp_path: Path) -> None:
    bought = {"who": "a1", "basket": "7", "quantity": "2"}
    events = [bought, {**bought, "who": "a2", "quantity": "-1", "value": "-1"}]
    write_registered_twice(tmp_path)
    write_tiny(tmp_path, {"a.csv": events})
    dataset = registered_twice(tmp_path, RULE, TINY.rstrip() + "\n" + RETURNS)
    with tried_out(dataset, Settings()) as trial:
        outcomes = [row[1] for row in trial.tables["withdrawn_events"].fetchall()]
        assert outcomes == ["reduced", "return"]
        assert trial.tables["rejected_events"].count() == 0


def test_it_is_told_how_many_customers_a_run_would_merge_and_by_what(tmp_path: Path) -> None:
    write_registered_twice(tmp_path)
    dataset = registered_twice(tmp_path, RULE)
    screen = io.StringIO()
    diagnose(Console(file=screen, width=250), dataset, Settings(dataset=str(dataset.path), data_dir=tmp_path / "data"))
    assert "merged    2 customers into others: 1 by email+phone, 1 by phone" in screen.getvalue()
