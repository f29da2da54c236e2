"""Words of the service to a reader about their own data, in Chinese and English, as the answers of the API say them."""

_KNOWN = {
    ("en", False): "{events} events are kept with your reader id until you have them forgotten; no end is set. {state}",
    ("en", True): (
        "{events} events are kept with your reader id, each for {days} days, or until you have them forgotten. {state}"
    ),
    ("zh", False): "与您的读者编号关联的记录共 {events} 条，没有设定期限，保存到您要求删除为止。{state}",
    ("zh", True): "与您的读者编号关联的记录共 {events} 条，每条保存 {days} 天，您也可以随时要求删除。{state}",
}
_STATE = {
    (
        "en",
        True,
    ): "Personalisation is on: lists are made from what you opened, new events are kept with the id.",
    ("en", False): "Personalisation is off: lists are those of a stranger, and new events are kept without the id.",
    ("zh", True): "个性化推荐已开启：名单依据您读过的文章编排，新的记录会与编号关联。",
    ("zh", False): "个性化推荐已关闭：名单与陌生读者所见相同，新的记录不再与编号关联。",
}
_SWITCHED = {
    ("en", True): "From now on lists are made from what you open, and new events are kept with your reader id.",
    ("en", False): (
        "From now on lists are those of a stranger, and what you do is kept without the id and the session."
        " The {events} events of before are still kept with the id; to forget them is a step of its own."
    ),
    ("zh", True): "从现在起，名单依据您读过的文章编排，新的记录会与编号关联。",
    ("zh", False): (
        "从现在起，名单与陌生读者所见相同，新的记录不再与编号和会话关联。"
        "此前的 {events} 条记录仍与编号关联，删除它们需要另外操作。"
    ),
}
_GONE = {
    "en": "Nothing of you is left in the database and in the lists. {rest}",
    "zh": "数据库和推荐名单里已没有关于您的内容。{rest}",
}
_REST = {
    ("en", True): "Everything is gone.",
    ("en", False): (
        "The next nightly run clears the copy in the event log; models that also learned from your reading are replaced"
        " by newer ones."
    ),
    ("zh", True): "全部内容均已删除。",
    ("zh", False): "事件日志里的副本由下一次夜间任务清除；曾从您的阅读中学习过的模型会被新的模型取代。",
}


def forgotten_says(lang: str, *, done: bool) -> str:
    """Sentence on what is left of a reader who is forgotten.

    Args:
        lang: ``zh`` or ``en``.
        done: whether nothing is left anywhere.
    """
    return _GONE[lang].format(rest=_REST[lang, done])


def reader_says(lang: str, *, events: int, on: bool, days: int = 0) -> str:
    """Sentence on what is kept of a reader.

    Args:
        lang: ``zh`` or ``en``.
        events: kept with them.
        on: whether personalisation is.
        days: for which an event is kept; 0: no end is set.
    """
    return _KNOWN[lang, days > 0].format(events=events, days=days, state=_STATE[lang, on])


def personalisation_says(lang: str, *, events: int, on: bool) -> str:
    """Sentence on what it means that personalisation was switched; arguments as those of ``reader_says``."""
    return _SWITCHED[lang, on].format(events=events)
