"""Headlines: how much of an article the story index is given, and how many articles it takes to know what is common."""

LEAST_ARTICLES = 100  # of fewer a site does not know which words are common, and takes copies alone for one story
_TELLING = 8  # characters of a title that says what an article is about
_OPENING = 400  # characters of a body that are read where it does not


def story_body(title: str, body: str) -> str:
    """The part of a body that the index is given: its beginning, where a title says next to nothing."""
    return "" if len(title) >= _TELLING else body[:_OPENING]
