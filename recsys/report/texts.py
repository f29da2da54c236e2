"""Headings and sentences of the report, in Chinese and English.

The pages are composed in English; by these templates their sentences are read, see ``recsys.languages.phrases``.
"""

from recsys.languages.phrases import Phrases
from recsys.report.data_texts import DATA_TEXTS, IMPORT_NOTES
from recsys.report.model_texts import CATEGORY_TEXTS, CLICK_MODEL_TEXTS, WORD_TEXTS
from recsys.report.overview import GAPS

HEADING_TEXTS = Phrases(
    {
        # pages
        "overview": ("概览", "Overview"),
        "data": ("数据", "Data"),
        "next_click": ("下一次点击", "Next click"),
        "click_model": ("点击模型", "Click model"),
        "words": ("词", "Words"),
        "keywords": ("关键词", "Keywords"),
        "categories": ("栏目", "Categories"),
        # overview
        "lacks": ("这个版本缺什么", "What this release lacks"),
        "counts": ("读了什么，做了什么", "What was read and made"),
        "odd_input": ("异常的输入", "Odd input"),
        "ranking": ("给留出的展示排序", "Ranking the impressions held out"),
        "maps": ("文章的地图", "Maps of the articles"),
        # data
        "glance": ("一览", "At a glance"),
        "timeline": ("事件随时间", "Events over time"),
        "match": ("点击与文章", "Clicks and articles"),
        "articles": ("文章", "Articles"),
        "events": ("事件", "Events"),
        "odd_events": ("异常的事件", "Odd events"),
        "odd_readers": ("异常的读者", "Odd readers"),
        "imports": ("导入", "Imports"),
        "rejected": ("拒绝的行", "Rejected rows"),
        "repaired": ("修补的字段", "Repaired fields"),
        "left_out": ("略过的行", "Left out"),
        # next click, click model
        "next": ("给下一次点击排序", "Ranking what is clicked next"),
        "methods": ("各种方法", "The methods"),
        "held_out": ("在留出的列表上", "On the lists held out"),
        "learning": ("学习", "Learning"),
        "reliability": ("可靠性", "Reliability"),
        "needs": ("它需要什么", "What it needs"),
        "spans": ("按新旧与历史", "By age and by history"),
        "beside": ("与上一个版本并列", "Beside the previous release"),
        # words, keywords
        "training": ("训练", "Training"),
        "similarity": ("词的相似度", "Word similarity"),
        "analogies": ("类比", "Analogies"),
        "neighbours": ("最近的词", "Nearest words"),
        "unknown": ("词表之外", "Out of vocabulary"),
        "drift": ("漂移", "Drift"),
        "word_map": ("词的地图", "Map of the words"),
        "lexicon": ("新词与固定搭配", "New words and collocations"),
        "zh": ("中文", "zh"),
        "en": ("英文", "en"),
        "chinese": ("中文", "Chinese"),
        "english": ("英文", "English"),
        # categories
        "judged": ("怎样评判", "How they were judged"),
        "task": ("标签集：{task}", "Task: {task}"),
        "models": ("模型（{about}）", "Models ({about})"),
        "confusions": ("混淆（{about}）", "Confusions ({about})"),
        "reliability_of": ("可靠性（{about}）", "Reliability ({about})"),
        "mistakes": ("最严重的错误（{about}）", "Worst mistakes ({about})"),
        "topics": ("话题", "Topics"),
    }
)

_GAPS = {
    "articles": "没有可展示的。请导入文章。",
    "shown-articles": "所有文章都已隐藏或过期：没有可展示的。请恢复一些，或导入新的。",
    "bodies": "文章只有标题：关键词、栏目和转载都更没把握。",
    "publication-times": "没有文章写明发布时间：没有一篇算新。",
    "word-vectors": "文本太少：文章没有关键词，也没有向量，不能按内容比较。",
    "categories": "没有两个栏目各有足够的文章：不归类，列表也不按栏目求变化。",
    "events": "还没有人读过什么：列表里是最新的文章。请导入点击，或等一等。",
    "clicks": "有事件，但没有一个是点击：没有热门的文章，也不认识任何读者。",
    "known-clicks": "没有点击对得上文章库里的文章。请导入文章，或检查它们的编号。",
    "impressions": "没有人说展示了什么而没有被点：得分只能排序，不是点击的概率。",
    "times": "没有事件写明时间：热度不会消退，访问也分不开。",
    "item-vectors-from-clicks": "没有两篇文章在同一次访问里被读过：文章只按内容相似。",
    "click-model": "没有点击可学：列表按相似度和热度排序。",
    "judgement": "没有能留出的列表：没有人知道这个版本排得多好。",
}

_OVERVIEW = {
    "zh": ("中文", "zh"),
    "en": ("英文", "en"),
    "lead": ("这个版本用什么训练，排序有多好。", "What this release was trained on, and how well it ranks."),
    "lacking": ("网站没有给出做一个版本所能用的全部。", "The site did not give all that a release can be made from."),
    "odd_texts": ("按种类另行处理的文本。", "Texts that were met with a rule of their own, by kind."),
    "no_odd_text": ("没有异常的文本。", "No text was odd."),
    "no_map": ("有向量的文章太少。", "Too few articles have a vector."),
    "article_map": (
        "文章向量在两条主轴上，按栏目着色（{language}）",
        "Article vectors on their two main axes, by category ({language})",
    ),
    # how the lists were judged
    "nothing_to_judge": (
        "留出的列表中没有一个既有被点的又有没被点的卡片：还没有可评判的。",
        "No list that was held out has both a clicked and an unclicked card: there is nothing to judge yet.",
    ),
    "judged_share": (
        "按时间最后的 {held} 个列表评判，占预热之后的 {share}；其中 {counted} 个既有被点的又有没被点的卡片。",
        "Judged on the last {held} lists in time, {share} of those after the warm-up; {counted} of them have both a"
        " clicked and an unclicked card.",
    ),
    "judged": (
        "按时间最后的 {held} 个列表评判；其中 {counted} 个既有被点的又有没被点的卡片。",
        "Judged on the last {held} lists in time; {counted} of them have both a clicked and an unclicked card.",
    ),
    "simulated": ("这些读者是模拟的。", "These are simulated readers."),
    "ranking_picture": ("各模型的排序质量，在留出的展示上", "Ranking quality by model, impressions held out"),
}

_NEXT_CLICK = {
    "next_lead": ("点击模型比简单的方法更好吗？", "Is the click model better than what is simple?"),
    "memory": (
        "它们都只看到一个列表展示之前的点击。",
        "All of them see only what was clicked strictly before a list was shown.",
    ),
    "memory_chosen": (
        "各自记住多久，取在留出列表之前的列表上排得最好的。",
        "How long each remembers is what ranked best on the lists before the held-out ones.",
    ),
    "ahead": (
        "点击模型的 AUC 比其余中最好的 {best} 高 {ahead}。",
        "The click model is {ahead} AUC ahead of the best of the others, {best}.",
    ),
    "behind": (
        "点击模型没有领先：{best} 的 AUC 高 {behind}。",
        "The click model is not ahead: {best} is {behind} AUC better.",
    ),
}

SENTENCES = Phrases(
    {f"gap_{name}": (_GAPS[name], english) for name, english in GAPS.items()}
    | _OVERVIEW
    | {f"data_{key}": said for key, said in DATA_TEXTS.items()}
    | {f"import_{key}": said for key, said in IMPORT_NOTES.items()}
    | {f"next_{key}": said for key, said in _NEXT_CLICK.items()}
    | {f"model_{key}": said for key, said in CLICK_MODEL_TEXTS.items()}
    | {f"words_{key}": said for key, said in WORD_TEXTS.items()}
    | {f"categories_{key}": said for key, said in CATEGORY_TEXTS.items()}
)
NOTES = Phrases(  # of an example
    {
        "times": ("{n} 次", "{n} times"),
        "mistake": ("{truth} → {found}，把握 {sure}", "{truth} → {found}, {sure} sure"),
    }
)
