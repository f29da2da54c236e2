"""Report: what was trained and how good it is, as a few pages that need nothing beside them.

Reads figures, losses, vectors, keywords and judgements; produces SVG pictures and HTML pages. This file holds the
configuration only, so that reading it loads no plotting code.

    plots.py        numbers -> SVG
    page.py         sections of pictures, tables and examples -> HTML files with one look
    overview.py     counts, odd input, ranking, maps of the articles
    data.py         what came in, what is missing in it, and what was odd
    next_click.py   the click model beside the baselines
    click_model.py  how the click model learned, what it needs, and how it compares with the previous release's
    words.py        how good the word vectors are, and which words are new
    keywords.py     examples
    categories.py   how good the classifiers are, and where they are wrong
    compose.py      all of that
"""

from pydantic import Field

from recsys.config import Section


class ReportConfig(Section):
    """How much the pages show."""

    map_articles: int = Field(1500, ge=10)
    map_words: int = Field(300, ge=10, le=1000)
    examples: int = Field(12, ge=1)
    new_words: int = Field(40, ge=1)
