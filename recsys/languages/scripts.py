"""Scripts: the letters of a text by script, and the languages that are written in each."""

import functools
import re
from collections import Counter
from typing import NamedTuple

import langcodes

_DETECT_CHARS = 500  # of title and body each; a language does not change later in a text
LATIN_LETTERS = 3  # Latin letters that say about as much as one Chinese, Japanese or Korean character

_SCRIPTS = {
    "Latn": r"A-Za-z\u00aa\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff",
    "Hani": r"\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff",
    "Kana": r"\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\uff66-\uff9d",
    "Hang": r"\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3",
    "Cyrl": r"\u0400-\u052f",
    "Arab": r"\u0620-\u06d3\u06fa-\u06ff\u0750-\u077f\u08a0-\u08ff\ufb50-\ufdff\ufe70-\ufefc",
    "Deva": r"\u0900-\u097f",
    "Grek": r"\u0370-\u03ff\u1f00-\u1fff",
    "Hebr": r"\u05d0-\u05f2",
    "Thai": r"\u0e01-\u0e4e",
    "Laoo": r"\u0e81-\u0edf",
    "Khmr": r"\u1780-\u17d3",
    "Mymr": r"\u1000-\u109f",
    "Beng": r"\u0980-\u09ff",
    "Guru": r"\u0a00-\u0a7f",
    "Gujr": r"\u0a80-\u0aff",
    "Orya": r"\u0b00-\u0b7f",
    "Taml": r"\u0b80-\u0bff",
    "Telu": r"\u0c00-\u0c7f",
    "Knda": r"\u0c80-\u0cff",
    "Mlym": r"\u0d00-\u0d7f",
    "Sinh": r"\u0d80-\u0dff",
    "Tibt": r"\u0f00-\u0fff",
    "Geor": r"\u10a0-\u10ff\u1c90-\u1cbf",
    "Armn": r"\u0530-\u058f",
    "Ethi": r"\u1200-\u139f",
}
_LETTER = re.compile("|".join(f"(?P<{name}>[{letters}]+)" for name, letters in _SCRIPTS.items()))
ONLY_LANGUAGE = {  # the language of a script that one language has for itself, as far as newspapers go
    **{"Hang": "ko", "Grek": "el", "Hebr": "he", "Thai": "th", "Laoo": "lo", "Khmr": "km", "Mymr": "my"},
    **{"Beng": "bn", "Guru": "pa", "Gujr": "gu", "Orya": "or", "Taml": "ta", "Telu": "te", "Knda": "kn"},
    **{"Mlym": "ml", "Sinh": "si", "Tibt": "bo", "Geor": "ka", "Armn": "hy", "Ethi": "am"},
}
LANGUAGES_AMONG = {  # of the model's 140 labels those with newspapers of their own: dialects would take headlines away
    "Latn": "en da no nn sv de nl fr es pt it ro pl cs sk sl hr bs sr hu fi et lv lt is tr az vi id ms ca gl eu sq mt"
    " ga cy af sw tl uz so ha yo zu xh rw mg ht fy lb fo",
    "Cyrl": "ru uk bg be mk sr kk ky mn tg tt",
    "Arab": "ar fa ur ps ug ku",
    "Deva": "hi mr ne",
}
_IN_SEVERAL = "sr bs hr uz kk az tg tk ku mn pa ug ky tt sd ks ms ha hi ur"
_SEVERAL = frozenset(_IN_SEVERAL.split())  # written in more than one script
_OF_LANGUAGE = {"Hans": "Hani", "Hant": "Hani", "Jpan": "Kana", "Kore": "Hang"}
EAST_ASIAN_SCRIPTS = frozenset({"Hani", "Kana", "Hang"})


class Letters(NamedTuple):
    """The beginning of a text, and how much it has of each script: characters, weighted by what they say."""

    text: str
    weights: Counter[str]


def letters_of(title: str, body: str) -> Letters:
    """The beginnings of a title and of a body, with their letters by script."""
    text = f"{title[:_DETECT_CHARS]} {body[:_DETECT_CHARS]}"
    weights: Counter[str] = Counter()
    for match in _LETTER.finditer(text):
        script = str(match.lastgroup)
        weights[script] += len(match[0]) * (LATIN_LETTERS if script in EAST_ASIAN_SCRIPTS else 1)
    return Letters(text, weights)


@functools.cache
def scripts_of(code: str) -> frozenset[str]:
    """The scripts in which a language is written."""
    if code in _SEVERAL:
        return frozenset({"Latn", "Cyrl", "Arab", "Deva", "Guru"})
    script = langcodes.Language.get(code).maximize().script or "Latn"
    script = _OF_LANGUAGE.get(script, script)
    return frozenset({"Kana", "Hani"} if script == "Kana" else {script})
