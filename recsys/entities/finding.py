"""Names of an article: what came with it, a dictionary that editors grow, and a tagger or, without one, rules.

The rules need no labels. In Chinese the words that rjieba tags as a person, a place or an organisation are names; in
front of an ending that organisations have, neighbours are one. Elsewhere see ``recsys.entities.capitals``.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from recsys.entities.capitals import of_capitals, sentences_of
from recsys.entities.dictionary import ListedNames
from recsys.entities.kinds import ORGANISATION, PERSON, PLACE, UNKNOWN, NamedEntity
from recsys.entities.labels import spans_of
from recsys.entities.tagger import Tagger
from recsys.tokens.segmenter import ChineseDictionary

READ_CHARS = 20_000  # of a text that are read: what an article is about stands in front
MOST_NAMES = 50  # of an article
_CHINESE_TYPES = {"nr": PERSON, "nrfg": PERSON, "nrt": PERSON, "ns": PLACE, "nt": ORGANISATION}
_ENDINGS = "公司 集团 银行 大学 学院 医院 法院 委员会 协会 联盟 研究所 研究院 俱乐部 队 政府 议会"
_CHINESE_ENDINGS = frozenset(_ENDINGS.split())  # of organisations
_LEAST_CHINESE = 2  # characters
_MOST_LINKS = 4  # words of an organisation's name in Chinese
_CHINESE_SENTENCE = re.compile(r"[^。！？；\s]+[。！？；]?")


Place = tuple[int, int, str]  # first character, the one behind the last, type
Places = list[Place]


class LanguageTagger(NamedTuple):
    """A tagger, and the code of the language whose texts it may read."""

    tagger: Tagger
    language: str


class EntityFinder:
    """Finder of the names of articles.

    Args:
        chinese: rjieba, or its dictionary with the user's words.
        dictionary: names as editors write them -> their types.
        trained: reads the texts of its language instead of the rules.
    """

    def __init__(
        self,
        chinese: ChineseDictionary,
        dictionary: Mapping[str, str] | None = None,
        trained: LanguageTagger | None = None,
    ) -> None:
        self._chinese, self._trained = chinese, trained
        self._types = dict(dictionary or {})
        self._listed = ListedNames(self._types)

    def entities_of(self, text: str, language: str, given: Sequence[str] = ()) -> list[NamedEntity]:
        """Names of a text, each once and in its written form: those given, then in the order in which they stand there.

        Where two lie over each other, an editor's wins, and of those the one that begins first, then the longer one.

        Args:
            text: title and body, on lines of their own; the first 20,000 characters are read.
            language: its code.
            given: names that came with the article, whether they stand in the text or not.
        """
        text = text[:READ_CHARS]
        by_editors = [(begin, end, self._types[text[begin:end]]) for begin, end in self._listed.places(text)]
        found = _not_over(by_editors, self.places_of(text, language))
        names = [NamedEntity(name.strip(), self._types.get(name.strip(), UNKNOWN)) for name in given if name.strip()]
        names += [NamedEntity(" ".join(text[begin:end].split()), kind) for begin, end, kind in found]
        types: dict[str, str] = {}
        for name, kind in names:
            types[name] = types.get(name) or kind
        return [NamedEntity(name, kind) for name, kind in types.items()][:MOST_NAMES]

    def places_of(self, text: str, language: str) -> Places:
        """Places of the names that the tagger or the rules find, without the dictionary."""
        if self._trained and language == self._trained.language:
            return list(tagged_places(text, self._trained.tagger))
        return list(self._of_chinese(text)) if language == "zh" else of_capitals(text)

    def _of_chinese(self, text: str) -> Iterator[Place]:
        run: Places = []
        begin = 0
        for word, tag in [*self._chinese.tag(text.encode("utf-8", "replace").decode()), ("", "")]:
            end = begin + len(word)
            kind = _CHINESE_TYPES.get(tag, "")
            if run and word in _CHINESE_ENDINGS and len(run) < _MOST_LINKS:
                yield run[0][0], end, ORGANISATION
                run = []
            elif kind:
                run.append((begin, end, kind))
            else:
                yield from (name for name in run if name[1] - name[0] >= _LEAST_CHINESE)
                run = []
            begin = end


def tagged_places(text: str, tagger: Tagger) -> Iterator[Place]:
    """Places of the names that a tagger finds in a text."""
    if tagger.style == "characters":
        characters = re.compile(r"\S")
        sentences = [list(characters.finditer(text, *part.span())) for part in _CHINESE_SENTENCE.finditer(text)]
    else:
        sentences = sentences_of(text, keep_ends=True)
    labels = tagger.tag([[token[0] for token in sentence] for sentence in sentences])
    for sentence, found in zip(sentences, labels, strict=True):
        for begin, end, kind in spans_of(found)[0]:
            yield sentence[begin].start(), sentence[end - 1].end(), kind


def _not_over(first: Places, second: Places) -> Places:
    """Names of both in reading order, without those of the second that lie over one of the first."""
    taken = {place for begin, end, _ in first for place in range(begin, end)}
    return sorted([*first, *(name for name in second if taken.isdisjoint(range(name[0], name[1])))])
