"""The words of the newsroom's pages of stories and articles, in Chinese and English."""

_STORIES = {
    "story": ("事件", "Story"),
    "story_find": ("标题或名称里的字，或编号", "words of a title or a name, or an id"),
    "no_stories": (
        "还没有一个事件有两篇以上的文章。用上面的查找找到一篇文章，再把它和另一篇合并。",
        "No story has more than one article yet. Find an article above, and join it with another.",
    ),
    "no_story_found": ("没有符合的事件。换个词，或填文章编号。", "No story fits. Try other words, or an article’s id."),
    "first_at": ("最早", "First"),
    "last_at": ("最新", "Newest"),
    "in_time": ("文章，从新到旧", "Its articles, newest first"),
    "first_of_many": ("只列出最新的 {n} 篇。", "The newest {n} are listed."),
    "copy_of": ("转载自", "a copy of"),
    "source": ("来源", "Source"),
    "split": ("拆出选中的文章", "Let the chosen ones leave"),
    "split_said": (
        "选中的文章会一起成为另一个事件。至少要留下一篇。",
        "The chosen articles become a story of their own, together. At least one must stay.",
    ),
    "split_one": ("选中：{title}", "Choose: {title}"),
    "alone": ("这个事件只有一篇文章：没有什么可拆的。", "This story has one article: there is nothing to split."),
    "of_articles": ("文章 {n} 篇", "articles: {n}"),
    "name_story": ("名称", "Name"),
    "name_said": ("留空则收回名称，标题重新显示。", "Empty takes the name back: a headline stands there again."),
    "name_save": ("保存名称", "Save the name"),
    "join": ("合并", "Join"),
    "join_title": ("与另一个事件合并", "Join with another story"),
    "join_id": ("另一个事件或其中任一篇文章的编号", "id of the other story, or of any article of it"),
    "join_find": ("或查找它", "or look for it"),
    "story_join": ("已与《{title}》合并。", "Joined with “{title}”."),
    "story_split": ("{n} 篇文章已拆出，成为另一个事件。", "Articles that left for a story of their own: {n}."),
    "story_name": ("名称现在是：{name}。", "Its name is now: {name}."),
    "story_against": (
        "此前的决定与此相反；现在以这一个为准。",
        "An earlier decision said otherwise; this one holds, for it is the later.",
    ),
    "story_made": ("看拆出的事件", "See the story that left"),
    "story_decided": ("编辑的决定", "What editors decided"),
    "no_story_decided": (
        "没有人合并或拆分过它：文章是自动归在一起的。",
        "Nobody has joined or split it: its articles came together by themselves.",
    ),
    "decided_join": ("合并：{articles} 与 {other}", "joined: {articles} and {other}"),
    "decided_split": ("拆出：{articles} 离开 {other}", "split: {articles} left {other}"),
}

_ARTICLES = {
    "file_said": ("栏目：训练会从中学习，导入不会改回", "Category: nights learn from it, and no import turns it back"),
    "file": ("归入栏目", "File under it"),
    "unfile": ("收回", "Take it back"),
    "filed_by": ("栏目由 {by} 决定。", "{by} said the category."),
    "tag_said": (
        "标签，用逗号分开，最能说明内容的在前：立即显示，训练会从中学习",
        "Tags with commas between them, the most telling first: shown at once, and nights learn from them",
    ),
    "tag": ("保存标签", "Say these"),
    "tagged_by": ("标签由 {by} 决定。", "{by} said the tags."),
    "did_tag": ("《{title}》的标签已保存。", "The tags are said: {title}."),
    "did_untag": (
        "收回了编辑的标签：{title}。下一次训练后恢复为模型的标签。",
        "The editor’s tags are taken back: {title}. What the models find comes back with the next night at the latest.",
    ),
    "did_file": ("《{title}》已归入 {category}。", "Filed under {category}: {title}."),
    "did_unfile": ("《{title}》的栏目恢复为原来的。", "The category is again what it was before an editor: {title}."),
}

_FRONT = {
    "fixed": ("固定", "Fixed"),
    "fixed_said": ("按这里的次序，到时为止。", "In this order, until their end."),
    "guaranteed": ("保证展示", "Guaranteed"),
    "guaranteed_said": ("在每个列表里，位置由算法决定。", "In every list; the ranking says where."),
    "guarantee": ("保证", "Guarantee"),
    "did_guarantee": ("保证展示：{title}，位置由算法决定。", "Guaranteed: {title}. The ranking says where it stands."),
    "at_most": ("至多", "At most"),
    "latest": ("最新", "Latest"),
    "no_fixed": (
        "没有固定的文章。把一篇拖到这里，或按“置顶”。",
        "Nothing is fixed. Drag an article here, or press Pin.",
    ),
    "no_guaranteed": (
        "没有保证展示的文章。把一篇拖到这里，或按“保证”。",
        "Nothing is guaranteed. Drag an article here, or press Guarantee.",
    ),
    "fix": ("置顶", "Pin"),
    "up": ("上移", "Up"),
    "down": ("下移", "Down"),
    "breaking": ("突发", "Breaking"),
    "breaking_now": (
        "《{title}》在所有列表的第一位，到 {time} 为止，由 {by} 设置。",
        "“{title}” stands first in every list until {time}, set by {by}.",
    ),
    "breaking_end": ("结束", "End it"),
    "breaking_sure": ("把《{title}》放到所有列表的第一位？", "Put “{title}” first in every list?"),
    "did_breaking": ("突发：{title} 现在在第一位。", "Breaking: {title} stands first."),
    "holds_front": ("现在管版面的", "Who holds the front"),
    "holder": ("{by}：{n} 个决定，最近在 {time}", "{by}: {n} decisions, the last at {time}"),
    "nobody_holds": ("没有人；版面由算法排。", "Nobody: the ranking makes it."),
    "every_section": ("所有栏目", "every section"),
    "rate_here": ("点击率 / 这一位平时", "Click rate / usual here"),
    "shelf_left": ("时效还剩", "Shelf life left"),
    "shelf_past": ("已过", "past"),
    "hours": ("{n} 小时", "{n} h"),
    "drag_said": (
        "拖动卡片，或用卡片上的按钮；选中卡片后按 f 置顶、g 保证、b 加权、x 撤下、u 上移、d 下移。",
        "Drag a card, or use its buttons. On a card the keys f (pin), g (guarantee), b (boost), x (take out), u (up),"
        " d (down) do the same.",
    ),
}

_WORDS = {
    "vocabulary": ("词", "Words"),
    "map": ("地图", "Map"),
    "nearest_words": ("相近的词与类比", "Nearest words and analogies"),
    "words_like": ("像这些词（用空格隔开）", "like these words, apart by blanks"),
    "words_unlike": ("减去这些词（类比）", "less these words, for an analogy"),
    "analogy_said": (
        "类比：像“b c”、减去“a”，就是“a 之于 b，如同 c 之于什么”。",
        "An analogy: like “b c”, less “a”, asks what is to c as b is to a.",
    ),
    "unknown_words": ("没有向量的词：{words}", "Words without a vector: {words}"),
    "no_near": (
        "这些词都没有向量：换成文章里常出现的词。",
        "None of these words has a vector: try words that stand in many articles.",
    ),
    "word": ("词", "Word"),
    "cosine": ("余弦", "Cosine"),
    "in_texts": ("出现次数", "In texts"),
    "new_words": ("新词与固定搭配", "New words and collocations"),
    "words_waiting": ("{n} 个待定", "{n} wait"),
    "new_words_said": (
        "夜间训练找到的。接受的词一直是一个词；拒绝的词，下一夜起不再合并。",
        "Found at night. What is accepted stays one word; what is refused is not joined from the next night on.",
    ),
    "no_new_words": (
        "还没有找到新词：要在至少 5 篇文章里一起出现 10 次以上，夜间训练才会提出。",
        "No new words yet: a night proposes what stands together ten times, in five articles at least.",
    ),
    "word_waits": ("待定", "waits"),
    "word_accepted": ("已接受", "accepted"),
    "word_refused": ("已拒绝", "refused"),
    "accept": ("接受", "Accept"),
    "refuse": ("拒绝", "Refuse"),
    "word_accept": ("已接受“{entry}”；从下一夜起生效。", "{entry} is accepted, from the next night on."),
    "word_refuse": (
        "已拒绝“{entry}”；从下一夜起不再合并。",
        "{entry} is refused: it is not joined from the next night on.",
    ),
    "word_wait": ("“{entry}”又回到待定。", "{entry} waits again."),
    "drift": ("自上一版以来的漂移", "Drift since the release before"),
    "drift_said": (
        "与 {parent} 相比，最常见的 {n} 个词平均保留了 {kept} 的近邻。变化最大的：",
        "Beside {parent}, the {n} most frequent words have kept {kept} of their neighbours. Those that moved most:",
    ),
    "kept": ("保留", "Kept"),
    "no_drift": (
        "没有可比的：要有线上版本，和它之前的那一版。",
        "Nothing to compare: it takes a live release and the one before it.",
    ),
    "map_said": (
        "可展示的 {all} 篇文章中的 {n} 篇，按内容摆放：相近的在一起，颜色是栏目。",
        "{n} of {all} articles that may be shown, placed by their content: near ones together, coloured by category.",
    ),
    "map_label": (
        "文章地图：加减号缩放，方向键移动，0 看全部，n 与 p 逐篇，回车打开",
        "Map of articles: plus and minus zoom, arrows move, 0 shows all, n and p go from one to the next, Enter opens",
    ),
    "map_hover": ("指向一个点，这里就显示标题。", "Point at a dot, and its title stands here."),
    "zoom_in": ("放大", "Zoom in"),
    "zoom_out": ("缩小", "Zoom out"),
    "zoom_all": ("全部", "All"),
    "no_map": (
        "还没有地图：它由线上版本的文章向量画成。先开始一次 all。",
        "No map yet: it is drawn from the article vectors of a live release. Start the run all.",
    ),
}

_TRACE = {
    "hour_ago": ("这个读者一小时前看到的", "What that reader had been shown an hour ago"),
    "hour_ago_said": (
        "网页报告为看到的卡片，一小时以前最近的几个列表；没滚动到的不在其中。",
        "Cards that the page reported as seen, of the last lists by an hour ago; what was below the fold is not among"
        " them.",
    ),
    "hour_ago_stranger": (
        "新读者没有编号，所以没有他们的记录。填一个读者编号再追踪。",
        "A newcomer has no id, so nothing of theirs is kept. Trace with a reader’s id.",
    ),
    "hour_ago_none": (
        "一小时以前，没有网页报告过给这个读者显示的列表。",
        "By an hour ago no page had reported a list that this reader was shown.",
    ),
    "opened": ("已打开", "opened"),
}

NEWSROOM = (_TRACE, _WORDS, _FRONT, _STORIES, _ARTICLES)
