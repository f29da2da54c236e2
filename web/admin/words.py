"""The admin API's words: the nearest ones, analogies, and new words that wait for an editor.

Reads the files of the release that is served, and what editors said; produces answers under ``/admin/api``.
"""

from functools import lru_cache
from pathlib import Path

from apiflask import APIBlueprint
from pydantic import BaseModel, ConfigDict, Field

from recsys.errors import MissingArtefact, UnknownName
from recsys.store import WordDecision
from recsys.tokens.lexicon import load_lexicon
from recsys.words import WordVectors, load_words
from recsys.words.nearest import nearest_words
from web.access import actor
from web.admin.handlers import never_stored
from web.api.schemas import In
from web.installation import Installation, installation

MAX_WORDS, MAX_NEAREST = 10, 100
MAX_LISTED = 500  # new words; those that wait come first

blueprint = APIBlueprint("words", __name__, url_prefix="/admin/api", tag="admin")
blueprint.after_request(never_stored)


class NearestQuery(In):
    """The words that are asked about."""

    like: str = Field(min_length=1, max_length=400, description=f"words apart by blanks, at most {MAX_WORDS}")
    unlike: str = Field("", max_length=400, description="words that are subtracted: an analogy")
    last: int = Field(20, ge=1, le=MAX_NEAREST, description="words at most")


class NearWordOut(BaseModel):
    """A word near the query."""

    word: str
    count: int = Field(description="how often it stands in the corpus")
    cosine: float


class NearestWords(BaseModel):
    """The nearest words of the release that is served."""

    release: str
    unknown: list[str] = Field(description="given words that have no vector")
    nearest: list[NearWordOut]


class NewWord(BaseModel):
    """A new word, or a collocation, that a night has found."""

    language: str
    entry: str
    parts: list[str]
    count: int = Field(description="in the corpus")
    npmi: float = Field(description="how its parts hang together, at most 1")
    accepted: bool | None = Field(description="what an editor said; null: it waits")
    set_at: int | None = Field(description="ms UTC, when they did")
    set_by: str | None


class NewWords(BaseModel):
    """New words, those that wait first."""

    release: str | None = Field(description="in which they are words now")
    waiting: int
    words: list[NewWord]


class WordIn(BaseModel):
    """A decision on a new word."""

    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra={"example": {"accepted": True}})

    accepted: bool = Field(description="false: the next night does not join its parts")


@blueprint.get("/words/nearest")
@blueprint.input(NearestQuery, location="query", arg_name="query")
@blueprint.output(NearestWords)
@blueprint.doc(security="bearer")
def read_nearest(query: NearestQuery) -> NearestWords:
    """The words nearest to some words, less others: like "b c" and unlike "a" is what is to c as b is to a."""
    here = installation()
    space = _space(_folder(here, "words"))
    like, unlike = (text.lower().split()[:MAX_WORDS] for text in (query.like, query.unlike))
    near = nearest_words(space, like, unlike, query.last)
    unknown = [word for word in (*like, *unlike) if word not in space.row_of]
    said = [NearWordOut(word=one.word, count=one.occurrences, cosine=one.cosine) for one in near]
    return NearestWords(release=str(here.live.release), unknown=unknown, nearest=said)


@blueprint.get("/words/new")
@blueprint.output(NewWords)
@blueprint.doc(security="bearer")
def read_new_words() -> NewWords:
    """New words and collocations of the release that is served, with what editors said of them."""
    here = installation()
    words = sorted(_new_words(here).values(), key=lambda one: (one.accepted is not None, -one.npmi, one.entry))
    waiting = sum(one.accepted is None for one in words)
    return NewWords(release=here.live.release, waiting=waiting, words=words[:MAX_LISTED])


@blueprint.put("/words/new/<string:language>/<path:entry>", merge_slashes=False)
@blueprint.input(WordIn)
@blueprint.output(NewWord)
@blueprint.doc(security="bearer")
def decide_word(language: str, entry: str, json_data: WordIn) -> NewWord:
    """Accept or refuse a new word: the next night follows, and every one after it."""
    here = installation()
    word = _new_words(here).get((language, entry))
    if word is None:
        raise UnknownName("a new word that is listed", f"{entry!r:.80}", "GET /admin/api/words/new lists them.")
    known = next(
        (one for one in here.store.word_decisions(here.live.site) if (one.language, one.entry) == (language, entry)),
        WordDecision(language, entry, True, tuple(word.parts), word.count, word.npmi, _entropy(here, language, entry)),
    )
    made = here.store.decide_word(here.live.site, known._replace(accepted=json_data.accepted), actor())
    return _with(word, made)


@blueprint.delete("/words/new/<string:language>/<path:entry>", merge_slashes=False)
@blueprint.output({}, status_code=204)
@blueprint.doc(security="bearer")
def withdraw_word(language: str, entry: str) -> str:
    """Take a decision on a word back: it waits again. 204."""
    here = installation()
    if not here.store.withdraw_word(here.live.site, language, entry, actor()):
        raise UnknownName("a word that was decided on", f"{entry!r:.80}", "GET /admin/api/words/new lists them.")
    return ""


def _new_words(here: Installation) -> dict[tuple[str, str], NewWord]:
    """The entries of the live lexicon, and those that editors decided on and that it does not hold."""
    words: dict[tuple[str, str], NewWord] = {}
    if here.live.release is not None:
        for one in load_lexicon(_folder(here, "tokens")).entries:
            facts = {"parts": list(one.parts), "count": one.occurrences, "npmi": round(one.npmi, 3)}
            word = NewWord(language=one.language, entry=one.entry, **facts, accepted=None, set_at=None, set_by=None)
            words[one.language, one.entry] = word
    for said in here.store.word_decisions(here.live.site):
        gone = NewWord(
            language=said.language,
            entry=said.entry,
            parts=list(said.parts),
            count=said.occurrences,
            npmi=round(said.npmi, 3),
            accepted=None,
            set_at=None,
            set_by=None,
        )
        key = said.language, said.entry
        words[key] = _with(words.get(key, gone), said)
    return words


def _with(word: NewWord, said: WordDecision) -> NewWord:
    return word.model_copy(update={"accepted": said.accepted, "set_at": said.set_at, "set_by": said.set_by})


def _entropy(here: Installation, language: str, entry: str) -> float:
    entries = load_lexicon(_folder(here, "tokens")).entries
    return next(one.branching_entropy for one in entries if (one.language, one.entry) == (language, entry))


def _folder(here: Installation, stage: str) -> Path:
    """A stage's folder in the release that is served.

    Raises:
        MissingArtefact: there is no release.
    """
    if here.live.release is None:
        raise MissingArtefact("a release that is served", "none yet", "Run: python -m jobs all")
    return here.releases.root / here.live.release / stage


@lru_cache(maxsize=1)
def _space(folder: Path) -> WordVectors:
    """The words of a release; the vectors stay in their file."""
    return load_words(folder, mapped=True)
