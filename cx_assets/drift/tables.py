"""The table of daily figures."""

from cx_assets.table import column, schema

DAILY_FIGURES = schema(
    "drift",
    "daily_figures",
    "One row per day, column and figure of the delivered events, beside what was to be expected of it.",
    column("day", "date", "The day of the events."),
    column("column_name", "varchar", "The column; category is that of the item, event the row as a whole."),
    column(
        "figure",
        "varchar",
        "volume; duplicate, rejected, null, zero, distinct, new and top share (that of the most common value); middle "
        "(the geometric mean); mix (the population stability index); vanished (how many categories).",
    ),
    column("value", "double", "What came."),
    column("expected", "double", "What was to be expected; null where the days before tell too little.", nullable=True),
    column("low", "double", "The least that is no alarm.", nullable=True),
    column("high", "double", "The most that is no alarm.", nullable=True),
    column("alarm", "boolean", "Whether the value is below low or above high; false where nothing was expected."),
    column("detail", "varchar", "Which categories or reasons there are most of.", nullable=True),
    key=("day", "column_name", "figure"),
)
