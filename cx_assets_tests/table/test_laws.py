"""How a judgement counts what breaks a law."""

import pandas as pd
import pytest

from cx_assets.table.laws import judgement


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (0, "0 of 2,101 customers have events and don't add up."),
        (1, "1 of 2,101 customers has events and doesn't add up. Ask."),
        (2, "2 of 2,101 customers have events and don't add up. Ask."),
    ],
)
def test_of_one_row_the_verb_is_that_of_one(broken: int, said: str) -> None:
    rows = pd.DataFrame({"customer_id": range(broken)})
    told = judgement(rows, 2101, "customers have|has events and don't|doesn't add up", "Ask.")
    assert told.text == said
