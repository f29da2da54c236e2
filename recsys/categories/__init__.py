"""Categories: articles that came with one show what it means, the others are classified by what they say.

Reads tokens, article vectors and the categories that were given; produces a category, its confidence and the runners-up
for every article. Each language is a world of its own, since word vectors of two languages have none in common.

    __init__.py         a category as it is assigned to an article
    config.py           settings
    documents.py        the articles of the site -> documents, a batch in memory at a time
    training.py         the articles that came with a category -> classifiers
    classification.py   one calibrated classifier per language: assign, save, load
    names.py            names of well-known categories, in Chinese and in English
    tasks.py            other label sets, by the same means; labels.py reads their files
"""

from typing import NamedTuple


class Assigned(NamedTuple):
    """Category of one article.

    Attributes:
        category: None when there is no ground to give one, or when the best guess is too uncertain to be shown.
        confidence: of the best guess, in [0, 1]; 1 when the article came with its category, NaN without any ground.
        bar: the likeliest categories with their confidences, best first; none without any ground.
        topic: whether these are topics, found where no article came with a category.
    """

    category: str | None
    confidence: float
    bar: tuple[tuple[str, float], ...] = ()
    topic: bool = False

    @property
    def uncertain(self) -> bool:
        """True where there is a best guess that is not sure enough to be shown."""
        return self.category is None and bool(self.bar)
