"""Reasons in words, Chinese or English.

Reads a ``Reason``, the title of the article that it names and a category's name; produces what a card says.
"""

from recsys.recommend.reasons import Reason, ReasonKind

REASON_TEXTS = {
    "en": {
        ReasonKind.BECAUSE_YOU_READ: "Because you read “{title}”",
        ReasonKind.BECAUSE_YOU_LIKE: "Because you like {category}",
        ReasonKind.ALSO_OPENED: "Readers of “{title}” also opened this",
        ReasonKind.TRENDING: "Trending now",
        ReasonKind.FRESH: "From the latest stories",
        ReasonKind.POPULAR: "Popular with readers",
        ReasonKind.TAGGED: "Tagged “{keywords}”",
        ReasonKind.RECOMMENDED: "Recommended",
        ReasonKind.EDITORS_CHOICE: "Editors' choice",
        ReasonKind.EXPLORING: "New, and seen by few so far",
        ReasonKind.UPDATE: "An update on “{title}”",
        ReasonKind.SAME_STORY: "About the same event",
    },
    "zh": {
        ReasonKind.BECAUSE_YOU_READ: "因为你读过《{title}》",
        ReasonKind.BECAUSE_YOU_LIKE: "因为你喜欢{category}",
        ReasonKind.ALSO_OPENED: "读过《{title}》的人也看了",
        ReasonKind.TRENDING: "正在热读",
        ReasonKind.FRESH: "最新文章",
        ReasonKind.POPULAR: "读者都在看",
        ReasonKind.TAGGED: "标签：{keywords}",
        ReasonKind.RECOMMENDED: "推荐阅读",
        ReasonKind.EDITORS_CHOICE: "编辑推荐",
        ReasonKind.EXPLORING: "新文章，还没多少人看过",
        ReasonKind.UPDATE: "《{title}》的后续",
        ReasonKind.SAME_STORY: "同一件事的报道",
    },
}

_BESIDE = {  # where the list stands beside the one article it is like: by keywords, by category, by neither
    "en": ("Also about {keywords}", "Also in {category}", "Similar to this story"),
    "zh": ("同样谈到{keywords}", "同属{category}", "与本文相近"),
}
_IN = {  # where the category is known and says more than "recommended" and "new" alone
    ReasonKind.FRESH: {"en": "New in {category}", "zh": "{category}最新"},
    ReasonKind.RECOMMENDED: {"en": "From {category}", "zh": "来自{category}"},
}
SAYS_KEYWORDS = (ReasonKind.BECAUSE_YOU_LIKE, ReasonKind.SIMILAR, ReasonKind.TAGGED)  # the others name no words
_WITH_KEYWORDS = {"en": "{said}: {keywords}", "zh": "{said}：{keywords}"}
_SEPARATOR = {"en": ", ", "zh": "、"}


def reason_text(reason: Reason, language: str, title: str = "", category: str = "") -> str:
    """A reason in words.

    Args:
        reason: the claim.
        language: "zh"; anything else is said in English.
        title: of the article read.
        category: name of the reason's category, in that language.
    """
    spoken = "zh" if language == "zh" else "en"
    keywords = _SEPARATOR[spoken].join(reason.keywords)
    if reason.kind is ReasonKind.SIMILAR:
        form = _BESIDE[spoken][0 if keywords else 1 if category else 2]
        return form.format(keywords=keywords, category=category)
    if category and reason.kind in _IN:
        return _IN[reason.kind][spoken].format(category=category)
    claim = REASON_TEXTS[spoken][reason.kind].format(title=title, category=category, keywords=keywords)
    named = reason.kind is ReasonKind.BECAUSE_YOU_LIKE and keywords
    return _WITH_KEYWORDS[spoken].format(said=claim, keywords=keywords) if named else claim
