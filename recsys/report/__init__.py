"""Report: what was trained and how good it is, as one page that needs nothing beside it.

Reads figures, losses, vectors and keywords; produces SVG pictures and ``index.html``. This file holds the configuration
only, so that reading it loads no plotting code.

    plots.py    numbers -> SVG
    page.py     pictures and tables -> one HTML file
    compose.py  the stages' files -> what the page shows
"""

from pydantic import Field

from recsys.config import Section


class ReportConfig(Section):
    """How much the page shows."""

    map_articles: int = Field(1500, ge=10)
    examples: int = Field(12, ge=1)
