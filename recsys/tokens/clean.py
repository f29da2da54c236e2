"""Cleaning of texts: markup, code, invisible characters and boilerplate go, variants of a character become one.

Every step is a rule that holds for any string and names what it took out, so that the stage can count it.
Source: Unicode Standard Annex 15 (NFKC); OpenCC's tables for traditional Chinese.
"""

import html
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable
from itertools import pairwise
from typing import NamedTuple

import opencc
import pyarrow as pa

from recsys.markup import without_markup

MAX_BODY_CHARS = 1_000_000  # read of a title or body, about 170,000 words; what is cut off is counted
_MIN_WRAPPED_CHARS = 40  # of the widest line of a text that was wrapped at a fixed width: below are lists and tables
_MAX_WRAPPED_CHARS = 120  # a text with a longer line was not wrapped
_RAGGED = 0.75  # share of the widest line that a line and the next word exceed where it was wrapped
_MAX_LINE_CHARS = 200  # a longer line is a paragraph; nobody repeats one on every page
BREAKS = frozenset(".,;:!?()[]{}\"'`/\\|<>=~^*-+\n")  # a gap that holds one of these separates phrases

_UNSEEN = re.compile(
    r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f\ufeff\ufffd\ud800-\udfff]"
)
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+")
_HAN_SPACE = re.compile(r"(?<=[\u4e00-\u9fff]) +(?=[\u4e00-\u9fff])")
_PLAIN = str.maketrans(
    {"_": " ", "\t": " "}
    | dict.fromkeys("’‘ʼ＇", "'")
    | dict.fromkeys("‐‑", "-")
    | dict.fromkeys("・‧•", "·")
    | dict.fromkeys("。、，；：！？…—–―“”„«»‹›「」『』《》〈〉【】〔〕〖〗（）¿¡،؛؟।॥", ";")
)
_SPACED = 6  # Han characters per space from which on spaces are punctuation, and not a text cut into words

_GARBLED = re.compile(
    r"[\u00c2-\u00f4][\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122]"
)
_UNREADABLE = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufffd\ud800-\udfff]")
_UNREADABLE_SHARE = 0.1  # of the characters; a page with a few broken ones is still worth reading
_STRAY = re.compile(r"\u00c2(?=[\u00a0-\u00bf])")  # a pound sign in UTF-8, read as Latin-1
_GARBLED_SHARE = 0.02  # of the characters; names with accents stay far below it

_CODE_SIGNS = re.compile(r"[{}();=<>\[\]\\|&$#*]")
_CODE_SHARE = 0.1  # of a line's characters; prose stays below 0.05

_BOILERPLATE = re.compile(  # whole lines; each form ends so soon that no sentence of a story has it
    r"\W*+(?:"
    r"(?:责任编辑|責任編輯|编辑|編輯|责编|校对|审核|来源|來源|稿源|作者|记者|記者|通讯员|图片来源)\s*[:：](?!.*[，。？！?!]).{0,24}"
    r"|(?:版权声明|版權聲明|免责声明|原标题|原標題)\s*[:：].{0,80}"
    r"|(?:点击|點擊|扫码|扫描|长按|识别).{0,12}(?:查看更多|查看全文|阅读全文|阅读原文|二维码|公众号|下载|订阅).{0,10}"
    r"|(?:查看更多|查看全文|阅读全文|阅读原文|返回首页|版权所有|版權所有|更多精彩).{0,12}|分享到.{0,12}"
    r"|(?:相关|推荐|延伸)(?:阅读|新闻|链接)(?:\s*[:：].{0,60})?|关注.{0,8}(?:公众号|微信号|官方微博).{0,12}"
    r"|.{0,20}未经(?:授权|许可|允许).{0,12}(?:不得|禁止|严禁)(?:转载|复制|使用).{0,20}|本文(?:来自|转自|转载自).{0,40}"
    r"|(?:share|tweet|e-?mail|print|save)(?:\s+this)?(?:\s+(?:article|story|page|post))?(?:\s+(?:on|via|to|with)\s+\w+)?"
    r"|(?:follow|find|like)\s+us\s+on\b.{0,60}|click\s+here\b.{0,60}"
    r"|(?:subscribe|sign\s+up)(?:\s+(?:now|here|today)|\s+(?:to|for)\s+(?:our|the|my)\b.{0,40}newsletters?.{0,20})?"
    r"|(?:read|see|show|view|load)\s+(?:more|also|next|full\s+(?:story|article))(?:\s*[:>»].{0,80})?"
    r"|copyright\s*(?:©|\(c\)|\d{4}).{0,80}|(?:©|\(c\))\s*\d{4}.{0,80}|.{0,80}\ball\s+rights\s+reserved\b.{0,30}"
    r"|advertise?ments?|sponsored\s+content|related\s+(?:articles|stories|topics|content)|most\s+(?:read|viewed)"
    r"|(?:we|this\s+(?:web)?site)\s+uses?\s+cookies\b.{0,100}|(?:accept|manage)\s+(?:all\s+)?cookies"
    r")\W*",
    re.IGNORECASE,
)
_SIGNED = re.compile(r"[（(\[【]\s*(?:责任编辑|責任編輯|责编|编辑|編輯)\s*[:：][^()（）\[\]【】]{0,40}[)）\]】]\s*\Z")

_simplified = opencc.OpenCC("t2s")


class CleanText(NamedTuple):
    """A text that was cleaned.

    Attributes:
        text: its lines; characters as they came.
        odd: kinds of what was taken out, one for each: markup_only, mojibake, unreadable, boilerplate_line.
    """

    text: str
    odd: list[str]


def clean(text: str, boilerplate: Collection[str] | None = None) -> CleanText:
    """Take markup, code and boilerplate lines out of a text, and repair UTF-8 that was read as Latin-1.

    Args:
        text: any string.
        boilerplate: lines, stripped, that stand in many articles; None, as for titles: no line is left out.

    Returns:
        The rest; nothing at all when a tenth of the characters are control characters or U+FFFD, as in binary data.
    """
    if not text:
        return CleanText("", [])
    text, odd = _readable(text)
    bare = without_markup(text)
    if bare.isspace() or not bare:
        odd += ["markup_only"] * (not text.isspace() and text != bare)
    text = bare
    text = text[:-_MAX_LINE_CHARS] + _SIGNED.sub("", text[-_MAX_LINE_CHARS:])  # a signature is short
    if not text or text.isspace():
        return CleanText("", odd)
    if boilerplate is None:
        return CleanText(text, odd)
    lines = text.split("\n")
    kept = [line for line in lines if not _is_boilerplate(line, boilerplate)]
    odd += ["boilerplate_line"] * (len(lines) - len(kept))
    return CleanText("\n".join(kept), odd)


def _readable(text: str) -> tuple[str, list[str]]:
    if text.isascii() and not _UNREADABLE.search(text):
        return text, []
    if not text.isascii() and len(_GARBLED.findall(text)) > _GARBLED_SHARE * len(text):
        for encoding in ("cp1252", "latin-1"):
            try:
                return text.encode(encoding).decode("utf-8"), ["mojibake"]
            except UnicodeError:
                continue
    if len(_UNREADABLE.findall(text)) > _UNREADABLE_SHARE * len(text):
        return "", ["unreadable"]
    return _STRAY.sub("", text), ["mojibake"] if "\ufffd" in text else []


def _is_boilerplate(line: str, repeated: Collection[str]) -> bool:
    if len(line) > _MAX_LINE_CHARS or not (line := line.strip()):
        return False
    if line in repeated or _BOILERPLATE.fullmatch(line):
        return True
    return ("{" in line or ");" in line) and len(_CODE_SIGNS.findall(line)) > _CODE_SHARE * len(line)


def normalise(text: str, *, simplify: bool = True) -> str:
    """Make equal what reads equal: lower case, plain forms, simplified Chinese.

    Invisible characters become spaces, compatibility forms (full-width letters, ligatures) plain ones (NFKC), all
    punctuation of other scripts a semicolon, and a space between Chinese characters as well.

    Args:
        text: any string.
        simplify: traditional Chinese becomes simplified; otherwise it stays as it is.
    """
    text = _UNSEEN.sub(" ", text)
    if text.isascii():
        return text.translate(_PLAIN).lower() if "_" in text else text.lower()
    text = unicodedata.normalize("NFKC", text).translate(_PLAIN).lower()
    if not _HAN.search(text):
        return text
    if " " in text and len(_HAN_SPACE.findall(text)) * _SPACED < sum(map(len, _HAN.findall(text))):
        text = _HAN_SPACE.sub(";", text)
    return _simplified.convert(text) if simplify else text


def unwrap(text: str) -> str:
    """Join the lines of a text that was wrapped at a fixed width, since a phrase goes on from line to line there.

    A line was wrapped where the first word of the next one would hardly have fitted into the widest line of the text.
    """
    lines = text.split("\n")
    width = max(map(len, lines))
    if not _MIN_WRAPPED_CHARS <= width <= _MAX_WRAPPED_CHARS:
        return text
    parts = [lines[0]]
    for line, following in pairwise(lines):
        first = following.split(maxsplit=1)[:1]
        wrapped = first and line.strip() and len(line.rstrip()) + 1 + len(first[0]) > _RAGGED * width
        parts += [" " if wrapped else "\n", following]
    return "".join(parts)


_MAX_LINES = (
    400_000  # different lines in memory, at most 200 characters each; those seen only once are forgotten above it
)
_MIN_ARTICLES = 5  # articles that a line must stand in; fewer are a coincidence, or one story told twice
_MIN_SHARE = 0.001  # of the articles: what a large catalogue repeats by chance
_MAX_KEPT = 10_000  # lines, the most frequent ones


def repeated_lines(batches: Iterable[pa.RecordBatch]) -> list[str]:
    """Find the lines that stand in many articles.

    Args:
        batches: a string column body, which may hold nulls.

    Returns:
        The lines, stripped, the most frequent first.
    """
    counts: Counter[str] = Counter()
    articles = 0
    for batch in batches:
        for body in batch.column("body").to_pylist():
            articles += 1
            counts.update(_short_lines(body[:MAX_BODY_CHARS]) if body else ())
        floor = 1
        while len(counts) > _MAX_LINES:
            counts, floor = Counter({line: n for line, n in counts.items() if n > floor}), floor + 1
    least = max(_MIN_ARTICLES, math.ceil(_MIN_SHARE * articles))
    often = sorted((line for line in counts if counts[line] >= least), key=lambda line: (-counts[line], line))
    return often[:_MAX_KEPT]


def _short_lines(body: str) -> set[str]:
    if "<" in body or "\r" in body:
        body = clean(body).text
    elif len(body) > _MAX_LINE_CHARS and "\n" not in body:
        return set()
    lines = (html.unescape(line).strip() for line in body.split("\n") if len(line) <= _MAX_LINE_CHARS)
    return {line for line in lines if line}
