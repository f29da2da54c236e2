"""Words that say nothing about an article's subject: function words, and the commonest verbs of reporting.

Written for this project, by word class; Chinese ones of a single character are left out, since no word of one character
becomes a keyword. Stop words stay in the corpus, since word vectors learn from them; they are never a keyword.
"""

from recsys.tokens.functionwords import FUNCTION_WORDS

_ENGLISH = """
a an the this that these those such same other another each every either neither both all any some no none
i me my mine myself you your yours yourself yourselves he him his himself she her hers herself it its itself we us our
ours ourselves they them their theirs themselves who whom whose which what one ones someone anyone everyone something
anything everything nothing nobody
be am is are was were been being do does did done doing have has had having will would shall should can could may might
must ought cannot won't wouldn't shan't shouldn't can't couldn't mustn't isn't aren't wasn't weren't don't doesn't
didn't haven't hasn't hadn't i'm i've i'd i'll you're you've you'd you'll he'd he'll she'd she'll we're we've we'd we'll
they're they've they'd they'll it'd it'll that'll there'll who'd who'll
of in on at by for with from to into onto upon out off over under about above below between among through during before
after since until till within without against along across around behind beside besides beyond near toward towards per
via amid despite except like unlike up down
and or but nor so yet if because although though while whereas unless whether than as when where why how
not never ever only just also too very more most less least much many few little lot lots enough quite rather almost
nearly still even again already once twice here there now then today yesterday tomorrow always often sometimes usually
perhaps maybe however therefore thus hence instead otherwise indeed further furthermore meanwhile together apart away
back ago later soon ahead well yes
say says said saying tell tells told get gets got getting gotten go goes went going gone come comes came coming make
makes made making take takes took taken taking give gives gave given giving put puts see sees saw seen know knows knew
known think thinks thought want wants wanted use uses used using become becomes became let lets keep keeps kept add
adds added according including include includes included
two three four five six seven eight nine ten hundred thousand million billion first second third fourth fifth last next
new old good better best great big small long high own able several various certain many
monday tuesday wednesday thursday friday saturday sunday january february march april may june july august september
october november december year years month months week weeks day days hour hours minute minutes time times
mr mrs ms dr
"""

_CHINESE = """
自己 我们 你们 他们 她们 它们 咱们 大家 人们 别人 有人 某些 这个 那个 这些 那些 这里 那里 这样 那样 这么 那么 这种
那种 哪个 哪些 哪里 什么 怎么 怎样 怎么样 如何 为何 为什么 多少 一个 一些 一种 一次 一样 一直 一定 一般 一下 一点
有点 有些 每个 各种 各个 另外 其他 其它 其中 其实 不是 就是 还是 也是 没有 不会 不能 不要 不用 不可 不得 不知 能够
可以 可能 应该 应当 必须 需要 想要 愿意 对于 关于 由于 因为 因此 所以 于是 为了 以及 以上 以下 以后 以前 以来 或者
再次 只有 只是 只要 只能 仅仅 更加 最后 最终 非常 十分 特别 极其 越来越 比较 相当 几乎 大约 大概 左右 正在 自从 到了
至于 当时 时候 时间 之前 之后 之间 之一 之外 期间 现在 目前 如今 今天 昨天 明天 今日 昨日 明日 今年 去年 明年 近日
日前 此前 此后 随后 然后 后来 曾经 已经 刚刚 即将 马上 立即 始终 总是 经常 往往 有时 偶尔 终于 但是 不过 然而 可是
而且 并且 并非 不仅 不但 甚至 尤其 虽然 尽管 即使 如果 假如 要是 除非 除了 否则 无论 不管 只不过 既然 例如 比如 等等
包括 根据 按照 通过 经过 随着 作为 成为 属于 说道 表示 认为 指出 据悉 据了解 报道 记者 介绍 看到 看来 看看 知道 觉得
发现 进行 开始 继续 出现 出来 起来 下来 下去 上去 过来 过去 作出 做出 得到 拥有 真的 事情 东西 问题 方面 情况 第一
第二 第三 這個 這些 那個 我們 你們 他們 她們 它們 沒有 為了 對於 關於 時候 開始
"""

COMPLETE = ("zh", "en")  # lists to which a site's own texts have nothing to add
STOP_WORDS: dict[str, frozenset[str]] = {
    "en": frozenset(_ENGLISH.split()),
    "zh": frozenset(_CHINESE.split()),
    **{language: frozenset(words.split()) for language, words in FUNCTION_WORDS.items()},
}
