"""From a template and what it is given to a page that is complete in itself.

Belongs here: what the pages of this stage have in common. Does not: what one of them says (`report`,
`backtest_report`).
"""

from datetime import datetime, timedelta
from importlib import resources
from typing import Any

import jinja2


def rendered(template: str, given: dict[str, Any]) -> str:
    """The page as HTML; the same text for the same input.

    Args:
        template: a file of `templates/`, which knows what it is given as `r` and the style sheet as `css`.
        given: sentences, rows with their figures written out, and plots as SVG.

    Raises:
        jinja2.UndefinedError: if the template asks for something that isn't given.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("cx_assets.evaluation", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["day"] = _day
    # An as-of date is the midnight after the last day that counts.
    environment.filters["day_before"] = lambda moment: _day(moment - timedelta(days=1))
    environment.filters["count"] = lambda number: f"{number:,}"
    css = resources.files("cx_assets.evaluation").joinpath("templates/report.css").read_text(encoding="utf-8")
    return environment.get_template(template).render(r=given, css=css)


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y}"
