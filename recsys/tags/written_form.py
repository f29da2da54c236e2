"""Written form: keywords in small letters -> as their article writes them, names whole.

Tokens are small, so that one word is one token; a reader is shown "Keir Starmer" and "NATO". An article says how it
writes a word where the word stands within a sentence: at the beginning of one, and in a line in title case, a capital
tells nothing. A keyword that an article writes only as a part of one longer name is shown as that name.
"""

import calendar
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from recsys.entities.capitals import TITLES_OF_PEOPLE, is_title_case

_READ = 20_000  # characters of a text; what an article is about stands in front
_LOOKED_AT = 12  # places where a keyword's first word stands
_LETTERS = "0-9A-Za-z\u00c0-\u024f\u0370-\u052f"  # of scripts that have capitals
_LETTER = re.compile(f"[{_LETTERS}]")
_GAP = re.compile(r"[\s_\u2010\u2011-]+")
_NAME_WORD = r"[A-Z\u00c0-\u00de\u0391-\u03a9\u0410-\u042f][\w'’.&-]*"
_LEFT = re.compile(rf"(?:{_NAME_WORD}[ \u00a0]+)+\Z")
_RIGHT = re.compile(rf"(?:[ \u00a0]+{_NAME_WORD})+")
_WORD = re.compile(r"[^\W\d_][\w'’-]*")
_NEAR = 60  # characters on either side that may belong to the same name
_OPENS = " \u00a0\"'“”‘’«»„([{*_"  # may stand between the end of a sentence and the next one
_ENDS = ".!?:;\n\r…。！？：；|–—"
_MOST_WORDS = 5  # of a name
_CALENDAR = frozenset(word.lower() for word in (*calendar.month_name, *calendar.day_name))
_NO_NAME = TITLES_OF_PEOPLE | _CALENDAR | {"the", "a", "an", "i"}  # written with a capital, and no part of a name


class Mention(NamedTuple):
    """One place at which a keyword stands.

    Attributes:
        form: as it is written there.
        name: the longer name that it is a part of; the form itself where it is none.
        within: whether it stands within a sentence, where a capital tells something.
    """

    form: str
    name: str
    within: bool


class WrittenText:
    """A text, for looking up how it writes its keywords.

    Args:
        title: of the article.
        body: of the article; the first 20,000 characters of both are read.
    """

    def __init__(self, title: str, body: str) -> None:
        self._text = f"{title}\n{body}"[:_READ]
        small = self._text.lower()
        if len(small) != len(self._text):  # İ becomes two characters
            small = "".join(letter.lower() if len(letter.lower()) == 1 else letter for letter in self._text)
        self._small = small
        self._headlines: dict[int, bool] = {}

    def form_of(self, keyword: str) -> str:
        """A keyword as the text writes it, alone or as the whole name that it is always a part of.

        Args:
            keyword: in any case, words separated by blanks or joined by "_".

        Returns:
            The keyword as it came where the text does not tell.
        """
        words = keyword.replace("_", " ").split()
        mentions = list(self._mentions(words)) if words else []
        telling = [mention for mention in mentions if mention.within or _is_name_anywhere(mention.form)]
        alone = [mention.form for mention in telling if mention.name == mention.form]
        names = {mention.name for mention in telling}
        if not telling and len(words) > 1:
            return " ".join(self._word(word) for word in words)
        if alone or len(names) != 1:
            forms = alone or [mention.form for mention in telling]
            return Counter(forms).most_common(1)[0][0] if forms else " ".join(words)
        return names.pop()

    def _word(self, word: str) -> str:
        """One word of a keyword that stands nowhere within a sentence."""
        forms = [mention.form for mention in self._mentions([word]) if mention.within]
        return Counter(forms).most_common(1)[0][0] if forms else word

    def _mentions(self, words: Sequence[str]) -> Iterator[Mention]:
        words = [word.lower() for word in words]
        end = 0
        for _ in range(_LOOKED_AT):
            begin = self._small.find(words[0], end)
            if begin < 0:
                return
            end = begin + len(words[0])
            last = self._end_of(words, end)
            if last < 0 or _LETTER.match(self._small[begin - 1 : begin]) or self._in_headline(begin):
                continue
            end = last
            form = " ".join(self._text[begin:end].split())
            before = self._text[max(0, begin - _NEAR) : begin]
            yield Mention(form, self._name(form, begin, end), not _begins_sentence(before))

    def _end_of(self, words: Sequence[str], end: int) -> int:
        """The end of the last of some words whose first one ends at ``end``; -1 where they do not stand there."""
        for word in words[1:]:
            gap = _GAP.match(self._small, end)
            if gap is None or not self._small.startswith(word, gap.end()):
                return -1
            end = gap.end() + len(word)
        return -1 if _LETTER.match(self._small, end) else end

    def _name(self, form: str, begin: int, end: int) -> str:
        """The run of capitals around a mention that is written with one itself."""
        if not form[0].isupper() or not form.split()[-1][0].isupper():
            return form
        left = _LEFT.search(self._text, max(0, begin - _NEAR), begin)
        right = _RIGHT.match(self._text, end, min(len(self._text), end + _NEAR))
        front = left[0].split() if left else []
        if left and front and _begins_sentence(self._text[max(0, left.start() - _NEAR) : left.start()]):
            front = front[1:]  # a capital for the sentence's sake, as far as anybody can tell
        while front and (front[0].lower().rstrip(".") in _NO_NAME or front[0].endswith((".", "'s", "’s"))):
            front = front[1:]
        back = _name_behind(right[0].split() if right else [])
        if any(word[-1] in ".,;:" or word.lower() in _NO_NAME for word in front):
            front = []
        whole = [*front, form, *back]
        return " ".join(whole) if len(" ".join(whole).split()) <= _MOST_WORDS else form

    def _in_headline(self, place: int) -> bool:
        """True for a line in title case or in capitals alone, which tells nothing of its words."""
        start = self._text.rfind("\n", 0, place) + 1
        if start not in self._headlines:
            stop = self._text.find("\n", start)
            self._headlines[start] = _is_headline(self._text[start : len(self._text) if stop < 0 else stop])
        return self._headlines[start]


def written_keywords(title: str, body: str, keywords: Sequence[str]) -> tuple[str, ...]:
    """Keywords as an article writes them; those of scripts without capitals stay as they are.

    Args:
        title: of the article.
        body: of the article.
        keywords: in small letters, as they are ranked.
    """
    if all(keyword.lower() == keyword.upper() for keyword in keywords):
        return tuple(keywords)
    text = WrittenText(title, body)
    return tuple(keyword if keyword.lower() == keyword.upper() else text.form_of(keyword) for keyword in keywords)


def _name_behind(words: list[str]) -> list[str]:
    """The words behind a mention that belong to its name: up to a mark at which a name ends, and no day or title."""
    taken: list[str] = []
    for word in words:
        if word.lower().rstrip(".") in _NO_NAME:
            break
        bare = re.sub(r"['’]s?\Z|[.&'’-]+\Z", "", word)
        if bare:
            taken.append(bare)
        if bare != word:
            break
    return taken


def _begins_sentence(before: str) -> bool:
    bare = before.rstrip(_OPENS)
    return not bare or bare[-1] in _ENDS


def _is_name_anywhere(form: str) -> bool:
    """True for a form whose capitals the beginning of a sentence does not explain: NATO, iPhone, Keir Starmer."""
    rest = form[1:]
    return any(letter.isupper() for letter in rest)


def _is_headline(line: str) -> bool:
    words = [word for word in _WORD.findall(line) if word[0].lower() != word[0].upper()]
    return bool(words) and ((len(words) > 1 and all(map(str.isupper, words))) or is_title_case(words))
