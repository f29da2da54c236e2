"""Languages: codes of any standard -> one code, and the language of a text.

A text's script is counted first, since most scripts say the language; the languages that share one (Latin, Cyrillic,
Arabic, Devanagari) are told apart by character n-grams, with what the site says of itself as the prior: a headline
alone is little evidence. The letters and the languages of each script stand in ``scripts.py``;
how sentences that are stored in English are read in Chinese, in ``phrases.py``.
Source: langcodes (IANA's and CLDR's tables); py3langid (Lui & Baldwin 2012, "langid.py").
"""

import functools
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import islice
from types import MappingProxyType
from typing import Any, NamedTuple

import langcodes
from langcodes.tag_parser import LanguageTagError
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from recsys.languages.scripts import (
    EAST_ASIAN_SCRIPTS,
    LANGUAGES_AMONG,
    LATIN_LETTERS,
    ONLY_LANGUAGE,
    Letters,
    letters_of,
    scripts_of,
)

UNKNOWN_LANGUAGE = "und"  # BCP 47's code for a language that nobody can tell: a text without letters
_NO_LANGUAGE = frozenset({"und", "mul", "zxx", "mis"})  # codes that name none, or several at once
_WRITTEN_AS = {"yue": "zh", "wuu": "zh", "hak": "zh", "nan": "zh", "nb": "no", "nn": "no"}  # one written language each

_KANA_SHARE = 0.1  # of Han characters: Chinese text holds a kana now and then, Japanese one in two
_JAPANESE_CHARS = 30  # of Han without any kana: no Japanese text is so long without
_QUOTED = 0.25  # of the Latin letters, below which another script is a name or a quotation, whatever else is said
_QUOTED_IN_ENGLISH = 0.4  # the same on an English site: Jackie Chan (成龙) Honoured
_FAVOUR = 10.0  # times likelier than any other: the site's language
SAMPLE_TEXTS = 2_000  # texts that tell what a site is written in
_FAVOUR_ENGLISH = 5.0  # and English, on a site whose own language has another script
_SURE = 0.8  # posterior probability from which Latin letters overrule a declared language of another script
_LEAST_WORDS = 4  # of a Latin text that overrules one: names of products stand in headlines of every language
_LEAST_LETTERS = 4  # of another script: fewer are a name
_TITLE_CASE = 0.6  # share of capitalised words above which capitals say nothing

_FUNCTION_WORDS = """
the of and to that for with is was are by from his her has have been not this but they which were their its said in on
at as an it be will after into how why what when who you your we our can could should would than more against
"""
_ENGLISH = frozenset(_FUNCTION_WORDS.split())
_WORD = re.compile(r"[^\W\d_]+")


class SiteLanguages(NamedTuple):
    """Languages of a site.

    Attributes:
        home: code of the language that it says to be in, None for nothing said.
        shares: share of its texts by language, as far as these say it themselves.
    """

    home: str | None = None
    shares: Mapping[str, float] = MappingProxyType({})

    def facts(self) -> dict[str, Any]:
        """The same for JSON; ``SiteLanguages(**facts)`` reads it."""
        return {"home": self.home, "shares": dict(self.shares)}


NO_SITE_LANGUAGES = SiteLanguages()


def site_languages(texts: Iterable[tuple[str, str, str | None]], home: str | None) -> SiteLanguages:
    """Languages of a site, by a sample of its texts.

    Args:
        texts: title, body and declared language; the first ``SAMPLE_TEXTS`` are looked at.
        home: code of the language that it says to be in.
    """
    counts = Counter(
        resolve_language(declared, title, body, home)[0] for title, body, declared in islice(texts, SAMPLE_TEXTS)
    )
    return SiteLanguages(home, {code: round(counts[code] / counts.total(), 4) for code in sorted(counts)})


@functools.lru_cache(4096)
def language_code(text: str | None) -> str | None:
    """The language that a code names: ISO 639-1 where there is such a code, else 639-3.

    Args:
        text: a code of ISO 639-1, -2 or -3 or a tag of BCP 47, in any case, with "-" or "_", or a locale
            ("en_GB.UTF-8"). Region and script are left out; kinds of Chinese are one, as are those of Norwegian.

    Returns:
        None for what is no code, or names no language ("und", "mul").
    """
    tag = re.split(r"[.@]", (text or "").strip())[0].replace("_", "-")
    try:
        language = langcodes.Language.get(tag).prefer_macrolanguage() if tag else None
    except LanguageTagError:
        return None
    if language is None or not language.language or not langcodes.Language.get(language.language).is_valid():
        return None
    code = _WRITTEN_AS.get(language.language, language.language)
    return None if code in _NO_LANGUAGE else code


def detect(
    title: str, body: str = "", prior: str | None = None, shares: Mapping[str, float] = NO_SITE_LANGUAGES.shares
) -> str:
    """The language of a text, from its beginning.

    Args:
        title: any text.
        body: any text; the first 500 characters of either are looked at.
        prior: code of the site's language, which decides where the text itself says little.
        shares: share of the site's texts by language, which decides with it.

    Returns:
        A code as of ``language_code``; of a text without letters the prior, or "und".
    """
    letters = letters_of(title, body)
    script = _script_of(letters, prior)
    return _language(letters, script, prior, shares) if script else prior or UNKNOWN_LANGUAGE


def resolve_language(
    declared: str | None,
    title: str,
    body: str = "",
    prior: str | None = None,
    shares: Mapping[str, float] = NO_SITE_LANGUAGES.shares,
) -> tuple[str, bool]:
    """The language of a text that may have come with one.

    Args:
        declared: any code; one that names no language counts as none.
        title: any text.
        body: any text.
        prior: code of the site's language.
        shares: share of the site's texts by language.

    Returns:
        The declared language unless the text's script contradicts it, else the detected one; whether it was overruled.
    """
    code = language_code(declared)
    if code is None:
        return detect(title, body, prior, shares), False
    letters = letters_of(title, body)
    if not _contradicted(code, letters):
        return code, False
    script = _script_of(letters, code)
    if script == "Latn":
        language, share = _classified(letters.text, script, prior, shares)
        if len(_WORD.findall(letters.text)) < _LEAST_WORDS or share < _SURE:
            return code, False
    else:
        language = _language(letters, script, prior, shares)
    return language, language != code


def _script_of(letters: Letters, prior: str | None) -> str:
    """The script that says the language: the heaviest; before Latin any other, unless the text is English.

    Headlines of every language hold Latin names ("iPhone 16 发布会 Apple Vision Pro"), English ones hardly ever others.
    """
    weights = letters.weights
    if not weights:
        return ""
    others = Counter({script: weight for script, weight in weights.items() if script != "Latn"})
    east = sum(others[script] for script in EAST_ASIAN_SCRIPTS)
    if others and east == others.total():  # Han, kana and hangul mix: the rarest of them says most
        script = "Kana" if others["Kana"] > _KANA_SHARE * others["Hani"] else "Hani"
        script = "Hang" if others["Hang"] > others["Hani"] + others["Kana"] else script
    else:
        script = max(others, key=lambda name: others[name], default="Latn")
    if not weights["Latn"] or script == "Latn" or others.total() >= weights["Latn"]:
        return script
    if _is_english(letters.text) or (prior != "en" and _is_latin(prior)):
        return "Latn"
    least = _QUOTED_IN_ENGLISH if prior == "en" else _QUOTED
    return script if others.total() > least * weights["Latn"] else "Latn"


def _language(letters: Letters, script: str, prior: str | None, shares: Mapping[str, float]) -> str:
    if script in LANGUAGES_AMONG:
        return _classified(letters.text, script, prior, shares)[0]
    if script in ONLY_LANGUAGE:
        return ONLY_LANGUAGE[script]
    if script == "Kana":
        return "ja"
    short = letters.weights["Hani"] < LATIN_LETTERS * _JAPANESE_CHARS
    return "ja" if short and (prior == "ja" or shares.get("ja", 0) > shares.get("zh", 0)) else "zh"


def _classified(text: str, script: str, prior: str | None, usual: Mapping[str, float]) -> tuple[str, float]:
    """The likeliest language of a script, and its probability."""
    among = _candidates(script)
    words = _WORD.findall(text)
    if sum(word[0].isupper() for word in words) >= _TITLE_CASE * len(words):
        text = text.lower()
    favour = {code: max(1.0, _FAVOUR * share) for code, share in usual.items()}
    home_favour = (prior, _FAVOUR) if prior in among.values() else ("en", _FAVOUR_ENGLISH)
    favour[home_favour[0] or ""] = max(favour.get(home_favour[0] or "", 1.0), home_favour[1])
    shares: Counter[str] = Counter()
    for label, share in _model().rank(text):
        if label in among:
            shares[among[label]] += share * favour.get(among[label], 1.0)
    best = max(shares, key=lambda code: shares[code])
    return best, shares[best] / sum(shares.values())


def _contradicted(code: str, letters: Letters) -> bool:
    """True if a text is written in letters that its declared language has not."""
    total, weights = letters.weights.total(), letters.weights
    own = sum(weights[script] for script in scripts_of(code))
    if code == "zh" and weights["Kana"] > _KANA_SHARE * weights["Hani"]:
        own -= weights["Hani"]
    if code == "ja" and not weights["Kana"] and weights["Hani"] >= LATIN_LETTERS * _JAPANESE_CHARS:
        own = 0
    return total >= _LEAST_LETTERS and own < _QUOTED * total


def _is_latin(prior: str | None) -> bool:
    return prior is not None and "Latn" in scripts_of(prior)


def _is_english(text: str) -> bool:
    return any(word in _ENGLISH for word in _WORD.findall(text.lower()))


@functools.cache
def _candidates(script: str) -> dict[str, str]:
    """The model's labels of a script, each with its code here."""
    return {label: language_code(label) or label for label in LANGUAGES_AMONG[script].split()}


@functools.cache
def _model() -> LanguageIdentifier:
    """The n-gram model: 0.6 s and 75 MB, which only a text in a shared script costs."""
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
