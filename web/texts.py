"""Every word that the site says itself, in Chinese and in English, and how it writes times and category names.

The widget carries its own few words in ``widget/parts/words.js``, because it also runs on other sites.
"""

from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from recsys.categories.names import CATEGORY_NAMES, ENGLISH_OF

LANGUAGES = ("zh", "en")  # of pages and reasons
CONSENTS = ("yes", "browser", "no", "signal")  # what a reader can have said; a browser's own signal is the last
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000  # milliseconds
SITE_NAMES = {("The Morning Vector", "zh"): "晨间向量"}
EAST_ASIAN = 0x2E80  # from here on a character is about twice as wide as a Latin letter

TEXTS: dict[str, dict[str, str]] = {
    "zh": {
        "other": "English",
        "other_lang": "en",
        "tagline": "读者点什么，版面就学什么",
        "skip": "跳到正文",
        "front": "首页",
        "nav": "栏目",
        "about": "运作方式",
        "newsroom": "编辑登录",
        "theme": "切换深色与浅色",
        "today": "今日点击",
        "clicks": "次点击",
        "click": "次点击",
        "simulated": "模拟读者",
        "simulated_hint": "点击出自模拟读者，不是真人；访客的点击也会一并计入。",
        "guess": "猜你喜欢",
        "similar": "相关报道",
        "more": "更多新闻",
        "more_on_story": "这件事的更多报道",
        "whole_story": "这件事的全部报道",
        "story": "事件",
        "article": "篇报道",
        "articles": "篇报道",
        "undated": "日期不详",
        "newest_only": "这里是最新的 {shown} 篇。",
        "story_tags": "这件事的标签",
        "tag": "标签",
        "tags": "标签",
        "given": "来稿栏目",
        "sorted": "机器归类",
        "guessed": "机器拿不准，也许是",
        "confidence": "把握",
        "keyword_weight": "权重",
        "share": "占比",
        "all_tags": "全部标签",
        "no_tags": "还没有文章，也就没有标签。",
        "find_tag": "查找标签",
        "find": "查找",
        "tags_text": "近期报道里最常见的标签，字越大越常见。也可以直接查找任何一个词、词组或栏目。",
        "related_tags": "相关标签",
        "newer": "较新",
        "older": "较早",
        "page_of": "第 {page} 页，共 {pages} 页",
        "untagged_title": "没有报道带这个标签",
        "untagged_meant": "可以看看这些标签：",
        "your_data": "我的数据",
        "original": "阅读原文",
        "noscript": "“猜你喜欢”需要开启 JavaScript。",
        "release": "模型版本",
        "no_release": "尚无模型版本",
        "personal_yes": "个性化：开",
        "personal_browser": "个性化：只在本浏览器",
        "personal_no": "个性化：关",
        "personal_signal": "个性化：关（浏览器要求）",
        "kept_yes": "为这个浏览器记着一个随机编号，以及在它名下显示、点开和划掉的文章、各读了多久。",
        "kept_browser": "最近点开的文章（至多20篇）只留在这个浏览器里，问名单时随问题送出，服务器不存。",
        "kept_no": "这个浏览器里只留着这一选择，不为您记编号。此前在编号名下存过的内容，会一直保留，直到您要求删除。",
        "kept_signal": "您的浏览器要求不被跟踪，所以不为您记编号。",
        "install_version": "或者固定在这一版，由浏览器核对内容没有被改动：",
        "consent_ask": "“猜你喜欢”可以随您的阅读而变。可以记住您读过什么吗？",
        "consent_more": "记什么、留多久",
        "consent_yes": "可以，记在随机编号下",
        "consent_browser": "只留在这个浏览器",
        "consent_no": "不要",
        "for_editors": "编辑视图：把握与权重",
        "missing_title": "这一页不在报纸里",
        "missing_text": "地址可能写错了，也可能这篇报道已经撤下。",
        "missing_back": "回到首页",
        "empty_title": "第一版还没有付印",
        "empty_text": "目录里还没有文章。在项目目录里运行下面任意一条命令，再刷新本页：",
        "empty_demo": "演示新闻：现成的文章和模拟读者，几分钟就好",
        "empty_mind": "真实点击：导入 MIND 数据，再跑完各个阶段",
    },
    "en": {
        "other": "中文",
        "other_lang": "zh",
        "tagline": "A front page that learns from what is read",
        "skip": "Skip to the stories",
        "front": "Front page",
        "nav": "Sections",
        "about": "How it works",
        "newsroom": "Newsroom sign-in",
        "theme": "Switch between dark and light",
        "today": "Most clicked today",
        "clicks": "clicks",
        "click": "click",
        "simulated": "simulated readers",
        "simulated_hint": "These clicks are those of simulated readers, not of people; visitors’ are added to them.",
        "guess": "You might like",
        "similar": "Similar stories",
        "more": "More stories",
        "more_on_story": "More on this story",
        "whole_story": "The whole story",
        "story": "Story",
        "article": "article",
        "articles": "articles",
        "undated": "Undated",
        "newest_only": "These are the newest {shown}.",
        "story_tags": "What it is about",
        "tag": "Tag",
        "tags": "Tags",
        "given": "Filed under",
        "sorted": "Sorted by machine",
        "guessed": "The machine is not sure; perhaps",
        "confidence": "confidence",
        "keyword_weight": "weight",
        "share": "share",
        "all_tags": "All tags",
        "no_tags": "There are no articles yet, and so no tags.",
        "find_tag": "Find a tag",
        "find": "Find",
        "tags_text": "The most frequent tags of the latest stories, the larger the more frequent. Any word, phrase or"
        " section can be looked for.",
        "related_tags": "Related tags",
        "newer": "Newer",
        "older": "Older",
        "page_of": "Page {page} of {pages}",
        "untagged_title": "No story bears this tag",
        "untagged_meant": "These tags lead somewhere:",
        "your_data": "Your data",
        "original": "Read the original",
        "noscript": "“You might like” needs JavaScript.",
        "release": "Model release",
        "no_release": "no model release yet",
        "personal_yes": "Personalisation: on",
        "personal_browser": "Personalisation: in this browser only",
        "personal_no": "Personalisation: off",
        "personal_signal": "Personalisation: off, as your browser asks",
        "kept_yes": "A random number is kept for this browser, and under it which stories were shown, opened and"
        " dismissed, and how long each was read.",
        "kept_browser": "The stories you opened last, 20 at most, are kept in this browser alone; they are sent along"
        " when a list is asked for, and not stored.",
        "kept_no": "This browser keeps this choice and nothing else; no number is kept of you. What was stored under a"
        " number before stays until you have it deleted.",
        "kept_signal": "Your browser asks not to be tracked, so no number is kept of you.",
        "install_version": "Or this version and no other, which the browser checks against its hash:",
        "consent_ask": "“You might like” can follow what you read. May it remember that?",
        "consent_more": "What is kept, and for how long",
        "consent_yes": "Yes, under a random number",
        "consent_browser": "Only in this browser",
        "consent_no": "No",
        "for_editors": "As editors see it: confidence and weights",
        "missing_title": "This page is not in the paper",
        "missing_text": "The address may be mistyped, or the story has been taken down.",
        "missing_back": "Back to the front page",
        "empty_title": "The first edition is still being set",
        "empty_text": "There are no articles yet. Run either of these in the project’s folder, then reload this page:",
        "empty_demo": "The demo newsroom: ready-made articles and simulated readers, in a few minutes",
        "empty_mind": "Real clicks: import the MIND data, then run every stage",
    },
}

WEEKDAYS = "一二三四五六日"


def said_in(language: str | None) -> str:
    """The language in which a page in any language says its own words: Chinese for Chinese, English for all others."""
    return "zh" if language == "zh" else "en"


def site_name(name: str, lang: str) -> str:
    """The masthead: the configured name, and in Chinese the demo newsroom's Chinese one."""
    return SITE_NAMES.get((name, lang), name)


@lru_cache(1 << 12)
def category_name(category: str, lang: str) -> str:
    """A category's name for readers; one that is not known here is shown as it came, tidied."""
    names = CATEGORY_NAMES.get(category.lower())
    if names:
        return names[0] if lang == "zh" else names[1]
    if lang == "en" and category in ENGLISH_OF:
        return ENGLISH_OF[category]
    tidy = category.replace("_", " ").replace("-", " ").strip()
    return tidy.capitalize() if tidy.islower() else tidy or category


def ago(then: int, now: int, lang: str, timezone: str) -> str:
    """The time since something was published, as a newspaper would say it; the date after a week.

    Args:
        then: milliseconds UTC.
        now: milliseconds UTC.
        lang: ``zh`` or ``en``.
        timezone: IANA name, for the date.
    """
    gone = now - then
    if gone >= 7 * DAY or gone < -MINUTE:
        return date(then, lang, timezone)
    for size, chinese, english in ((DAY, "天前", "day"), (HOUR, "小时前", "hour"), (MINUTE, "分钟前", "minute")):
        n = gone // size
        if n >= 1:
            return f"{n}{chinese}" if lang == "zh" else f"{n} {english}{'' if n == 1 else 's'} ago"
    return "刚刚" if lang == "zh" else "just now"


def date(then: int, lang: str, timezone: str, weekday: bool = False) -> str:
    """A date in words: ``2026年11月20日`` or ``20 November 2026``."""
    day = _local(then, timezone)
    if lang == "zh":
        return f"{day.year}年{day.month}月{day.day}日" + (f" 星期{WEEKDAYS[day.weekday()]}" if weekday else "")
    return (f"{day:%A}, " if weekday else "") + f"{day.day} {day:%B} {day.year}"


def clock(then: int, timezone: str) -> str:
    """A time of day: ``08:05``."""
    return f"{_local(then, timezone):%H:%M}"


def iso(then: int) -> str:
    """A time for machines, UTC: ``2026-11-20T08:00:00+00:00``."""
    return _local(then, "UTC").isoformat(timespec="seconds")


def size(title: str) -> str:
    """The size in which a headline may be set: ``short``, ``medium`` or ``long`` by its width in Latin letters."""
    width = sum(2 if ord(letter) >= EAST_ASIAN else 1 for letter in title)
    return "short" if width <= 44 else "medium" if width <= 84 else "long"


def level(weight: float, heaviest: float) -> int:
    """A tag's weight as one of five steps, 1 to 5, against the heaviest."""
    return max(1, min(5, round(5 * weight / heaviest))) if heaviest > 0 else 1


def _local(then: int, timezone: str) -> datetime:
    bounded = max(-62_135_000_000_000, min(then, 253_402_000_000_000))  # the years that datetime can hold
    return datetime.fromtimestamp(bounded / 1000, UTC).astimezone(ZoneInfo(timezone))
