"""Story index: one article after the other -> the story that it belongs to, by one rule for night and service.

A story is one event. Each story keeps how often each term stands in its headlines; a term that many stories have says
little, one that most headlines of a single story have says nearly all. An article joins the story that explains its
headline best, or begins one.

Source: the mixture of Yin et al. 2018, "Model-based clustering of short text streams" (MStream), with the most
probable story in place of a drawn one, and terms counted in stories, so that a large story does not make its own terms
common.
"""

import math
from typing import NamedTuple

from recsys.stories.terms import terms

DEFAULT_THRESHOLD = 0.1  # score from which an article joins a story; see docs/stories.md for the sweep
_SEEN = 0.2  # stories in which a term is taken to have stood before it was seen
_STORIES = 30  # stories that are taken to have been before the first: terms of a young index are not rare yet
_SMOOTHING = 0.5  # headlines' worth of background in a story's own shares
_LENGTH = 0.8  # exponent of the number of terms: evidence of neighbouring words is partly the same


class StoryAssignment(NamedTuple):
    """Story of an article, as it was when the article came.

    Attributes:
        story: the id of its first article.
        score: of the best story that there was; 0 where none shares a term.
        is_new: whether the article began it.
    """

    story: str
    score: float
    is_new: bool


class StoryIndex:
    """Stories by their terms.

    Args:
        threshold: score from which an article joins.
    """

    def __init__(self, threshold: float = DEFAULT_THRESHOLD) -> None:
        self._threshold = threshold
        self._ids: list[str] = []
        self._sizes: list[int] = []
        self._counts: dict[str, dict[int, int]] = {}  # term -> story -> headlines that have it

    def place(self, article_id: str, title: str, body: str = "") -> StoryAssignment:
        """Put an article into the story that explains its headline best, or into one of its own.

        Args:
            article_id: of an article that was not placed before.
            title: as it came.
            body: read where the title says nothing.
        """
        words = terms(title, body)
        story, score = self._best(words)
        is_new = story < 0 or score < self._threshold
        if is_new:
            story = len(self._ids)
            self._ids.append(article_id)
            self._sizes.append(0)
        self._sizes[story] += 1
        for term in words:
            stories = self._counts.setdefault(term, {})
            stories[story] = stories.get(story, 0) + 1
        return StoryAssignment(self._ids[story], score, is_new)

    def _best(self, words: list[str]) -> tuple[int, float]:
        """The story with the best score, -1 for none."""
        if not words:
            return -1, 0.0
        evidence: dict[int, float] = {}
        sizes, among, total = self._sizes, len(self._ids) + _STORIES, 0.0
        for term in words:
            stories = self._counts.get(term, {})
            background = (len(stories) + _SEEN) / among
            total -= math.log(background)
            for story, count in stories.items():
                share = (count + _SMOOTHING * background) / (sizes[story] + _SMOOTHING)
                if share > background:
                    evidence[story] = evidence.get(story, 0.0) + math.log(share / background)
        if not evidence:
            return -1, 0.0
        story = max(evidence, key=lambda row: (evidence[row], -row))
        return story, evidence[story] / len(words) ** _LENGTH * evidence[story] / total
