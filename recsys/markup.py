"""Markup -> plain text, once, by one rule: what is stored, cut into words and shown is the same text.

HTML and XML tags, scripts, styles, comments and entities (escaped twice, too) go; what only looks like them stays:
"R&D", "< 3 %", "a <b and c> d". Source: the HTML Living Standard's elements.
"""

import html
import re

_MAX_HEADLINE = 200  # characters of a first line that stands for a missing title
_MAX_ESCAPED = 4  # times that a text may have been escaped; feeds of feeds do it twice

_ENTITY = re.compile(
    r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});|&(?:nbsp|amp|quot|lt|gt)(?![A-Za-z0-9=;])"
)
_CODE = re.compile(r"<(script|style)\b[^<>]*>.*?(?:</\1\s*>|\Z)|<!--.*?(?:-->|\Z)|<\?.*?(?:\?>|\Z)", re.DOTALL | re.I)
_CDATA = re.compile(r"<!\[CDATA\[(.*?)(?:\]\]>|\Z)", re.DOTALL)
_TAG = re.compile(r"<(/?)([a-zA-Z][\w:.-]*)((?:[\s/][^<>]*)?)>|<![a-zA-Z][^<>]*>")
_CUT_TAG = re.compile(r"<(?:/?[a-zA-Z][\w:.-]*)?(?:\s+[\w:.-]+\s*=\s*[\"'][^<>]*)?\Z")
_PARAGRAPHS = frozenset(
    re.findall(
        r"\w+",
        "p div ul ol dl h1 h2 h3 h4 h5 h6 table section article header footer blockquote figure aside main pre form",
    )
)
_LINES = frozenset(re.findall(r"\w+", "br hr li tr td th dt dd figcaption caption option nav address details summary"))
_INLINE = frozenset(
    re.findall(
        r"\w+",
        "a abbr acronym area audio b base basefont bdi bdo big body button canvas center cite code col colgroup data"
        " datalist del dfn dialog em embed fieldset font frame frameset head html i iframe img input ins kbd label"
        " legend link map mark meta meter noscript object optgroup output param picture progress q rp rt ruby s samp"
        " script select slot small source span strike strong style sub sup svg tbody template textarea tfoot thead time"
        " title track tt u var video wbr",
    )
)
_KNOWN = _PARAGRAPHS | _LINES | _INLINE
_BLOCK = re.compile(rf"</?(?:{'|'.join(sorted(_PARAGRAPHS | {'br', 'li', 'tr'}))})\b", re.IGNORECASE)
_NEWLINE = re.compile(r"\r\n|[\r\u2028\u2029\u0085\x0b\x0c]")
_UNSEEN = re.compile(r"[\u00ad\u200b\u2060\ufeff]")
_BLANKS = re.compile(r"[^\S\n]+")
_EDGES = re.compile(r" ?\n ?")
_GAPS = re.compile(r"\n{3,}")
_SINGLE_NEWLINE = re.compile(r"(?<!\n)\n(?!\n)")


def plain_text(text: str, *, paragraphs: bool) -> str:
    """The text that a reader would see.

    Args:
        text: any string.
        paragraphs: lines and paragraphs stay, with one empty line between paragraphs at most; otherwise all blanks
            and line ends become single spaces, as in a headline.
    """
    text = without_markup(text)
    if not text.isascii():
        text = _UNSEEN.sub("", text)
    if not paragraphs:
        return " ".join(text.split())
    return _GAPS.sub("\n\n", _EDGES.sub("\n", _BLANKS.sub(" ", text))).strip()


def without_markup(text: str) -> str:
    """The text without tags, code and entities, with line ends as newlines; blanks stay as they are."""
    text = _NEWLINE.sub("\n", text)
    for _ in range(_MAX_ESCAPED):
        bare = _without_tags(text) if "<" in text else text
        plain = _ENTITY.sub(_character, bare) if "&" in bare else bare
        if plain == text:
            break
        text = plain
    return text


def headline_of(body: str) -> str:
    """The first line of a body, for an article without a title; blank when the body is.

    Args:
        body: plain text.
    """
    line = body.strip().partition("\n")[0].strip()
    return line if len(line) <= _MAX_HEADLINE else line[: _MAX_HEADLINE - 1].rstrip() + "…"


def _character(match: re.Match[str]) -> str:
    return _NEWLINE.sub("\n", html.unescape(match[0]))


def _without_tags(text: str) -> str:
    text = _CODE.sub(" ", _CDATA.sub(r"\1", text))
    if _BLOCK.search(text):  # in HTML a line end is a blank; an empty line still parts, as content systems have it
        text = _SINGLE_NEWLINE.sub(" ", text)
    closed = {match[2].lower() for match in _TAG.finditer(text) if match[1]}
    text = _TAG.sub(lambda match: _instead(match, closed), text)
    cut = _CUT_TAG.search(text)
    return text[: cut.start()] if cut and ("=" in cut[0] or cut[0][1:].strip("/ ").lower() in _KNOWN) else text


def _instead(match: re.Match[str], closed: set[str]) -> str:
    """Replacement of a tag: line ends for a block, nothing for another, and itself for what is none."""
    name, rest = (match[2] or "!").lower(), (match[3] or "").strip()
    if len(name) == 1 and name not in closed and rest.strip("/") and "=" not in rest:
        return match[0]  # a <b and c> d
    if name in _PARAGRAPHS or name in _LINES:
        return "\n\n" if name in _PARAGRAPHS else "\n"
    is_markup = name in _KNOWN or name in closed or "=" in rest or rest[-1:] == "/" or any(c in "!:-" for c in name)
    return "" if is_markup else match[0]
