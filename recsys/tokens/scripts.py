"""Scripts whose words stand without spaces between them, and Korean, whose particles stand without one.

Japanese is cut where its script changes: a run of kanji or of katakana is a word, a run of hiragana an ending or a
particle. Thai, Lao, Khmer, Burmese and Tibetan need a dictionary that this system does not have: of their texts only
what is written in other letters becomes words, so that they are shown and ranked by their clicks, without tags.
"""

import re

_WITHOUT_WORDS = frozenset({"th", "lo", "km", "my", "bo"})
UNSPACED_LANGUAGES = _WITHOUT_WORDS | {"ja"}
KANJI = "\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
KATAKANA = "\u30a1-\u30fa\u30fc-\u30ff"
HIRAGANA = "\u3041-\u309f"

_RUN = re.compile(
    rf"(?P<word>[{KANJI}]+|[{KATAKANA}]+|[{HIRAGANA}]+)|[\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u19e0-\u19ff]+"
)
_FIRST, _LAST, _CODAS = 0xAC00, 0xD7A3, 28  # Korean syllables: each of 28 codas in turn, the first of which is none
_L = 8  # the coda ㄹ, behind which 로 stands as behind none
_LEAST = 2  # syllables of a word that may bear a particle: of one alone a name may be left
# By the book 은 and 을 stand behind a coda; people write, and machines make, them behind any syllable.
_BEHIND_ANY = "까지 부터 에서 에게 에는 보다 에 의 은 는 을 를 와"
_BEHIND_CODA = "으로는 이라고 으로 이 과"
_BEHIND_NONE = "라고 가 로"
_FITS = {
    **dict.fromkeys(_BEHIND_ANY.split(), (True, True)),
    **dict.fromkeys(_BEHIND_CODA.split(), (False, True)),
    **dict.fromkeys(_BEHIND_NONE.split(), (True, False)),
}
_PARTICLES = sorted(_FITS, key=len, reverse=True)  # without and with a coda before them
_KEPT = (
    "주의",
    "회의",
    "논의",
    "합의",
    "동의",
    "결의",
    "강의",
    "정의",
    "협의",
    "어린이",
)  # nouns that end like a particle


def apart(text: str) -> str:
    """Put spaces between runs of different scripts; runs that cannot be cut become punctuation.

    Args:
        text: of ``recsys.tokens.clean.normal``, in a language of ``UNSPACED_LANGUAGES``.
    """
    return _RUN.sub(lambda run: f" {run['word']} " if run["word"] else ";", text)


def is_japanese_word(word: str) -> bool:
    """True for a word with a kanji or katakana: one in hiragana alone is a particle or an ending."""
    return re.search(rf"[{KANJI}{KATAKANA}a-z]", word) is not None


def is_korean_sentence_end(word: str) -> bool:
    """True for a Korean predicate, as its ending says: 발표했다."""
    return len(word) > _LEAST and word.endswith("다")


def without_particle(word: str) -> str:
    """A Korean word without the particle at its end: 감독은 -> 감독; others as they are."""
    for particle in _PARTICLES:
        stem = word[: -len(particle)]
        if len(stem) < _LEAST or not word.endswith(particle) or not _FIRST <= ord(stem[-1]) <= _LAST:
            continue
        coda = (ord(stem[-1]) - _FIRST) % _CODAS
        fits = _FITS[particle][coda > 0] or (particle == "로" and coda == _L)
        return stem if fits and not word.endswith(_KEPT) else word
    return word
