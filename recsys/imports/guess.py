"""Columns of unknown names -> the fields that they most likely are, by their names and values.

A guess is never acted on: it is shown, with the ``--map`` that would say it.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC
from typing import Any

from recsys.imports.lists import is_several
from recsys.imports.texts import TEXT_KEYS
from recsys.imports.values import HIDDEN_STATES, VISIBLE_STATES
from recsys.missing import is_missing
from recsys.times import EARLIEST, BadTime, read_time

_MAX_ID_CHARS = 128
_MAX_KINDS = 30  # different values of a column that says what an event is
_FAR_AHEAD = 7_258_118_400_000  # the year 2200, ms UTC
_MOSTLY = 0.9  # share of a column's values from which it is what they are
_HEADLINE = (12, 300)  # characters of a headline, on average
_HAN = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")  # scripts whose letters say twice as much
_ID = re.compile(r"[\w.-]*\d[\w.-]*")  # one identifier, where lists of them stand beside it
_FLAGS = frozenset(("0", "1", "true", "false", "yes", "no", "0.0", "1.0"))

# Names without case and separators; the first that is there is taken.
_ARTICLE_IDS = """articleid articlekey articleids clickarticleid newsid contentid itemid docid documentid
        storyid postid pageid nid aid iid objectid entityid assetid articleuuid contentuuid 文章id 新闻id
        内容id 物品id articleidfixed artikelid artikkelid idarticle idnoticia"""
_ARTICLE_NAMES = f"article {_ARTICLE_IDS} item items content news story document post page target 文章 新闻"
_NAMES: dict[str, str] = {
    "title": """title headline headlines articletitle newstitle pagetitle posttitle storytitle
        contenttitle hed subject 名称 标题 新闻标题 文章标题 題名 タイトル titel titre titulo título titolo
        tittel overskrift rubrik otsikko 제목 заголовок name heading""",
    "body": """body text content fulltext articlebody articletext bodytext contenttext maintext
        fullcontent story html bodyhtml contenthtml 正文 内容 文章内容 新闻内容 本文 inhalt texto contenu
        testo brødtekst brodtekst 본문 текст description abstract summary excerpt lead teaser
        standfirst dek subtitle 摘要 简介""",
    "url": """url link href articleurl pageurl canonicalurl permalink weburl shareurl uri address
        loc 链接 网址 地址 原文链接""",
    "image": """image imageurl img picture pictureurl thumbnail thumbnailurl thumb photo cover
        coverurl leadimage featuredimage topimage urltoimage 图片 封面 配图 图片链接""",
    "source": "source sourcename publisher outlet provider site domain newspaper media 来源 媒体 出处 出版社",
    "language": "language lang locale languagecode 语言 språk sprache",
    "category": """category categoryname categorystr section sectionname channel channelname topic desk
        category1 rubric ressort rubrique seccion sección kategorie kategori 分类 栏目 频道 类别 类目""",
    "subcategory": "subcategory subcategoryname subsection category2 subtopic subchannel 子分类 二级分类 子栏目",
    "entities": "entities keywords tags namedentities nerclusters 关键词 标签 实体",
    "published_at": """publishedat published pubdate publishdate publicationdate publicationtime
        publishtime publishedtime publisheddate publishedon datepublished firstpublished
        pubtime publishts createdat created createtime createdatts creationdate createddate
        date datetime time timestamp posted posteddate dateline releasedate 发布时间 发布日期 发表时间
        日期 时间 时间戳 创建时间 公開日 datum fecha data dato veröffentlicht""",
    "expires_at": "expiresat expires expiry expirydate enddate validuntil unpublishat 过期时间 下线时间",
    "hidden": "hidden ishidden deleted isdeleted unpublished isdraft draft",
}
_STATES = "status poststatus articlestatus publishstatus publicationstatus workflowstatus state visibility"
_EVENT_NAMES: dict[str, str] = {
    "article": _ARTICLE_NAMES,
    "reader": """reader readerid user userid uid userkey username visitor visitorid visitorkey
        customer customerid member memberid clientid client cookie cookieid deviceid
        fingerprint personid accountid subscriberid anonymousid distinctid uuid useruuid
        fullvisitorid userpseudoid personid msno 用户 用户id 用户编号 读者 读者id 设备id""",
    "time": """time timestamp ts eventtime eventtimestamp eventts eventdate datetime date clickedat
        clicktime clickts clicktimestamp clickdate viewedat viewtime readat shownat showtime
        impressiontime impressiontimefixed exposuretime createdat created createtime
        occurredat servertime happenedat visittime visitedat at unixtime epoch t 时间 时间戳 点击时间
        点击时间戳 访问时间 曝光时间 事件时间 日期""",
    "session": "session sessionid sid visit visitid sessionkey gasessionid 会话 会话id",
    "kind": """kind event eventtype eventname eventkind type action actiontype activity
        activitytype interaction interactiontype behavior behaviour behaviortype
        behaviourtype operation verb 事件 事件类型 行为 行为类型 操作 类型""",
    "shown": "shown articleidsinview inview impressions impressed impressionids candidates shownarticles 曝光",
    "clicked": """clicked isclick isclicked click clk clicks articleidsclicked clickedarticles label
        hasclicked wasclicked clickflag 点击 是否点击""",
    "history": "history clickhistory userhistory articleidfixed historyids readhistory hist 历史 点击历史 浏览历史",
    "dwell_ms": "dwellms dwell dwelltime readtime readingtime activetime duration timespent 停留时间 阅读时长",
    "position": "position pos rank index slotposition 位置 排名",
    "impression": "impression impressionid listid requestid recid pageviewid 曝光id 请求id",
    "slot": "slot placement widget module block zone position_name 坑位 版位",
}
_ARTICLE_ID_NAMES = f"{_ARTICLE_IDS} id guid key uuid slug 编号 序号"

_CLICKS = """click clicked clicks view viewed views read reads open opened visit visited pageview
        page_view tap select watch content_view article_view detail 点击 浏览 阅读 查看 访问 like
        liked share shared comment bookmark follow purchase"""
_SHOWN = "impression impressions impressed show shown exposure exposed expose display displayed seen imp pv 曝光 展示"
_DISMISSED = "dismiss dismissed hide dislike block not_interested close 不感兴趣 屏蔽"
_KINDS = {**dict.fromkeys(_CLICKS.split(), "click"), **dict.fromkeys(_SHOWN.split(), "impression")}
_KINDS |= dict.fromkeys(_DISMISSED.split(), "dismiss")

Sample = Mapping[str, Sequence[Any]]


def guessed_kind(names: Iterable[str], sample: Sample) -> str:
    """Kind of records that the columns look like: ``articles`` or ``events``."""
    plain = {_plain(name) for name in names}
    readers, articles = (set(_EVENT_NAMES[field].split()) for field in ("reader", "article"))
    lists = {name for field in ("shown", "clicked", "history") for name in _EVENT_NAMES[field].split()}
    if plain & readers and plain & (articles | lists):
        return "events"
    if plain & set(_NAMES["title"].split()):
        return "articles"
    times = any(_fits("time", sample.get(name, ())) for name in names)
    return "events" if plain & (readers | articles) and times and not _longest_text(names, sample) else "articles"


def guessed_map(names: Sequence[str], sample: Sample, kind: str, taken: Mapping[str, Any]) -> dict[str, str]:
    """The column that each field most likely is.

    Args:
        names: of the columns that fill no field.
        sample: their first values.
        kind: articles, or a kind of events.
        taken: the fields that are filled.

    Returns:
        Column by field; empty if nothing looks like anything.
    """
    wanted = {"id": _ARTICLE_ID_NAMES} | _NAMES if kind == "articles" else dict(_EVENT_NAMES)
    if kind != "articles" and "article" in taken:
        del wanted["history"]
    left = list(names)
    guess: dict[str, str] = {}
    for field, aliases in wanted.items():
        column = _named(aliases.split(), left, sample, field) if field not in taken else None
        if column is not None:
            guess[field] = column
            left.remove(column)
    if kind == "articles" and not {"hidden"} & {*taken, *guess}:
        column = _named(_STATES.split(), left, sample, "state")
        if column is not None:
            guess["hidden"] = column
            left.remove(column)
    for field in ("title", "url", "published_at") if kind == "articles" else ("time",):
        if field not in taken and field not in guess and (column := _by_values(field, left, sample)):
            guess[field] = column
            left.remove(column)
    return guess


def guessed_kinds(values: Iterable[Any]) -> dict[str, str]:
    """Likely meaning of each value in a column of kinds; values that mean nothing here are left out."""
    seen = {str(value).strip() for value in values if not is_missing(value)}
    return {value: _KINDS[key] for value in sorted(seen) if (key := re.sub(r"[\s-]+", "_", value.lower())) in _KINDS}


def looks_like(values: Iterable[Any]) -> str:
    """Look of some values, in a word."""
    some = _some(values)
    looks: tuple[tuple[str, Callable[[Any], bool]], ...] = (
        ("lists", lambda value: isinstance(value, list) or is_several(value)),
        ("addresses", _is_address),
        ("0 and 1", _is_flag),
        ("times", _is_time),
        ("text", lambda value: isinstance(value, str) and (" " in value.strip() or len(value) > _MAX_ID_CHARS)),
    )
    if not some:
        return "empty"
    if any(map(looks[0][1], some)) and not any(" " in str(value) and not looks[0][1](value) for value in some):
        return "lists"  # of which some have one element
    return next((name for name, test in looks if all(map(test, some))), "names or numbers")


def is_flags(values: Iterable[Any]) -> bool:
    """True if the values are 0 and 1, or other words for no and yes."""
    some = _some(values)
    return bool(some) and all(map(_is_flag, some))


def is_value(name: str) -> bool:
    """True if the name of a column looks like a value, so that its file has no names."""
    return bool(re.fullmatch(r"[\d.,\s]+", name)) or _is_address(name) or (len(name) > 7 and _is_time(name))


def _named(aliases: list[str], left: list[str], sample: Sample, field: str) -> str | None:
    # The id of an object inside an article is another thing's.
    plain = {_plain(name): name for name in reversed(left) if field != "id" or "." not in name}
    return next((plain[n] for n in aliases if n in plain and _fits(field, sample.get(plain[n], ()))), None)


def _by_values(field: str, left: list[str], sample: Sample) -> str | None:
    if field == "title":
        return _longest_text(left, sample)
    return next((name for name in left if _some(sample.get(name, ())) and _fits(field, sample[name])), None)


def _longest_text(names: Iterable[str], sample: Sample) -> str | None:
    """The column of short texts with blanks or Han between ids and bodies: most likely headlines."""
    lengths = {}
    for name in names:
        texts = [value for value in _some(sample.get(name, ())) if isinstance(value, str)]
        width = 2 if any(_HAN.search(text) for text in texts) else 1
        mean = width * sum(map(len, texts)) / max(len(texts), 1)
        is_text = any(" " in text or not text.isascii() for text in texts)
        is_other = all(_is_time(text) or _is_address(text) for text in texts) or 2 * len(set(texts)) <= len(texts)
        if is_text and not is_other and _HEADLINE[0] <= mean <= _HEADLINE[1]:
            lengths[name] = mean
    return max(lengths, key=lambda name: lengths[name], default=None)


def _fits(field: str, values: Iterable[Any]) -> bool:
    """True if values can be a field at all; without any value everything can."""
    some = _some(values)
    if not some:
        return True
    if any(isinstance(value, dict) for value in some):
        return field in ("title", "body") and all(
            isinstance(value, dict) and any(isinstance(value.get(key), str) for key in TEXT_KEYS) for value in some
        )
    if field in ("time", "published_at", "expires_at"):
        return _mostly(_is_time, some) or (field == "time" and all(isinstance(v, list) for v in some))
    if field in ("url", "image"):
        return _mostly(_is_address, some)
    if field == "state":  # numbers mean something else on every site
        return all(str(value).strip().lower() in HIDDEN_STATES | VISIBLE_STATES for value in some)
    if field in ("title", "body"):
        return all(isinstance(value, str) for value in some) and not all(map(_is_address, some))
    if field == "kind":
        return len({str(value) for value in some}) <= _MAX_KINDS and all(isinstance(value, str) for value in some)
    if field in ("shown", "clicked"):
        if all(map(_is_flag, some)):
            return True
        return all(isinstance(value, list) or is_several(value) or _ID.fullmatch(str(value)) for value in some)
    if field == "history":
        return all(isinstance(value, list) or is_several(value) for value in some)
    if field in ("id", "article", "reader", "session", "impression"):
        return all(isinstance(value, str | int | float) and len(str(value)) <= _MAX_ID_CHARS for value in some)
    if field in ("position", "dwell_ms"):
        return all(re.fullmatch(r"\d+(\.\d+)?", str(value)) for value in some)
    return True


def _mostly(test: Callable[[Any], bool], values: Sequence[Any]) -> bool:
    """One bad value does not make a column something else."""
    return sum(map(test, values)) >= _MOSTLY * len(values)


def _some(values: Iterable[Any]) -> list[Any]:
    return [value for value in values if isinstance(value, list) or not is_missing(value)][:50]


def _is_address(value: Any) -> bool:
    return isinstance(value, str) and bool(re.match(r"(https?:)?//|www\.|/[^/\s]", value.strip()))


def _is_flag(value: Any) -> bool:
    return str(value).strip().lower() in _FLAGS


def _is_time(value: Any) -> bool:
    if isinstance(value, list) or (isinstance(value, int | float) and value < EARLIEST / 1000):
        return False
    try:
        return EARLIEST <= read_time(value, zone=UTC, day_first=False) <= _FAR_AHEAD
    except BadTime:
        try:
            return EARLIEST <= read_time(value, zone=UTC, day_first=True) <= _FAR_AHEAD
        except BadTime:
            return False


def _plain(name: str) -> str:
    last = name.rsplit(".", 1)[-1]
    return re.sub(r"[\W_]+", "", last).lower()
