"""Sentences of the pages of models (clicks, words, categories), in Chinese and English."""

from recsys.languages.phrases import Phrases

CLICK_MODEL_TEXTS = {
    "model_lead": (
        "它怎样学习，概率是否可信，需要什么，对谁服务得好。",
        "How it learned, whether its probabilities are true, what it needs, and whom it serves well.",
    ),
    "none_held_out": ("没有留出列表，无从评判。", "No list was held out, so there is nothing to judge it on."),
    "unjudged": ("没有评判点击模型。", "No click model was judged."),
    "no_click": (
        "没有点击可学；列表按相似度排序。",
        "There was no click to learn one from; lists are ranked by similarity.",
    ),
    "loss": ("各轮的损失", "Loss by epoch"),
    "auc": ("各轮的 AUC，各列表的平均", "AUC by epoch, mean over lists"),
    "kept": ("共 {n} 轮；保留了第 {kept} 轮之后的权重。", "{n} epochs; the weights after epoch {kept} were kept."),
    "validation": ("验证用的列表晚于学习用的。", "Validation lists are later than the ones learned from."),
    "cards": (
        "{lists} 个列表的 {cards} 张卡片，都晚于模型学过的；其中 {clicks} 张（{rate}）被点击。",
        "{cards} cards of {lists} lists, all later than what the model learned from; {clicks} ({rate}) were clicked.",
    ),
    "calibration": (
        "校准误差（ECE）{error}：与对角线的平均距离，至多 15 组，每组卡片一样多",
        "Calibration error (ECE) {error}: the mean distance from the diagonal, over at most 15 bins of as many cards"
        " each",
    ),
    "diagonal_cards": (
        "给出某个概率的卡片中被点击的占比：在对角线上就是名副其实。",
        "Of the cards with a given probability, the share that was clicked: on the diagonal it means what it says.",
    ),
    "no_auc": (
        "没有被点的或没有没被点的卡片，就没有 AUC 可损失。",
        "Without both clicked and unclicked cards there is no AUC to lose.",
    ),
    "lost": (
        "一组特征换成另一张卡片的值时损失的 AUC",
        "AUC lost when a group's features are those of another card",
    ),
    "ids": ("“编号”指文章和栏目本身", "ids are the identities of article and category"),
    "context": ("“情境”指谁在何时何地、用什么读", "context is who reads, where, when and on what"),
    "history": ("“历史”指读者最近点击的列表", "history is the list of the reader's last clicks"),
    "told_other": (
        "把另一张卡片的值告诉模型时，它损失多少。",
        "What the model loses when it is told another card's values.",
    ),
    "stand_in": (
        "说同样的事的组可以互相代替，所以损失小不等于这一组没有用。",
        "Groups that say the same stand in for each other, so that a small loss does not mean that a group is"
        " worthless.",
    ),
    "shuffles": ("细线表示各次打乱相差多少。", "The thin lines show how much shuffles differ."),
    "no_spans": ("特征里没有新旧，也没有历史。", "The features hold no age and no history."),
    "by_age": (
        "按文章首次展示以来的时间的 AUC（括号里是卡片数）",
        "AUC by the time since an article was first shown (in brackets: cards)",
    ),
    "by_clicks": (
        "按已知读者点击数的 AUC（括号里是卡片数）",
        "AUC by the clicks that are known of the reader (in brackets: cards)",
    ),
    "new_ones": ("它对新文章、对新读者好吗？", "Is it good for what is new, and for who is new?"),
    "errors": ("细线是向两边各一个标准误差。", "The thin lines are one standard error to both sides."),
    "own_unjudged": (
        "没有评判这个版本的点击模型，无从比较。",
        "The click model of this release was not judged, so there is nothing to compare.",
    ),
    "no_previous": ("没有上一个版本可比较。", "There is no previous release to compare with."),
    "previous_unjudged": (
        "上一个版本 {release} 没有对它的点击模型的评判。",
        "The previous release, {release}, holds no judgement of its click model.",
    ),
    "previous": ("上一个版本是 {release}。", "The previous release is {release}."),
    "other_days": (
        "它们各按自己日志里最后的列表评判，而别的日子读的是别的新闻：不超过偶然范围的差别说明不了什么。",
        "Each was judged on the last lists of its own log, and on other days other news is read: a difference no larger"
        " than chance makes it says little.",
    ),
    "chance": (
        "偶然：差别的一个标准误差，凡两者按不同的列表评判的",
        "By chance: one standard error of the difference, where the two were judged on different lists",
    ),
}

WORD_TEXTS = {
    "words_lead": (
        "词向量有多好（由人评判），哪些词是新的。",
        "How good the word vectors are, as people judge them, and which words are new.",
    ),
    "no_loss": ("没有训练，或模型不报告损失。", "Nothing was trained, or the model reports no loss."),
    "no_pairs": (
        "没有一份评判过的词对与这个词表有足够多的共同词。",
        "No list of judged word pairs shares enough words with this vocabulary.",
    ),
    "spearman": (
        "向量的余弦与人的评判之间的斯皮尔曼相关，取认识的词对。",
        "Spearman's correlation of the vectors' cosines with people's judgements, on the pairs of known words.",
    ),
    "no_analogies": (
        "没有一份类比与这个词表有足够多的共同词。",
        "No list of analogies shares enough words with this vocabulary.",
    ),
    "capitals": (
        "柏林之于德国，如巴黎之于……：最近的词有多少次是对的。",
        "Berlin is to Germany as Paris is to …: how often the nearest word is the right one.",
    ),
    "no_noun": ("词表里没有足够常见的名词。", "The vocabulary has no noun that is frequent enough."),
    "nouns": (
        "每种语言最常见的名词，附余弦。",
        "Of the most frequent nouns of each language, with the cosine.",
    ),
    "no_vector": ("语料中没有向量的词的占比。", "Share of the corpus's words that have no vector."),
    "no_text": ("没有文本。", "There was no text."),
    "started": ("训练从 {file} 的向量开始。", "Training started from vectors of {file}."),
    "no_space": (
        "没有以前的词空间可与它比较。",
        "There is no earlier word space that this one could be compared with.",
    ),
    "drift": (
        "转到上一个空间之后，双方都认识的 {n} 个词与从前的自己的平均余弦是 {mean}。",
        "After being turned onto the last space, the {n} words that both know have a mean cosine of {mean} with their"
        " former selves.",
    ),
    "moved": ("变动最大的：", "Those that moved most:"),
    "word_map": (
        "常见词在平面上，近的在一起（{language}）",
        "Frequent words on a plane, near ones together ({language})",
    ),
    "no_word_map": ("词太少，画不出地图。", "There are too few words for a map."),
    "no_lexicon": (
        "这些文本里没有两个相邻的词常见且紧密到算一个词。",
        "No two neighbours in these texts are frequent and close enough to count as one word.",
    ),
    "lexicon_size": (
        "共 {n} 个（{language}）；列出最常见的。",
        "{n} in all ({language}); the most frequent are shown.",
    ),
    "lexicon": (
        "比偶然更常相邻（NPMI：归一化的点间互信息）、所处环境又多样（较小的分支熵，以奈特计）的词并为一个词。",
        "Neighbours that stand together oftener than chance (NPMI: normalised pointwise mutual information) and in many"
        " surroundings (the smaller branching entropy, in nats) became one word.",
    ),
    "keywords_lead": (
        "文章讲什么：按词与词互相投票排序，附权重。",
        "What the articles are about, ranked by the votes that words give each other, with their weights.",
    ),
    "no_keywords": ("这种语言的文章没有关键词。", "No article in this language has keywords."),
    "no_article": ("没有文章。", "There was no article."),
}

CATEGORY_TEXTS = {
    "categories_lead": (
        "文章归类有多准，机器错在哪里。",
        "How well articles are sorted, and where the machine is wrong.",
    ),
    "folds": (
        "每个模型给没见过栏目的文章归类，分 {n} 份；重复的文本只算一次。",
        "Each model classified articles whose category it had not seen, in {n} parts; repeated texts count once.",
    ),
    "uncertain": (
        "不确定：最好的猜测不予显示的文章的占比。",
        "Uncertain: the share of articles whose best guess is not shown.",
    ),
    "calibration_error": (
        "校准误差：把握与答对的占比平均相差多少。",
        "Calibration error: how far confidence is from the share that is right, in the mean.",
    ),
    "anecdotes": (
        "{names}的文章不到 {n} 篇：只是个例。",
        "Fewer than {n} articles in {names}: mere anecdotes.",
    ),
    "none_given": (
        "没有一种语言有两个自带足够文章的栏目：无从评判。",
        "No language has two categories with enough articles that came with them: there is nothing to judge by.",
    ),
    "texts": (
        "{n} 篇已知标签的文本，分 {folds} 份；最好的是 {best}。",
        "{n} texts whose label is known, in {folds} parts; the best is {best}.",
    ),
    "confusion": (
        "竖排是真实的栏目，横排是 {best} 找到的。",
        "True category down, found by {best} across.",
    ),
    "accuracy_picture": ("各模型的准确率与宏平均 F1", "Accuracy and macro-F1 by model"),
    "no_confidence": ("没有模型给出把握。", "No model gave a confidence."),
    "diagonal": (
        "给出某个把握的文章中归对的占比：在对角线上就是名副其实。",
        "Of the articles with a given confidence, the share that was right: on the diagonal it means what it says.",
    ),
    "accuracy_by": ("按把握的准确率", "Accuracy by confidence"),
    "no_mistake": ("最好的模型没有出错。", "The best model made no mistake."),
    "surest": ("最好的模型最有把握却错了的地方。", "Where the best model was surest and wrong."),
    "no_topics": (
        "文章足够的语言都自带栏目，所以没有找话题。",
        "Every language with enough articles came with categories, so no topics were looked for.",
    ),
    "topics": (
        "完全不带栏目的语言的文章聚成类，每一类用关键词命名。",
        "Articles of a language that came without any category are clustered, and each cluster is named by keywords.",
    ),
}

GROUP_TEXTS = Phrases(  # of the click model's features, and the sentence on those that it does not use
    {
        "unused": ("没有{names}也毫无变化。", "Nothing at all changes without {names}."),
        "popularity": ("热度", "popularity"),
        "slope": ("走势", "slope"),
        "impressions": ("展示", "impressions"),
        "age": ("新旧", "age"),
        "covisits": ("同访", "covisits"),
        "visit": ("本次访问", "visit"),
        "next": ("下一篇", "next"),
        "second": ("二阶同访", "second"),
        "earlier": ("以前的访问", "earlier"),
        "lifts": ("情境提升", "lifts"),
        "items": ("行为向量", "items"),
        "content": ("内容向量", "content"),
        "words": ("词", "words"),
        "audience": ("读者群", "audience"),
        "category": ("栏目", "category"),
        "tags": ("标签", "tags"),
        "reader": ("读者", "reader"),
        "ids": ("编号", "ids"),
        "context": ("情境", "context"),
        "history": ("历史", "history"),
    }
)
