"""One value of an article: its text, its links, its names. What is odd is put right and said to ``Repair``."""

import ast
import json
import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urljoin, urlsplit

from recsys.imports.values import BadValue, Convert, shown
from recsys.languages import language_code
from recsys.markup import plain_text, without_markup
from recsys.missing import is_missing
from recsys.store import clean_text

Repair = Callable[[str], None]  # takes what was done
_LINK_KEYS = ("url", "href", "src", "contentUrl", "link", "@id")
TEXT_KEYS = ("rendered", "text", "#text", "value", "plain", "html", "content")  # WordPress says "rendered"
_NAME_KEYS = ("name", "title", "label", "Label", "term", "text", "value", "slug", "id")
# A first part like these is a file's name and not a host's: story.html, index.php.
_FILE_ENDINGS = "html?|xhtml|shtml|php\\d?|aspx?|jspx?|cgi|xml|json|pdf|txt|jpe?g|png|gif|webp|svg|avif|mp[34]|webm"
_HOST = re.compile(
    rf"(?!\S*\.(?:{_FILE_ENDINGS})(?:[/?#]|\Z))(?:[\w-]+\.)+[^\W\d_]{{2,24}}(?::\d{{1,5}})?(?=[/?#]|\Z)"
    r"|www\.[\w.-]+(?::\d{1,5})?(?=[/?#]|\Z)",
    re.IGNORECASE,
)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\\\\\ud800-\udfff]")
_SEPARATORS = re.compile(r"[,;|\uff0c\u3001\uff1b]")


def text_of(value: Any) -> str | None:
    """A text as it is; NUL is removed and a lone surrogate becomes U+FFFD. None when nothing is left."""
    if is_missing(value):
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise BadValue(f"not a text: {shown(value)}")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return clean_text(str(value)).strip() or None


def plain_of(repair: Repair, *, paragraphs: bool = False) -> Convert:
    """Make the converter for texts that readers see: markup, entities and line ends go.

    Args:
        repair: is told of markup.
        paragraphs: they stay.
    """

    def plain(value: Any) -> str | None:
        if isinstance(value, dict) and (keys := [key for key in TEXT_KEYS if isinstance(value.get(key), str)]):
            repair("the text inside an object")
            value = value[keys[0]]
        elif isinstance(value, list | tuple) and value and all(isinstance(part, str) for part in value):
            repair("the parts of a list" if paragraphs else "the first of a list")
            value = "\n\n".join(value) if paragraphs else value[0]
        text = text_of(value)
        if text is None:
            return None
        if ("<" in text or "&" in text) and without_markup(text) != text:
            repair("markup removed")
        elif not paragraphs and "\n" in text:
            repair("line ends removed")
        return plain_text(text, paragraphs=paragraphs) or None

    return plain


def name_of(repair: Repair) -> Convert:
    """Make the converter for a section or a source: a text, the first of a list, or the name inside an object."""
    plain = plain_of(repair)

    def name(value: Any) -> str | None:
        value = _unpacked(value)
        if isinstance(value, list | tuple):
            repair("the first of a list")
            value = next((element for element in value if not is_missing(element)), None)
        if isinstance(value, dict):
            repair("the name inside an object")
            value = next((value[key] for key in _NAME_KEYS if not is_missing(value.get(key))), None)
        text: str | None = plain(value)
        return text

    return name


def link_of(base_url: str = "", repair: Repair = lambda what: None) -> Convert:
    """Make the converter for a web address, or a path on the site itself.

    Anything else (``javascript:``) could run in a reader's browser.

    Args:
        base_url: what relative addresses stand below, empty for nothing.
        repair: is told of what was put right.
    """

    def link(value: Any) -> str | None:
        value = _unpacked(value)
        if isinstance(value, list | tuple):
            repair("the first of a list")
            value = next((element for element in value if not is_missing(element)), None)
        if isinstance(value, dict):
            repair("the address inside an object")
            value = next((value[key] for key in _LINK_KEYS if not is_missing(value.get(key))), None)
        text = text_of(value)
        return _address(text, base_url, repair) if text is not None else None

    return link


def language_of(value: Any) -> str | None:
    """A language by its code; of a list the first one."""
    value = _unpacked(value)
    if isinstance(value, list | tuple):
        value = next(iter(value), None)
    text = text_of(value)
    code = language_code(text) if text else None
    if text and code is None:
        raise BadValue(f"not a language code: {shown(value)}")
    return code


def entities_of(value: Any) -> tuple[str, ...]:
    """Names from a list of texts or objects, or from a text that is a list in JSON, in Python, or with commas."""
    if is_missing(value):
        return ()
    value = _unpacked(value)
    if isinstance(value, str):
        value = _SEPARATORS.split(value)
    elif isinstance(value, dict):
        value = [value] if any(key in value for key in _NAME_KEYS) else list(value)
    if not isinstance(value, list | tuple):
        raise BadValue(f"not a list of texts: {shown(value)}")
    return tuple(dict.fromkeys(_names(value)))


def _names(elements: Iterable[Any]) -> Iterable[str]:
    for element in elements:
        wikidata = None
        if isinstance(element, dict):
            wikidata = element.get("WikidataId")
            element = next((element[key] for key in _NAME_KEYS if not is_missing(element.get(key))), None)
        if isinstance(element, bool | list | tuple | dict):
            raise BadValue(f"not a list of texts: {shown(element)}")
        name = text_of(element)
        if name is not None:
            yield f"{wikidata}:{name}" if wikidata else name


def _unpacked(value: Any) -> Any:
    """Content of a text that is a list or an object in JSON, or in Python; else the value."""
    if not isinstance(value, str) or value.lstrip()[:1] not in ("[", "{"):
        return value
    for load in (json.loads, ast.literal_eval):
        try:
            loaded = load(value.strip())
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        return loaded
    return value


def _address(text: str, base_url: str, repair: Repair) -> str:
    if _CONTROL.search(text):
        raise BadValue(f"not a web address: {shown(text)}")
    if " " in text:
        text = text.replace(" ", "%20")
        repair("blanks escaped")
    if text.startswith("//"):
        repair("https put before it")
        text = f"https:{text}"
    elif _HOST.match(text):
        repair("https put before it")
        text = f"https://{text}"
    elif text[0] == "#":
        raise BadValue(f"not a web address: {shown(text)}")
    elif not _SCHEME.match(text):
        if not base_url:
            if text[0] == "/":
                return text
            raise BadValue(f"a relative address, and site.base_url says nothing: {shown(text)}")
        repair("put below site.base_url")
        text = urljoin(base_url if base_url.endswith("/") else f"{base_url}/", text)
    return _checked(text)


def _checked(text: str) -> str:
    try:
        parts = urlsplit(text)
        if parts.scheme in ("http", "https") and parts.hostname:
            return text
    except ValueError:
        pass
    raise BadValue(f"not a web address: {shown(text)}")
