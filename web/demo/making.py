"""The making of this site's lists, in sentences from its configuration, and a privacy notice that a site may copy.

Reads settings and editors' decisions; produces sentences in Chinese and English. What is
switched off is not said.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ListFacts:
    """Facts of this site that decide its lists.

    Attributes:
        clicks: last clicks of a reader that count.
        half_life_clicks: clicks after which an older one counts half.
        fresh_hours: until when an article is new.
        max_per_category: articles of one category while others are left.
        explored_share: of the lists, in which a new article is tried; 0: none is.
        pins: articles that editors have put at a place now.
        keep_days: for which an event is kept; 0: until its reader has it deleted.
        is_trained: whether a release with models is served; before that lists are what is popular and new.
    """

    clicks: int
    half_life_clicks: float
    fresh_hours: float
    max_per_category: int
    explored_share: float
    pins: int
    is_trained: bool
    keep_days: int = 0


def sentences(facts: ListFacts, lang: str) -> list[str]:
    """The making of a list, sentence by sentence; ``lang`` is ``zh`` or ``en``."""
    said = _SAID[lang]
    explored = round(100 * facts.explored_share)
    parts = [
        (said["reader"], True),
        (said["popular"], True),
        (said["model"], facts.is_trained),
        (said["untrained"], not facts.is_trained),
        (said["seen"], True),
        (said["variety"], True),
        (said["explored"], explored > 0),
        (said["pins"], facts.pins > 0),
        (said["no_pins"], facts.pins == 0),
        (said["kept"], facts.keep_days > 0),
        (said["off"], True),
    ]
    values = {
        "clicks": facts.clicks,
        "half": f"{facts.half_life_clicks:g}",
        "hours": f"{facts.fresh_hours:g}",
        "category": facts.max_per_category,
        "explored": explored,
        "pins": facts.pins,
        "days": facts.keep_days,
    }
    return [text.format(**values) for text, holds in parts if holds]


def notice(lang: str, keep_days: int) -> str:
    """A text for the site's privacy notice, to be completed by the site.

    Args:
        lang: ``zh`` or ``en``.
        keep_days: for which an event is kept; 0: until its reader has it deleted.
    """
    return _NOTICE[lang].format(kept=_KEPT[lang, keep_days > 0].format(days=keep_days))


_SAID = {
    "en": {
        "reader": "Of a reader who agreed, the last {clicks} stories that they opened count; one that lies {half}"
        " clicks back counts half. Age, sex, name and address are not asked for.",
        "popular": "To these come what many people open now, what is opened in the same visits, and what is new, for at"
        " most {hours} hours.",
        "model": "A click model then orders them by how likely each is to be opened, also by the hour, the device and"
        " the region, as far as the site tells these.",
        "untrained": "No model has been trained yet: lists are what is popular and what is new.",
        "seen": "What a reader has opened or dismissed is not shown again, and of one event a list holds one story.",
        "variety": "Of one section at most {category} stories stand in a list while others are left.",
        "explored": "In {explored} lists of 100 a new story is tried that few have seen yet; its card says so.",
        "pins": "Editors have put {pins} of the stories at a fixed place now; their cards say so.",
        "no_pins": "Editors may put a story at a fixed place or take it out; now they have fixed none.",
        "kept": "What was opened and shown is kept for {days} days, then it is deleted.",
        "off": "Each card says why it is there. On the page “Your data” tags can be weakened or removed and"
        " personalisation switched off; then lists are those that a stranger gets.",
    },
    "zh": {
        "reader": "对同意个性化的读者，推荐器只看最近点开的 {clicks} 篇文章；隔了 {half} 次点击的，分量减半。"
        "不询问年龄、性别、姓名和住址。",
        "popular": "再加上此刻很多人在读的、同一次阅读里常被一起点开的，以及不超过 {hours} 小时的新文章。",
        "model": "然后由点击模型按每篇被点开的可能性排序；如果网站提供，也参考时段、设备和地区。",
        "untrained": "模型还没有训练过：名单由热门和最新的文章组成。",
        "seen": "点开过或划掉的文章不再出现；同一事件，一份名单里只有一篇。",
        "variety": "只要还有别的栏目，同一栏目最多 {category} 篇。",
        "explored": "每 100 份名单里有 {explored} 份会试推一篇很少有人见过的新文章，卡片上会写明。",
        "pins": "编辑现在把 {pins} 篇文章固定在某个位置，卡片上会写明。",
        "no_pins": "编辑可以固定或撤下某篇文章；现在没有固定的文章。",
        "kept": "点击和展示的记录保存 {days} 天，到期删除。",
        "off": "每张卡片都写着推荐理由。在“我的数据”页可以减弱或移除标签、关闭个性化；关闭后看到的名单与陌生读者相同。",
    },
}
_KEPT = {
    ("en", False): "It is kept until you have it deleted.",
    ("en", True): "Each record is deleted after {days} days, or when you ask for it.",
    ("zh", False): "保存到您要求删除为止。",
    ("zh", True): "每条保存 {days} 天，到期删除；您也可以随时要求删除。",
}
_NOTICE = {
    "en": (
        "Recommendations. With your consent we keep a random number in your browser and, under it, which articles we"
        " showed you, which you opened or dismissed, and how long you read. We use this only to choose articles for you"
        " and to improve that choice; it is not sold and not combined with other data. {kept}"
        " On the page “Your data” you see it, download it, delete it, remove tags, or switch personalisation"
        " off. [Name and address of the controller; legal basis; authority to complain to.]"
    ),
    "zh": (
        "个性化推荐。经您同意，我们在您的浏览器里保存一个随机编号，并在该编号下记录向您显示过、您点开或划掉的文章以及阅读时长。"
        "这些记录仅用于为您挑选文章和改进推荐，不出售，也不与其他数据合并，{kept}"
        "在“我的数据”页，您可以查看、下载、删除这些记录，移除标签，或关闭个性化推荐。"
        "［个人信息处理者的名称与联系方式；处理的法律依据；投诉渠道。］"
    ),
}
