"""Sentences of a trace, Chinese and English."""

from typing import Any

from recsys.recommend.reasons import ReasonKind

LANGUAGES = ("zh", "en")

_TEXTS = {
    "unknown": ("目录里没有这篇文章。", "The catalogue has no such article."),
    "listed": (
        "在 {length} 篇的列表中，第 {place} 位，理由：{reason}。",
        "In the list of {length}, at place {place}, because: {reason}.",
    ),
    "not_listed": ("不在 {length} 篇的列表中。", "Not in the list of {length}."),
    "tried": ("它在那里试推，概率 {propensity:.3f}。", " It is tried there, with probability {propensity:.3f}."),
    "of_age": ("已发布，未隐藏，发布于 {hours:.1f} 小时前。", "Published and not hidden, {hours:.1f} hours old."),
    "of_no_age": ("已发布，未隐藏，发布时间不详。", "Published and not hidden, of unknown age."),
    "hidden": ("它已隐藏、已删除，或从未录入。", "It is hidden, deleted, or was never put."),
    "later": ("它在 {hours:.1f} 小时后发布。", "It is published in {hours:.1f} hours."),
    "expired": ("它已过期。", "It expired."),
    "expired_ago": ("它在 {hours:.1f} 小时前过期。", "It expired {hours:.1f} hours ago."),
    "buried": ("有编辑撤下了它，或撤下了同一文本的另一份。", "An editor has buried it, or a copy of its text."),
    "boosted": ("{by} 把它的几率乘以 {factor:g}", "{by} has multiplied its odds by {factor:g}"),
    "pinned": ("{by} 把它置顶在{lists}的第 {place} 位", "{by} has pinned it to place {place} of {lists}"),
    "guaranteed": ("{by} 保证它出现在{lists}中", "{by} has guaranteed it a place in {lists}"),
    "of_slot": ("版位 {slot!r} ", "slot {slot!r}"),
    "everywhere": ("每个列表", "every list"),
    "own_text": ("同一文本由它代表。", "It stands for its text."),
    "no_copy": ("同一文本的任何一份都不可列出。", "No copy of its text may be listed."),
    "copied": ("同一文本由 {other!r} 代表。", "{other!r}, a copy of its text, stands for it."),
    "on_page": ("页面上已经有它。", "The page shows it already."),
    "dismissed": ("读者已关掉它，或同一文本的另一份。", "The reader has dismissed it, or a copy of it."),
    "read": ("读者已读过它，或同一文本的另一份。", "The reader has read it, or a copy of it."),
    "tired": (
        "近来已向读者展示 {times} 次或更多，没有打开。",
        "Shown to the reader {times} times lately, or more, and not opened.",
    ),
    "new": ("读者没读过它；已知读者点击过 {clicks} 次。", "New to the reader, of whom {clicks} clicks are known."),
    "first_language": ("属于优先的语言。", "Of the language that comes first."),
    "other_language": ("属于另一种语言：用来补足。", "Of another language: it fills up."),
    "no_language": (
        "还没轮到它的语言，列表就满了；或者它不可列出。",
        "The list was full before its language was looked at, or it may not be in it.",
    ),
    "no_model": ("没有点击模型：先看点击（{clicks}），再看新旧。", "No click model: {clicks} decide, then the newest."),
    "filled": ("不在 {number} 个候选之中，但用来补足列表。", "Not among the {number}, but it fills the list."),
    "no_candidate": ("不在 {number} 个候选之中；{near}。", "Not among the {number} candidates; {near}."),
    "candidate": ("{number} 个候选之一：{found}。", "One of {number}: {found}."),
    "ranked": (
        "得分 {score:.4g}，在 {number} 个中第 {rank} 位；最高分 {best:.4g}。",
        "Score {score:.4g}, place {rank} of {number}; the best has {best:.4g}.",
    ),
    "outcomes": (
        "打开后停留时间已知 {timed} 次，其中读满 30 秒 {read} 次（同栏目预期 {read_expected:.1f}）；"
        "看到约 {examined} 次，关掉 {hidden} 次（预期 {hidden_expected:.1f}）：排序时乘以 {factor:.3f}。",
        " Opened {timed} times for a known time, {read} of them for 30 s or more ({read_expected:.1f} expected of its"
        " category); looked at some {examined} times and hidden {hidden} times ({hidden_expected:.1f} expected): its"
        " score ranks times {factor:.3f}.",
    ),
    "picked": (
        "按各栏目和来源的限额，列表第 {place} 位。",
        "Place {place} of the list, with the limits of categories and sources.",
    ),
    "left_out": ("未列入：{why}。", "Left out: {why}."),
    "story": ("同一事件由 {other!r} 代表", "{other!r} stands for its story"),
    "outdone": ("更好的文章已填满列表", "better ones fill the list"),
    "limited": ("“{category}”已有 {held} 篇，达到上限", "{held} of {category} are as many as may be"),
    "limited_source": (
        "来源“{source}”已有 {held} 篇，达到上限",
        "{held} of the source {source!r} are as many as may be",
    ),
    "no_category": ("无栏目", "no category"),
    "nearest": ("与读者的相近程度排第 {place}", "{ordinal} nearest to the reader"),
    "clicked": ("点击量排第 {place}", "{ordinal} most clicked"),
    "newest": ("新近程度排第 {place}", "{ordinal} newest"),
    "covisited": ("读过 {other!r} 的人也打开", "opened by readers of {other!r}"),
    "no_nearness": ("{clicks}，与读者的远近不详", "{clicks}, and no nearness to the reader is known"),
    "cosine": (
        "与读者的余弦为 {cosine:.3f}，最近的一批中末位为 {least:.3f}；{clicks}",
        "its cosine with the reader is {cosine:.3f}, the last of the nearest has {least:.3f}; {clicks}",
    ),
    "clicks": ("共 {number} 次点击", "{number} clicks ever"),
    "and": ("；", "; "),
    "comma": ("、", ", "),
    "stop": ("。", "."),
}

_REASONS = {
    ReasonKind.BECAUSE_YOU_READ: "读过相近的",
    ReasonKind.BECAUSE_YOU_LIKE: "喜欢的栏目",
    ReasonKind.ALSO_OPENED: "同读",
    ReasonKind.TRENDING: "正在热读",
    ReasonKind.FRESH: "最新",
    ReasonKind.POPULAR: "点击多",
    ReasonKind.SIMILAR: "相近",
    ReasonKind.TAGGED: "标签",
    ReasonKind.RECOMMENDED: "推荐",
    ReasonKind.EDITORS_CHOICE: "编辑推荐",
    ReasonKind.EXPLORING: "试推",
    ReasonKind.UPDATE: "后续",
    ReasonKind.SAME_STORY: "同一事件",
}


def reason_name(kind: ReasonKind, language: str) -> str:
    """Short name of a reason; in English the one that the API says."""
    return _REASONS[kind] if language == "zh" else kind.value


def trace_text(key: str, language: str, **values: Any) -> str:
    """One sentence, or a part of one.

    Args:
        key: of the text.
        language: one of ``LANGUAGES``.
        values: what it names; a place is said as an ordinal where a language has these.
    """
    if isinstance(place := values.get("place"), int):
        values["ordinal"] = _ordinal(place)
    return _TEXTS[key][LANGUAGES.index(language)].format(**values)


def _ordinal(place: int) -> str:
    ending = "th" if place % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(place % 10, "th")
    return f"{place}{ending}"
