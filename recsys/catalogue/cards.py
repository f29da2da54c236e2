"""Cards: what is shown of each article, packed as JSON by row and unpacked when somebody asks.

Reads the cards of a release where they lie in its file, and those that came after it; produces ``CatalogueArticle``.
An object of Python takes 4 KB, its JSON some 700 bytes, and that of a release lies in memory that workers share.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import fields
from operator import itemgetter
from typing import Any, NamedTuple, overload

import pyarrow as pa

from recsys.catalogue.articles import (
    NO_KEYWORDS,
    ArticleAnnotations,
    CatalogueArticle,
    Guesses,
    KeywordForms,
    keyword_forms,
)
from recsys.catalogue.blobs import ArrowFile, Blobs
from recsys.keywords import TagRanks
from recsys.tags.named import unnamed

_UNPACKED = 1_024  # articles kept unpacked, at least: those of the lists of now; 4 to 8 MiB
_FIELDS = [field.name for field in fields(CatalogueArticle)]

_decode = json.JSONDecoder().raw_decode

Packed = bytes


class ShownFields(NamedTuple):
    """The fields of an article that every list shows; see ``CatalogueArticle``."""

    title: str
    url: str | None
    image: str | None
    source: str | None
    language: str
    category: str | None
    published_at: int | None


_shown = itemgetter(*map(_FIELDS.index, ShownFields._fields))


class AnnotatedArticle(NamedTuple):
    """One article, and the models' guess of its category, where it came with one of its own."""

    article: CatalogueArticle
    guess: tuple[str | None, Guesses, bool] | None

    @property
    def annotations(self) -> ArticleAnnotations:
        """The models' annotations of the article; its tags are called by names anew whenever it changes."""
        of = self.article
        category, bar, topic = (of.category, of.bar, of.topic) if self.guess is None else self.guess
        ranked = unnamed(TagRanks(of.keywords, of.weights, of.parts))
        return ArticleAnnotations(of.language, *ranked, category, bar, topic, of.labels)


def packed(article: CatalogueArticle, annotations: ArticleAnnotations | None = None) -> Packed:
    """JSON of a card; ``annotations`` are kept as far as the article does not say the same."""
    guess = None
    if annotations is not None and article.given:
        guess = (annotations.category, annotations.bar, annotations.topic)
    values = [getattr(article, name) for name in _FIELDS]
    return json.dumps([*values, guess], ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def unpacked(packed: Packed) -> AnnotatedArticle:
    """A card from its JSON."""
    *values, guess = _values(packed)
    said = dict(zip(_FIELDS, values, strict=True))
    for name in ("keywords", "weights", "parts"):
        said[name] = tuple(said[name])
    said["bar"], said["labels"] = _pairs(said["bar"]), tuple(map(tuple, said["labels"]))
    article = CatalogueArticle(**said)
    return AnnotatedArticle(article, None if guess is None else (guess[0], _pairs(guess[1]), guess[2]))


def _values(packed: Packed) -> list[Any]:
    values: list[Any] = _decode(packed.decode("utf-8", "surrogatepass"))[0]
    return values


def packed_forms(forms: KeywordForms) -> Packed:
    """JSON of keywords in their folded forms: each as it is written, 0 where that is the same; places of the wholes."""
    written = [0 if folded == form else form for folded, form in forms.pieces.items()]
    wholes = [place for place, folded in enumerate(forms.pieces) if folded in forms.wholes]
    values = [list(forms.pieces), written, wholes]
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


class StoredForms:
    """Keywords of one article in their folded forms, as they are stored, and read as far as somebody asks.

    Args:
        packed: by ``packed_forms``.
    """

    __slots__ = ("_json", "_pieces", "_wholes")

    def __init__(self, packed: Packed) -> None:
        self._json = packed.decode("utf-8", "surrogatepass")
        self._pieces: list[str] | None = None
        self._wholes: list[str] | None = None

    @property
    def pieces(self) -> list[str]:
        """The folded forms alone, see ``KeywordForms``."""
        pieces = self._pieces
        if pieces is None:
            pieces = self._pieces = _decode(self._json, 1)[0]
        return pieces

    @property
    def wholes(self) -> list[str]:
        """The keywords alone, folded."""
        wholes = self._wholes
        if wholes is None:
            pieces, places = self.pieces, _decode(self._json, self._json.rindex("["))[0]  # the last list, of numbers
            wholes = self._wholes = [pieces[place] for place in places]
        return wholes

    def may_hold(self, quoted: Iterable[str]) -> bool:
        """False where none of some folded forms, each as a string of JSON, is a piece; in a fifth of the time."""
        return any(one in self._json for one in quoted)

    def unpacked(self) -> KeywordForms:
        """All of it."""
        folded, written, wholes = _decode(self._json)[0]
        pieces = {piece: form or piece for piece, form in zip(folded, written, strict=True)}
        return KeywordForms(pieces, frozenset(folded[place] for place in wholes))


NO_FORMS = StoredForms(packed_forms(NO_KEYWORDS))


def _pairs(bar: Iterable[Iterable[Any]]) -> Guesses:
    return tuple((name, confidence) for name, confidence in bar)


class Cards(Sequence[CatalogueArticle | None]):
    """The articles of the catalogue by row; None for one that is known only from clicks.

    One thread writes; any may read meanwhile.
    """

    def __init__(
        self,
        size: int = 0,
        released: pa.Array | None = None,
        forms: pa.Array | None = None,
        file: ArrowFile | None = None,
    ) -> None:
        """Cards of a release, then rows of which nothing is known.

        Args:
            size: rows in all.
            released: Arrow bytes (A,), null for an article that is known only from clicks.
            forms: Arrow bytes (A,), of its keywords; without them they are made when they are asked for.
            file: that both are mapped from, if they are.
        """
        self._forms = None if forms is None else Blobs(forms, file)
        self._released = Blobs(pa.array([], pa.large_binary()) if released is None else released, file)
        self._size = max(size, len(self._released))
        self._late: dict[int, Packed] = {}
        self._young: dict[int, tuple[Packed | None, CatalogueArticle]] = {}
        self._old: dict[int, tuple[Packed | None, CatalogueArticle]] = {}

    def __len__(self) -> int:
        return self._size

    def append(self) -> int:
        """Add a row of which nothing is known; returns it."""
        self._size += 1
        return self._size - 1

    def __setitem__(self, row: int, article: CatalogueArticle) -> None:
        self._late[row] = packed(article)

    @overload
    def __getitem__(self, row: int) -> CatalogueArticle | None: ...

    @overload
    def __getitem__(self, row: slice) -> list[CatalogueArticle | None]: ...

    def __getitem__(self, row: int | slice) -> CatalogueArticle | list[CatalogueArticle | None] | None:
        if isinstance(row, slice):
            return [self[one] for one in range(self._size)[row]]
        late = self._late.get(row)
        kept = self._young.get(row) or self._old.get(row)
        if kept is None or kept[0] is not late:
            raw = self._packed(row)
            if raw is None:
                return None
            kept = (late, unpacked(raw).article)
        if len(self._young) >= _UNPACKED:
            self._old, self._young = self._young, {}
        self._young[row] = kept
        return kept[1]

    def shown(self, row: int) -> ShownFields | None:
        """The fields of an article that every list shows; None for one that is known only from clicks."""
        raw = self._packed(row)
        return None if raw is None else ShownFields._make(_shown(_values(raw)))

    def known(self, row: int) -> bool:
        """True for a row with an article, not only with clicks."""
        return row in self._late or (row < len(self._released) and self._released.is_valid(row))

    def forms(self, row: int) -> StoredForms:
        """The keywords of an article in their folded forms; none for one that is known only from clicks."""
        if self._forms is not None and row < len(self._forms) and row not in self._late:
            raw = self._forms[row]
            return NO_FORMS if raw is None else StoredForms(raw)
        article = self[row]
        return (
            NO_FORMS if article is None else StoredForms(packed_forms(keyword_forms(article.keywords, article.parts)))
        )

    def nightly(self, row: int) -> ArticleAnnotations | None:
        """The annotations by the release's models; None for an article that is newer."""
        raw = self._released[row] if row < len(self._released) else None
        return None if raw is None else unpacked(raw).annotations

    def changed(self, row: int) -> Packed | None:
        """A card that is not the release's; the same object until it changes again. None for the release's own."""
        return self._late.get(row)

    def late(self) -> dict[int, Packed]:
        """The cards that are not the release's."""
        return dict(self._late)

    def _packed(self, row: int) -> Packed | None:
        if (late := self._late.get(row)) is not None:
            return late
        if not 0 <= row < self._size:
            raise IndexError(row)
        return self._released[row] if row < len(self._released) else None


def arrow_bytes(packed: Sequence[Packed | None]) -> pa.Array:
    """Cards, or forms, as Arrow bytes, as ``Cards`` reads them."""
    return pa.array(packed, pa.large_binary())
