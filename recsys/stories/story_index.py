"""Story index: one article after the other -> the story that it belongs to, by one rule for night and service.

Reads headlines, times, leaders and editors' decisions; produces assignments. A story is one event; its articles are
related, while copies of one text (``leaders.py``) are the same. Memory and time are bounded: a story counts its latest
headlines, and stories that nobody writes about any more are retired.
"""

import math
import statistics
from collections import OrderedDict, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from recsys.stories.decisions import EditorDecisions, PairDecision
from recsys.stories.evidence import MAX_COUNTED, NOTHING_LIKE_IT, BestStory, best_stories
from recsys.stories.headlines import read_on
from recsys.stories.leads import Lead, LeadRarity, WeighedLead, lead_of
from recsys.stories.names import NameRates
from recsys.stories.postings import TermPostings
from recsys.stories.records import PlacedArticle, Story, StoryAssignment
from recsys.stories.terms import terms
from recsys.units import DAY_MS

DEFAULT_THRESHOLD = 0.01  # score from which an article joins a story, on a site of few large events
RETIRED_AFTER_MS = 8 * DAY_MS  # without a new article
MAX_STORIES = 200_000  # at a time; the one that was written about least recently goes first
_NOVEL = 0.1  # score below which an article is news to the index
_USUAL_NOVELTY = 0.1  # share of articles that are news, at which the threshold stands as it is
_ADAPTS = 1.5  # exponent: a site of many small events needs more evidence for each join
_REMEMBERED = 500  # articles over which the share of news is averaged
_TRUSTED = 300  # articles' worth of the usual share, before any came
_TRIES = 3  # stories, the best first, whose bodies are compared with an article's
_CLOCK_ARTICLES = 15  # whose median time is the time: a few wrong ones move nothing


class StoryIndex:
    """Stories by their terms.

    Args:
        threshold: score from which an article joins.
        decisions: of the editors; they hold against every score.

    Attributes:
        stories: by row, the one that was written about least recently first.
        placed: articles of these stories, by id.
        novelty: share of the last articles that were news.
        came: articles so far.
        times: of the last articles, ms.
        names: which terms are names.
        leads: which terms of their bodies are rare.
        before_retiring: is told of each story that goes, while it is still there.
    """

    def __init__(self, threshold: float = DEFAULT_THRESHOLD, decisions: EditorDecisions | None = None) -> None:
        self.decisions = EditorDecisions() if decisions is None else decisions
        self.before_retiring: Callable[[Story], None] = lambda story: None
        self.stories: OrderedDict[int, Story] = OrderedDict()  # a dict is slow to find its first, where many went
        self.placed: dict[str, PlacedArticle] = {}
        self.names, self.leads = NameRates(), LeadRarity()
        self.novelty = _USUAL_NOVELTY
        self.times: deque[int] = deque(maxlen=_CLOCK_ARTICLES)
        self.came = 0
        self._threshold, self._next_row = threshold, 0
        self._postings = TermPostings()
        self._row_of: dict[str, int] = {}  # story id -> row

    def place(
        self, article_id: str, title: str, body: str = "", time: int | None = None, copy_of: str | None = None
    ) -> StoryAssignment:
        """Put an article into the story that explains its headline best and that its body agrees with, or into its own.

        An article that was placed before leaves its story first, and may come back.

        Args:
            article_id: of the article.
            title: as it came.
            body: its beginning (``LEAD_CHARS``) is compared, and read where the title says nothing; "" for none.
            time: of publication, ms; None where nobody knows it: then it is no reason against any story, and its body
                has to speak for one.
            copy_of: id of the first copy of its text, whose story it joins.
        """
        if article_id in self.placed:
            self.remove(article_id)
        now, words, lead = self._clock(time), terms(title, read_on(title, body)), lead_of(body)
        self.names.learn(title)
        weighted = {word: self.names.weight(word) for word in words}
        forbidden, telling = self._forbidden(article_id), min(_NOVEL, self._needed)  # a lower score changes nothing
        among = (self._postings, self.stories, len(self.placed))
        likely = best_stories(weighted, time, *among, _TRIES, forbidden, telling)
        best = self._agreeing(likely, lead, time)
        row = self._decided(article_id, copy_of, best)
        self._learn(likely[0].score if likely else 0.0)
        is_new = row is None
        if row is None:
            row = self._begin(article_id)
        self._join(article_id, row, PlacedArticle(row, words, time, lead), now)
        self._retire(now)
        return StoryAssignment(self.stories[row].id, best.score, is_new, copy_of)

    def story_of(self, article_id: str) -> str | None:
        """Id of an article's story; None for one that is not placed, or whose story is retired."""
        return self.stories[self.placed[article_id].row].id if article_id in self.placed else None

    def articles_of(self, story_id: str) -> list[str]:
        """The articles of a story in the order of joining; none for a story that is not there."""
        return list(self.stories[self._row_of[story_id]].articles) if story_id in self._row_of else []

    def remove(self, article_id: str) -> None:
        """Take an article out of its story; a story without articles is gone. One that is not placed is no error."""
        article = self.placed.pop(article_id, None)
        if article is None:
            return
        self.leads.remove(article.lead)
        story = self.stories[article.row]
        del story.articles[article_id]
        if not story.articles:
            self._drop(article.row)
            return
        story.size = max(1, story.size - 1)
        for word in article.words:
            self._count(word, article.row, -1)

    def merge(self, story_id: str, other_id: str) -> None:
        """Put all articles of another story into a story, whose id stays."""
        row, other = self._row_of.get(story_id), self._row_of.get(other_id)
        if row is not None and other is not None and row != other:
            self._move(list(self.stories[other].articles), row)

    def split(self, article_ids: Iterable[str]) -> str | None:
        """Put some articles into a new story of their own; returns its id, None where none of them is placed.

        The id is that of the first of them after which no story is named: the story that they leave keeps its own,
        unless they have no other.
        """
        moved = [article_id for article_id in dict.fromkeys(article_ids) if article_id in self.placed]
        if not moved:
            return None
        now = max(self.stories[self.placed[article_id].row].touched for article_id in moved)
        articles = {article_id: self.placed[article_id] for article_id in moved}
        for article_id in moved:
            self.remove(article_id)
        row = self._begin(next((article_id for article_id in moved if article_id not in self._row_of), moved[0]))
        for article_id, article in articles.items():
            self._join(article_id, row, article._replace(row=row), now)
        return self.stories[row].id

    def decide(self, decision: PairDecision) -> None:
        """Do at once what an editor says of articles that are placed; the caller keeps it in ``decisions``."""
        one, other = (self.story_of(article_id) for article_id in decision[:2])
        if one is None or other is None:
            return
        if decision.together:
            self.merge(other, one)
        elif one == other and decision.one != decision.other:
            self.split([decision.one])

    def neighbour(self, article_id: str) -> str | None:
        """The first article of an article's story but itself; None where there is none."""
        articles = self.stories[self.placed[article_id].row].articles if article_id in self.placed else ()
        return next((other for other in articles if other != article_id), None)

    def counts(self, row: int) -> Iterator[tuple[str, int]]:
        """The terms of a story, and in how many of the counted headlines each stands."""
        return ((word, self._postings.count(word, row)) for word in sorted(self.stories[row].words))

    def rarity(self, words: Iterable[str]) -> dict[str, float]:
        """Rarity of terms: the logarithm of one in how many stories has each, above 0."""
        return {word: math.log((len(self.stories) + 1) / max(1, self._postings.length(word))) for word in words}

    def restore(
        self, story: Story, counts: dict[str, int], articles: Iterable[tuple[str, list[str], int | None, Lead]]
    ) -> None:
        """Take over a story with the counts of its terms, and id, terms, time and lead of each article."""
        row, placed = self._begin_as(story), list(articles)
        story.words = set(counts)
        if story.size == 1 == len(placed) and all(count == 1 for count in counts.values()):
            self._postings.begin(counts, row)
        else:
            for word, count in counts.items():
                self._postings.add(word, row, count)
        for article_id, words, time, lead in placed:
            self.placed[article_id] = PlacedArticle(row, words, time, lead)
            self.leads.add(lead)
            story.articles[article_id] = None

    def _clock(self, time: int | None) -> int:
        if time is not None:
            self.times.append(time)
        return int(statistics.median_low(self.times)) if self.times else 0

    def _forbidden(self, article_id: str) -> Collection[int]:
        """Rows of those that must stand apart; the articles of a group are in one row."""
        groups = self.decisions.groups_apart_from(article_id)
        placed = (next((other for other in group if other in self.placed), None) for group in groups)
        return {self.placed[other].row for other in placed if other is not None}

    def _decided(self, article_id: str, copy_of: str | None, best: BestStory) -> int | None:
        """The row that an article joins: by an editor's word, as a copy, or by its score."""
        for other in self.decisions.together_with(article_id):
            if other in self.placed:
                return self.placed[other].row
        if copy_of in self.placed and self.placed[copy_of].row not in self._forbidden(article_id):
            return self.placed[copy_of].row
        return best.row if best is not NOTHING_LIKE_IT and best.score >= self._needed else None

    @property
    def _needed(self) -> float:
        """Score from which an article joins at present."""
        return float(self._threshold * (self.novelty / _USUAL_NOVELTY) ** _ADAPTS)

    def _agreeing(self, likely: Sequence[BestStory], lead: Lead, time: int | None) -> BestStory:
        """The best story whose bodies agree with an article's; one too unlikely to be joined is not asked."""
        needed, weighed = self._needed, None
        for best in likely:
            if best.score < needed:
                return best
            weighed = weighed or self.leads.weighed(lead)
            if self._agrees(weighed, time, self.stories[best.row]):
                return best
        return NOTHING_LIKE_IT

    def _agrees(self, lead: WeighedLead, time: int | None, story: Story) -> bool:
        """Do the bodies agree? Without them a headline is believed if its time is known, and one of the story's."""
        dated = time is not None and story.first <= story.last
        leads = (self.placed[article_id].lead for article_id in reversed(story.articles))
        return self.leads.agree(lead, leads, unknown=dated)

    def _learn(self, score: float) -> None:
        self.came += 1
        self.novelty += ((score < _NOVEL) - self.novelty) / min(self.came + _TRUSTED, _REMEMBERED)

    def _begin(self, article_id: str) -> int:
        """A story without articles, under the id of an article that is in no other."""
        if article_id in self._row_of:
            self._free(article_id)
        return self._begin_as(Story(article_id))

    def _free(self, name: str) -> None:
        """Name the story of a name, whose article has left it, after the first of its articles that names no other."""
        row = self._row_of[name]
        articles = self.stories[row].articles
        other = next((article_id for article_id in articles if article_id not in self._row_of), None)
        if other is None:
            other = next(iter(articles))
            self._free(other)
        del self._row_of[name]
        self.stories[row].id, self._row_of[other] = other, row

    def _begin_as(self, story: Story) -> int:
        row, self._next_row = self._next_row, self._next_row + 1
        self.stories[row], self._row_of[story.id] = story, row
        return row

    def _join(self, article_id: str, row: int, article: PlacedArticle, now: int) -> None:
        story = self.stories[row]
        self.stories.move_to_end(row)  # the latest is the last
        self.placed[article_id] = article
        self.leads.add(article.lead)
        if article.time is not None:
            story.first, story.last = min(story.first, article.time), max(story.last, article.time)
        story.articles[article_id], story.touched = None, now
        story.size += 1
        if story.size == 1:
            story.words = set(article.words)
            self._postings.begin(article.words, row)
            return
        if story.size == 2:
            self._postings.grow(story.words, row)
        for word in article.words:
            self._count(word, row, 1)
        if story.size > MAX_COUNTED:
            story.size //= 2
            for word in sorted(story.words):
                self._count(word, row, -(self._postings.count(word, row) + 1) // 2)

    def _count(self, word: str, row: int, change: int) -> None:
        if self._postings.add(word, row, change) > 0:
            self.stories[row].words.add(word)
        else:
            self.stories[row].words.discard(word)

    def _move(self, article_ids: list[str], row: int) -> None:
        now = self.stories[row].touched
        for article_id in article_ids:
            article = self.placed[article_id]
            now = max(now, self.stories[article.row].touched)
            if article.row != row:
                self.remove(article_id)
                self._join(article_id, row, article._replace(row=row), now)

    def _drop(self, row: int) -> None:
        story = self.stories.pop(row)
        del self._row_of[story.id]
        self._postings.drop(story.words, row)
        for article_id in story.articles:
            self.leads.remove(self.placed.pop(article_id).lead)

    def _retire(self, now: int) -> None:
        while len(self.stories) > 1:
            row = next(iter(self.stories))
            if now - self.stories[row].touched <= RETIRED_AFTER_MS and len(self.stories) <= MAX_STORIES:
                return
            self.before_retiring(self.stories[row])
            self._drop(row)
