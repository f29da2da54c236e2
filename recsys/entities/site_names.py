"""Names that a site knows of itself: what came with an article, its editors' dictionary, and the tagger it trained.

Reads ``labels/entities.csv`` and the workspace's tagger; produces a folder that a release carries, and of an article
the names by which its tags are called. Names by rules are not among them: tags tell capitals by themselves, and in
keywords such names gained nothing (docs/entities.md).
"""

import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from recsys.entities.dictionary import DICTIONARY, ListedNames, read_dictionary
from recsys.entities.finding import READ_CHARS, LanguageTagger, tagged_places
from recsys.entities.tagger import load_tagger
from recsys.tokens.segmenter import ChineseDictionary
from recsys.workspace import read_json
from recsys.workspace.disk import STAGE_FILE

TAGGER = "tagger"  # folder of the tagger in a release's
LANGUAGE = "language.json"
_NUMBERED = re.compile(r"Q\d+:")  # MIND's entities have their number in Wikidata in front


class ArticleNames(NamedTuple):
    """Names of one article, in the order in which they stand there.

    Attributes:
        given: that came with it or that editors listed, and that its text has.
        found: by a tagger, besides.
    """

    given: tuple[str, ...] = ()
    found: tuple[str, ...] = ()


class SiteNames:
    """Finder of the names of articles.

    Args:
        listed: names as editors write them.
        trained: reads the texts of its language.
    """

    def __init__(self, listed: Sequence[str] = (), trained: LanguageTagger | None = None) -> None:
        self._listed, self._trained = ListedNames(listed), trained

    @classmethod
    def load(cls, folder: Path, chinese: Callable[[], ChineseDictionary]) -> "SiteNames":
        """Read what ``save_site_names`` wrote; a folder that is not there has no names.

        Args:
            folder: of the names.
            chinese: gives rjieba, or its dictionary with the user's words; asked only where there is a tagger.

        Raises:
            CorruptArtefact: see ``load_tagger``.
        """
        trained = None
        if (folder / TAGGER).is_dir():
            language = read_json(folder / TAGGER / LANGUAGE)["language"]
            trained = LanguageTagger(load_tagger(folder / TAGGER, chinese()), language)
        return cls(tuple(read_dictionary(folder / DICTIONARY).types), trained)

    def read_ahead(self) -> None:
        """Tag a text of nobody's, so that the first article does not wait for the tagger to be compiled."""
        if self._trained:
            self.of("News of today", "今天的新闻", self._trained.language)

    def of(self, title: str, body: str, language: str, given: Sequence[str] = ()) -> ArticleNames:
        """Names of an article.

        Args:
            title: of the article.
            body: of the article; the first 20,000 characters of both are read.
            language: its code.
            given: names that came with it; those that the text does not have are left out.
        """
        text = f"{title}\n{body}"[:READ_CHARS]
        came = ListedNames(_NUMBERED.sub("", name, count=1).strip() for name in given)
        names = dict.fromkeys(
            text[begin:end] for begin, end in _apart({*came.places(text), *self._listed.places(text)})
        )
        found = dict[str, None]()
        if self._trained and language == self._trained.language:
            tagged = (text[begin:end] for begin, end, _ in tagged_places(text, self._trained.tagger))
            found = dict.fromkeys(" ".join(name.split()) for name in tagged)
        return ArticleNames(tuple(names), tuple(name for name in found if name not in names))


def _apart(places: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Places in their order, without those that lie over an earlier one or within a longer one."""
    after = 0
    for begin, end in sorted(places, key=lambda place: (place[0], -place[1])):
        if begin >= after:
            yield begin, end
            after = end


def save_site_names(dictionary: Path, tagger: Path, folder: Path) -> dict[str, int]:
    """Copy the editors' dictionary and the tagger, as far as there are any.

    Returns:
        Counts for a log: listed names, and lines of the file that were left out.
    """
    if tagger.is_dir():
        shutil.copytree(tagger, folder / TAGGER, ignore=shutil.ignore_patterns(STAGE_FILE))
    listed = read_dictionary(dictionary)
    if listed.types:
        folder.mkdir(exist_ok=True)
        shutil.copyfile(dictionary, folder / DICTIONARY)
    counts = {"names": len(listed.types), "names_left_out": listed.left_out}
    return {name: count for name, count in counts.items() if count}
