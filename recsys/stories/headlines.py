"""Headlines: where a body is read on for one, and how many articles it takes to know what is common."""

LEAST_ARTICLES = 100  # of fewer a site does not know which words are common, and takes copies alone for one story
_TELLING = 8  # characters of a title that says what an article is about


def read_on(title: str, body: str) -> str:
    """The body of an article whose title says next to nothing, "" for others."""
    return "" if len(title) >= _TELLING else body
