"""Reasons of the articles in a list: claims that are true, decided by numbers.

Reads the vectors and tags of the reader's clicks and of the candidate; produces a ``Reason``. "Because you read X" is
claimed only when X gave the largest and a substantial part of the similarity and a reader can see why, because both
show one tag (two where their categories differ), and for one article of a list; "because you like" from two articles
on; "readers of X also opened this" only when several of them did, and more than open it anyway; "popular" only of what
is among the most clicked. What cannot be claimed falls back to less, in the end to nothing but that the article is
recommended.
"""

import enum
from collections import Counter
from collections.abc import Collection, Mapping, Sequence, Set
from itertools import chain
from json.encoder import encode_basestring
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.catalogue.articles import KeywordForms
from recsys.catalogue.cards import StoredForms
from recsys.catalogue.catalogue import Catalogue
from recsys.catalogue.eligibility import Eligibility
from recsys.compiled import compiled
from recsys.recommend.candidates import CandidateSet
from recsys.recommend.config import RecommendConfig
from recsys.recommend.context import ReaderContext, SharedFeatures
from recsys.recommend.rank import ScoreKind
from recsys.tags import alike
from recsys.tags.index import Rows
from recsys.units import UNKNOWN_ROW

Vectors = npt.NDArray[np.float32]

REASON_KEYWORDS = 3  # shared keywords that a reason shows: more do not fit on a line
_READ_SHARE = 0.15  # part of a similarity that an article must give to be named; below a seventh it is one of many
_READ_COSINE = 0.3  # how near that article must be itself; below it, "because you read" would be a guess
TAGS_APART = 2  # that both must show where their categories differ: one may be chance, such as "company" or a town
_LIKED_SHARE = 0.25  # weight of the last clicks in a category from which on a reader likes it
_LIKED_ARTICLES = 2  # of it that they opened: who has opened one article has not said what they like
_NONE = frozenset[str]()
_NO_CODES = frozenset[int]()
_LAST_CLICKS = 20  # in which repeated keywords are looked for: later ones weigh too little


class ReasonKind(enum.StrEnum):
    """The kind of claim."""

    BECAUSE_YOU_READ = "because_you_read"
    BECAUSE_YOU_LIKE = "because_you_like"
    ALSO_OPENED = "also_opened"
    TRENDING = "trending"
    FRESH = "fresh"
    POPULAR = "popular"
    SIMILAR = "similar"
    TAGGED = "tagged"
    RECOMMENDED = "recommended"
    EDITORS_CHOICE = "editors_choice"
    EXPLORING = "exploring"
    UPDATE = "update"
    SAME_STORY = "same_story"


class Reason(NamedTuple):
    """The claim why one article is shown.

    Attributes:
        kind: of the claim.
        row: the article read, for ``because_you_read``, ``also_opened``, ``update`` and ``similar``; -1 otherwise.
        category: the category liked, for ``because_you_like``; what both are in, for ``similar``; the article's, for
            ``fresh`` and ``recommended``.
        keywords: what the two articles share, or the article and the reader's other clicks; the tag, for ``tagged``.
    """

    kind: ReasonKind
    row: int = UNKNOWN_ROW
    category: str | None = None
    keywords: tuple[str, ...] = ()


class Card(NamedTuple):
    """One article of a list: its row, its score in [0, 1], the reason, and the meaning of the score."""

    row: int
    score: float
    reason: Reason
    kind: ScoreKind = ScoreKind.NONE


_TRENDING, _POPULAR = map(Reason, (ReasonKind.TRENDING, ReasonKind.POPULAR))


def explain(
    context: ReaderContext,
    candidates: CandidateSet,
    rows: Rows,
    liked: Collection[int],
    eligible: Eligibility,
    catalogue: Catalogue,
    shared: SharedFeatures,
    half_life_clicks: float,
    config: RecommendConfig,
    now: int,
) -> list[Reason]:
    """The strongest claim that is true of each article of a list.

    What can be claimed is decided by numbers; an article is looked at only where its words are shown.

    Args:
        context: the reader.
        candidates: the evidence.
        rows: int32 (k,), articles shown, in their order.
        liked: codes of the categories that the reader may be told to like, see ``liked_enough``.
        eligible: articles whose title may be shown; one that was taken down is not quoted.
        catalogue: titles, categories and keywords.
        shared: mean vectors.
        half_life_clicks: fading of clicks in the reader vector.
        config: thresholds.
        now: ms.
    """
    read = _because_you_read(context, rows, eligible, catalogue, shared, half_life_clicks, config, now)
    named: set[int] = set()
    fresh = shared.is_fresh(rows, now).tolist()
    codes = catalogue.columns.category[rows].tolist()
    repeated: frozenset[str] | None = None
    quoted: list[str] = []
    reasons = []
    for place, (row, code) in enumerate(zip(rows.tolist(), codes, strict=True)):
        beside = candidates.covisited.get(row, UNKNOWN_ROW)
        reason = read[place]
        if reason is not None:
            pass
        elif code in liked:
            if repeated is None:
                last = dict.fromkeys(context.state.clicks[-_LAST_CLICKS:].tolist())
                repeated = repeated_keywords([shared.keyword_forms(clicked) for clicked in last])
                quoted = [encode_basestring(word) for word in repeated]
            words: tuple[str, ...] = ()
            if repeated and (forms := shared.keyword_forms(row)).may_hold(quoted):
                words = _named_keywords(forms.unpacked(), repeated, REASON_KEYWORDS)
            reason = Reason(ReasonKind.BECAUSE_YOU_LIKE, UNKNOWN_ROW, catalogue.category_names[code], words)
        elif beside != UNKNOWN_ROW and beside not in named and eligible.showable[beside]:
            reason = Reason(ReasonKind.ALSO_OPENED, beside)
            named.add(beside)
        else:
            category = catalogue.category_names[code] if code >= 0 else None
            reason = _common_reason(row, candidates.trending, candidates.popular, fresh[place], category)
        reasons.append(reason)
    return reasons


def liked_enough(liked: Mapping[int, float], categories: npt.NDArray[np.int16], clicks: Rows) -> frozenset[int]:
    """Codes of the categories of which a reader may be told that they like them.

    Args:
        liked: categories, by their codes, as shares of the clicks' weights.
        categories: int16 (A,), codes by row; -1 for none.
        clicks: int32, rows of the articles read.
    """
    enough = [code for code, share in liked.items() if share >= _LIKED_SHARE]
    if not enough:
        return _NO_CODES
    opened = Counter(categories[list(set(clicks.tolist()))].tolist())
    return frozenset(code for code in enough if opened[code] >= _LIKED_ARTICLES)


def plain_reasons(
    catalogue: Catalogue,
    trending: Collection[int],
    popular: Collection[int],
    fresh: Sequence[bool],
    rows: Rows,
    liked: Collection[int],
) -> list[Reason]:
    """Reasons that need no vector: the category liked, else what is true of the article for everybody.

    Args:
        catalogue: categories.
        trending: rows that may be called trending.
        popular: rows that may be called popular.
        fresh: (k,), whether each is news still.
        rows: int32 (k,), shown.
        liked: codes of the categories that the reader may be told to like, see ``liked_enough``.
    """
    reasons, codes = [], catalogue.columns.category[rows].tolist()
    for place, (row, code) in enumerate(zip(rows.tolist(), codes, strict=True)):
        if code in liked:
            reasons.append(Reason(ReasonKind.BECAUSE_YOU_LIKE, category=catalogue.category_names[code]))
        else:
            category = catalogue.category_names[code] if code >= 0 else None
            reasons.append(_common_reason(row, trending, popular, fresh[place], category))
    return reasons


def _common_reason(
    row: int, trending: Collection[int], popular: Collection[int], fresh: bool, category: str | None
) -> Reason:
    """The claim that is true of an article for everybody; what is new, or just there, says in which category."""
    if row in trending:
        return _TRENDING
    if fresh:
        return Reason(ReasonKind.FRESH, category=category)
    return _POPULAR if row in popular else Reason(ReasonKind.RECOMMENDED, category=category)


def _because_you_read(
    context: ReaderContext,
    rows: Rows,
    eligible: Eligibility,
    catalogue: Catalogue,
    shared: SharedFeatures,
    half_life_clicks: float,
    config: RecommendConfig,
    now: int,
) -> list[Reason | None]:
    """For each of k articles the one read that spoke most for it, if it really did and can be named."""
    reasons: list[Reason | None] = [None] * len(rows)
    if not len(rows) or not context.interests.known:
        return reasons
    languages = catalogue.columns.language[rows].tolist()
    places = {code: place for place, code in enumerate(dict.fromkeys(languages))}
    means = [shared.mean_vector(context.table, code, now) for code in places]
    language = np.array([places[code] for code in languages], np.int64)
    clicks, vectors = context.state.clicks, context.table.vectors
    strongest = strongest_read(vectors, np.array(means), language, clicks, half_life_clicks, rows)
    enough = (strongest.share >= _READ_SHARE) & (strongest.cosine >= _READ_COSINE) & eligible.showable[strongest.rows]
    places_enough = (enough & shared.share_a_tag(rows, strongest.rows)).nonzero()[0]
    shown, read = rows[places_enough].tolist(), strongest.rows[places_enough].tolist()
    codes = catalogue.columns.category
    apart = (codes[rows[places_enough]] != codes[strongest.rows[places_enough]]).tolist()
    named: set[int] = set()
    for place, row, other, differ in zip(places_enough.tolist(), shown, read, apart, strict=True):
        if other in named:
            continue
        shown_forms, read_forms = (shared.keyword_forms(one).unpacked() for one in (row, other))
        both = shown_forms.wholes & read_forms.wholes
        if both and (not differ or len(_named_keywords(read_forms, both, TAGS_APART)) == TAGS_APART):
            named.add(other)
            words = shared_keywords(read_forms, shown_forms, REASON_KEYWORDS)
            reasons[place] = Reason(ReasonKind.BECAUSE_YOU_READ, other, None, words)
    return reasons


class StrongestRead(NamedTuple):
    """Of each of k articles the article read that spoke most for it.

    Attributes:
        rows: int64 (k,); 0 where nothing is known.
        share: float32 (k,), its part of all that spoke for the article; 0 where nothing did.
        cosine: float32 (k,), its own cosine with the article; -1 where unknown.
    """

    rows: npt.NDArray[np.int64]
    share: Vectors
    cosine: Vectors


def strongest_read(
    vectors: Vectors,
    means: Vectors,
    language: npt.NDArray[np.int64],
    clicks: Rows,
    half_life_clicks: float,
    rows: Rows,
) -> StrongestRead:
    """The article read that gave the largest part of each article's similarity.

    The reader vector is the weighted sum of the articles' unit vectors, so its cosine with an article is, up to one
    common factor, the sum of weight times cosine. What all articles of a language have in common speaks for no article
    more than for another: each vector is taken without the mean of its language.

    Args:
        vectors: float32 (A, D), unit rows, NaN where unknown.
        means: float32 (L, D), of the articles in each language.
        language: int64 (k,), the place in ``means`` of each article's.
        clicks: int32 (n,), rows of the articles read, oldest first; one clicked twice speaks once, with both weights.
        half_life_clicks: see ``recsys.readers.weights``.
        rows: int32 (k,), the articles.
    """
    return StrongestRead(*_strongest_read(vectors, means, language, clicks, half_life_clicks, rows))


@compiled
def _strongest_read(
    vectors: Vectors,
    means: Vectors,
    language: npt.NDArray[np.int64],
    clicks: Rows,
    half_life_clicks: float,
    rows: Rows,
) -> tuple[npt.NDArray[np.int64], Vectors, Vectors]:
    k, D = len(rows), vectors.shape[1]
    strongest, share = np.zeros(k, np.int64), np.zeros(k, np.float32)
    cosine = np.full(k, np.float32(-1))
    read, parts = np.empty(len(clicks), np.int64), np.empty(len(clicks), np.float32)
    T, weight = 0, 1.0
    for p in range(len(clicks) - 1, -1, -1):
        row = clicks[p]
        if np.isnan(vectors[row, 0]):
            continue
        t = T  # in row order, so that of equal ones the first row is named
        while t > 0 and read[t - 1] > row:
            t -= 1
        if t > 0 and read[t - 1] == row:
            parts[t - 1] += np.float32(weight)
        else:
            for later in range(T, t, -1):
                read[later], parts[later] = read[later - 1], parts[later - 1]
            read[t], parts[t] = row, np.float32(weight)
            T += 1
        weight *= 0.5 ** (1.0 / half_life_clicks)
    if not T:
        return strongest, share, cosine
    centred, shown, cosines = np.empty((D, T), np.float32), np.empty(D, np.float32), np.empty(T, np.float32)
    for place in range(len(means)):
        for t in range(T):
            length = _centre(vectors[read[t]], means[place], shown)
            for d in range(D):
                centred[d, t] = shown[d] / length
        for b in range(k):
            if language[b] != place or np.isnan(vectors[rows[b], 0]):
                continue
            length = _centre(vectors[rows[b]], means[place], shown)
            cosines[:] = np.float32(0)
            for d in range(D):  # all articles read at once: the inner loop runs over memory in order
                one, column = shown[d] / length, centred[d]
                for t in range(T):
                    cosines[t] += one * column[t]
            total, most = np.float32(0), np.float32(0)
            for t in range(T):
                given = max(cosines[t], np.float32(0)) * parts[t]
                total += given
                if given > most:
                    most, strongest[b], cosine[b] = given, read[t], cosines[t]
            if total > 0:
                share[b] = most / total
    return strongest, share, cosine


@compiled
def _centre(vector: Vectors, mean: Vectors, out: Vectors) -> np.float32:
    """Write a vector without its mean, and give its length, which is never 0."""
    total = np.float32(0)
    for d in range(len(vector)):
        out[d] = vector[d] - mean[d]
        total += out[d] * out[d]
    return np.float32(max(np.sqrt(total), np.float32(1e-6)))


def repeated_keywords(clicked: Sequence[StoredForms]) -> frozenset[str]:
    """Folded keywords that two of the articles clicked have in common, one of them perhaps as a piece."""
    seen, twice = set[str](), set[str]()
    for forms in clicked:
        pieces = forms.pieces
        twice.update(seen.intersection(pieces))
        seen.update(pieces)
    return frozenset(twice.intersection(chain.from_iterable(forms.wholes for forms in clicked))) if twice else _NONE


def similar_reason(catalogue: Catalogue, row: int, other: int, n: int) -> Reason:
    """The claim that an article is like another one: at most ``n`` keywords that both have, the category of both."""
    category = catalogue.category(row)
    same = category if category == catalogue.category(other) else None
    words = shared_keywords(catalogue.articles.forms(other).unpacked(), catalogue.articles.forms(row).unpacked(), n)
    return Reason(ReasonKind.SIMILAR, row, same, words)


def shared_keywords(one: KeywordForms, other: KeywordForms, n: int) -> tuple[str, ...]:
    """At most ``n`` keywords of either article that both have, if only as a piece; as the first one writes them."""
    return _named_keywords(one, (one.pieces.keys() & other.wholes) | (other.pieces.keys() & one.wholes), n)


def _named_keywords(forms: KeywordForms, tags: Set[str], n: int) -> tuple[str, ...]:
    """At most ``n`` pieces of an article's keywords that are among some folded tags, most telling first.

    Of two that share a word, only the first is taken: "rate" says nothing beside "interest rate".
    """
    left = forms.pieces.keys() & tags
    if not left:
        return ()
    taken: dict[str, str] = {}
    for piece, written in forms.pieces.items():
        if len(taken) == n:
            break
        if piece in left and not any(alike(piece, other) for other in taken):
            taken[piece] = written
    return tuple(taken.values())
