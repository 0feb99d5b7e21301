"""The evidence for the number of segments, to be looked at: a table and a picture.

Belongs here: showing `kmeans.Evidence`. Does not: gathering it.
"""

import base64
import io
from collections.abc import Sequence

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from cx_assets.segments.kmeans import Evidence

_CHOSEN, _OTHER = "#c2410c", "#475569"


def evidence_table(evidence: Sequence[Evidence], chosen: int, customers: int) -> str:
    """A Markdown table, one row per k that was tried."""
    lines = [
        "| segments | stability (ARI) | spread | smallest segment | inertia | silhouette | |",
        "|---|---|---|---|---|---|---|",
    ]
    for e in evidence:
        silhouette = "" if e.silhouette is None else f"{e.silhouette:.3f}"
        verdict = "**chosen**" if e.k == chosen else "" if e.allowed else "too small a segment"
        smallest = f"{e.smallest:,} ({e.smallest / customers:.1%})"
        cells = [str(e.k), f"{e.stability:.3f}", f"{e.spread:.3f}", smallest, f"{e.inertia:,.0f}", silhouette, verdict]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def evidence_plot(evidence: Sequence[Evidence], chosen: int, customers: int, minimum: int) -> str:
    """Stability and smallest segment against k, as Markdown with the picture in it; empty if no k was tried."""
    if not evidence:
        return ""
    figure = Figure(figsize=(8, 3), dpi=90, layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    ks = [e.k for e in evidence]
    colours = [_CHOSEN if e.k == chosen else _OTHER for e in evidence]
    left.errorbar(
        ks, [e.stability for e in evidence], [e.spread for e in evidence], fmt="none", ecolor=_OTHER, capsize=3
    )
    left.scatter(ks, [e.stability for e in evidence], color=colours, zorder=3)
    left.set(title="Stability: segments found again", xlabel="segments", ylabel="adjusted Rand index")
    right.bar(ks, [e.smallest / customers for e in evidence], color=colours)
    right.axhline(minimum / customers, color="black", linestyle="--", linewidth=1)
    right.set(title="Smallest segment (dashed: minimum)", xlabel="segments", ylabel="share of customers")
    right.yaxis.set_major_formatter(PercentFormatter(1.0))
    for axes in (left, right):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    buffer = io.BytesIO()
    # Without the version stamp the same evidence gives the same bytes.
    figure.savefig(buffer, format="png", metadata={"Software": None})
    picture = base64.b64encode(buffer.getvalue()).decode()
    return f"![Stability and smallest segment per number of segments](data:image/png;base64,{picture})"
