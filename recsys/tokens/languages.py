"""Tell an article's language: by the code it came with, by its script, and English by its function words.

Everything that is neither Chinese nor English is "other": its words are cut at spaces and punctuation, are learned from
and become keywords by their own frequencies; it has no stop words, no parts of speech and no collocations.
"""

import re

from recsys.tokens.table import LANGUAGES

_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f\u1e00-\u1eff]+")
_KANA = re.compile(r"[\u3040-\u30ff]+")
_LETTER = re.compile(r"[^\W\d_]+")
_HAN_WEIGHT = 3  # one Chinese character says about as much as three Latin letters
_KANA_SHARE = 0.1  # of Han characters: Chinese text holds a kana now and then, Japanese one in two
_DETECT_CHARS = 500  # of title and body each; a language does not change later in a text
_ENOUGH_WORDS = 30  # a shorter text may lack function words, as headlines do
_ENGLISH_SHARE = 0.08  # of all words; English has 0.2 and more of these, its neighbours 0.03 at most
_FUNCTION_WORDS = """
the of and to that for with is was are by from his her has have been not this but they which were their its said
"""
_ENGLISH_WORDS = frozenset(_FUNCTION_WORDS.split())


def known_language(language: str | None) -> str | None:
    """The language that a given code names, or None when it names none.

    Returns:
        "zh" or "en" for their codes with any region ("zh-CN", "en_GB"), "other" for other two- and three-letter codes.
    """
    code = re.split(r"[-_]", (language or "").strip().lower())[0]
    if code in LANGUAGES:
        return code
    return "other" if re.fullmatch(r"[a-z]{2,3}", code) and code != "und" else None


def detect(title: str, body: str = "") -> str:
    """Tell the language of a text from its beginning.

    By script: "zh" for Han characters without kana, "en" for Latin letters, "other" for the rest. A Han character
    counts as much as three Latin letters; a script that is neither wins with half of all letters. A Latin text of 30
    words and more is English only when enough of its words are English function words.

    Args:
        title: any text.
        body: any text; the first 500 characters of either are looked at.
    """
    text = f"{title[:_DETECT_CHARS]} {body[:_DETECT_CHARS]}"
    han, latin, letters = (sum(map(len, script.findall(text))) for script in (_HAN, _LATIN, _LETTER))
    rest = letters - han - latin
    if rest >= han + latin:
        return "other"
    if han * _HAN_WEIGHT > latin:
        return "other" if sum(map(len, _KANA.findall(text))) > _KANA_SHARE * han else "zh"
    words = _LETTER.findall(text.lower())
    if len(words) < _ENOUGH_WORDS:
        return "en"
    return "en" if sum(word in _ENGLISH_WORDS for word in words) >= _ENGLISH_SHARE * len(words) else "other"
