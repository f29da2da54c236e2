"""Words of the service to a reader about their own data, in Chinese and English, as the answers of the API say them."""

_KNOWN = {
    "en": "{events} events are kept with this reader, until they have them forgotten: no end is set. {state}",
    "zh": "与这位读者关联的记录共 {events} 条，没有设定期限，保存到读者要求删除为止。{state}",
}
_STATE = {
    (
        "en",
        True,
    ): "Personalisation is on: lists are made from what was opened, new events are kept with the reader.",
    ("en", False): "Personalisation is off: lists are those of a stranger, and new events are kept without the reader.",
    ("zh", True): "个性化推荐已开启：名单依据读过的文章编排，新的记录会与读者关联。",
    ("zh", False): "个性化推荐已关闭：名单与陌生读者所见相同，新的记录不再与读者关联。",
}
_SWITCHED = {
    ("en", True): "From now on lists are made from what is opened, and new events are kept with the reader.",
    ("en", False): (
        "From now on lists are those of a stranger, and what is done is kept without the reader and the session. The"
        " {events} events of before are still kept with the reader; to forget them is a step of its own."
    ),
    ("zh", True): "从现在起，名单依据读过的文章编排，新的记录会与读者关联。",
    ("zh", False): (
        "从现在起，名单与陌生读者所见相同，新的记录不再与读者和会话关联。"
        "此前的 {events} 条记录仍与读者关联，删除它们需要另外操作。"
    ),
}


def reader_says(lang: str, *, events: int, on: bool) -> str:
    """Sentence on what is kept of a reader.

    Args:
        lang: ``zh`` or ``en``.
        events: kept with them.
        on: whether personalisation is.
    """
    return _KNOWN[lang].format(events=events, state=_STATE[lang, on])


def personalisation_says(lang: str, *, events: int, on: bool) -> str:
    """Sentence on what it means that personalisation was switched; arguments as those of ``reader_says``."""
    return _SWITCHED[lang, on].format(events=events)
