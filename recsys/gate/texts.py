"""Sentences of the gate and of a trial, in Chinese and English: names of checks, what was found, wanted, verdicts.

The English sentence is stored, see ``recsys.languages.phrases``.
"""

from recsys.languages.phrases import Phrases

GATE = Phrases(
    {
        # a verdict
        "refused": ("未通过门禁：{checks}", "refused by the gate: {checks}"),
        "failed_check": ("{name}：{found}，应为{wanted}", "{name}: {found}, wanted {wanted}"),
        "passed": ("通过了门禁的 {n} 项检查", "passed {n} checks of the gate"),
        "passed_some": (
            "通过了门禁的 {n} 项检查；没有做的：{checks}",
            "passed {n} checks of the gate; not made: {checks}",
        ),
        "unmade_check": ("{name}：{found}", "{name}: {found}"),
        "run_refused": (
            "{said}。它仍是候选，线上版本继续服务。{tells} 给出更多；{serves} 使它上线。",
            "expected a release that may be served; got {said}. It stays a candidate, the live release goes on serving."
            " {tells} tells more; {serves} serves it.",
        ),
        "lets_pass": (
            "应为门禁放行的版本；得到 {said}。想让读者来决定，请勾选“强制”。",
            "expected a release that the gate lets pass; got {said}. Say force to have readers decide.",
        ),
        # names of checks
        "laid_out": ("装载", "laid out"),
        "articles": ("文章数", "articles"),
        "vocabulary": ("词汇量", "vocabulary"),
        "coverage": ("覆盖", "coverage"),
        "clicks_matched": ("点击对得上", "clicks matched"),
        "vectors": ("向量", "vectors"),
        "counts": ("计数", "counts"),
        "nothing_ahead": ("没有未来", "nothing ahead"),
        "unit_vectors": ("单位向量", "unit vectors"),
        "index": ("索引", "index"),
        "items_neighbours": ("行为近邻", "neighbours of items"),
        "texts_neighbours": ("文本近邻", "neighbours of texts"),
        "answers": ("回答", "answers"),
        "latency": ("用时", "latency"),
        "scores": ("得分", "scores"),
        "beside_live": ("留出的列表，与线上版本比", "held out, beside the live release"),
        "beside_rate": ("留出的列表，与点击率比", "held out, beside the click rate"),
        "as_served": ("按实际服务的样子", "as it is served"),
        "foreseen": ("预知", "foreseen"),
        # what was found and wanted
        "servable": ("能服务的版本", "a release that can be served"),
        "unseen_lists": ("双方都没学过的列表", "lists that neither has learned from"),
        "no_live": ("没有线上版本", "there is no live release"),
        "broken_live": (
            "线上版本装载不了，没有读者得到它：{why}",
            "the live release cannot be laid out, nobody gets it: {why}",
        ),
        "implausible": ("候选版本不可信", "the candidate is not plausible"),
        "nan": ("其中有 NaN", "NaN among them"),
        "finite": ("都是有限数", "finite scores"),
        "one_nan": ("有一个得分是 NaN", "a score that is NaN"),
        "no_such_list": ("没有同时有点和未点的列表", "no such list has both labels"),
        "later_lists": ("线上版本之后的列表", "lists that came after the live release"),
        "not_worse": ("差距不超过 {margin}", "not worse by more than {margin:g}"),
        "not_shown": ("没有证据说更差", "not shown to be worse"),
        "not_shown_by": ("没有证据说差距超过 {margin}", "not shown to be worse by more than {margin:g}"),
        "difference": ("{mean}（{low} 至 {high}）", "{mean:+.4f} ({low:+.4f} to {high:+.4f})"),
        "auc": (
            "AUC 为 {mine} 与 {other}；{readers} 位读者的 {lists} 个列表",
            "AUC {mine:.4f} and {other:.4f}; {lists} lists of {readers} readers",
        ),
        "auc_few": (
            "AUC 为 {mine} 与 {other}；{readers} 位读者的 {lists} 个列表，太少，排除不了 {margin}",
            "AUC {mine:.4f} and {other:.4f}; {lists} lists of {readers} readers, too few to exclude {margin:g}",
        ),
        "learned_more": ("线上版本学得更多", "the live release has learned from more"),
        "held_out_scores": ("留出的得分，与实际服务的得分比", "held-out scores over those of what is served"),
        "at_least": ("至少 {n}", "at least {n}"),
        "at_most": ("至多 {n}", "at most {n}"),
        "live_has": ("线上：{n}", "live: {n}"),
        "of_now": ("现在的文章中", "of the articles of now"),
        "of_day": ("最近一天", "of the last day"),
        "through_event": ("数到事件 {n}", "through event {n}"),
        "through": ("数到 {n}", "through {n}"),
        "own_log": ("它自己的日志", "its own log"),
        "until": ("学到 {time}", "learned until {time}"),
        "not_after": ("不晚于 {time}", "not after {time}"),
        "ms": ("毫秒", "ms"),  # beside the times of before 0.15.0, which were numbers
        "off_by": ("偏差 {off}", "off by {off:.1g}"),
        "off_less": ("偏差小于 0.001", "off by less than 0.001"),
        "same_vectors": ("与向量一致", "as the vectors"),
        "other_vectors": ("出自别的向量", "of other vectors"),
        "more_than": ("多于 {n}", "more than {n:.2f}"),
        "neighbours_note": (
            "与线上版本至多 {n} 个近邻中相同的个数，取平均",
            "of at most {n} that they have in the live release, on the mean",
        ),
        "cpu": ("CPU {ms} 毫秒", "{ms:.2f} ms of CPU"),
        "most_ms": ("至多 {ms} 毫秒", "at most {ms:g} ms"),
        "median_list": ("各列表的中位数", "median list"),
        "no_lists": ("训练没有留出列表", "the training held out no list"),
        "made_without": ("这个版本没有做 {stages}", "the release was made without {stages}"),
        "gone_lists": (
            "工作区里已是另一次训练：它的列表不在了",
            "the workspace holds another training since: its lists are gone",
        ),
    }
)

TRIAL = Phrases(
    {
        "canary": ("金丝雀：{said}", "canary: {said}"),
        "failed_answers": ("它的 {asked} 个回答中 {share} 失败", "{share:.1%} of its {asked} answers failed"),
        "slow_answers": ("100 个回答里有 99 个最多用 {ms} 毫秒", "99 of 100 answers took up to {ms:.0f} ms"),
        "no_visit": ("它的读者还没有一次访问结束", "no visit of its readers is over yet"),
        "no_clicks": ("还没有人点击", "nobody has clicked yet"),
        "rates": (
            "每张卡片的点击：{mine}，线上 {live}",
            "clicks per card: {mine:.4f} for {live:.4f}",
        ),
        "few_readers": ("{rates}；读者还太少", "{rates}; too few readers yet"),
        "interval": (
            "{rates}，与线上点击率相差 {low} 至 {high}",
            "{rates}, {low:+.1%} to {high:+.1%} of the live rate",
        ),
        "click_less": ("它的读者点击更少：{said}", "its readers click less: {said}"),
        "good": ("差距不超过 {margin}：{said}", "not worse by more than {margin:.0%}: {said}"),
        "as_good": ("与线上版本一样好的金丝雀", "a canary that is as good as the live release"),
        "taken_back": (
            "金丝雀不如线上版本：{said}。它仍是候选。",
            "expected a canary that is as good as the live release; got {said}. It stays a candidate.",
        ),
        "lost": ("服务它的进程已结束", "the process that served it has ended"),
        "stopped": ("被 {by} 停止", "stopped by {by}"),
        "cancelled": ("被 {by} 取消", "cancelled by {by}"),
        "ended": ("它的进程被结束", "its process was ended"),
        "left": ("看着它的命令已结束", "the command that watched it has ended"),
        "nobody_asks": (
            "{host} 上这个数据文件夹的服务还没有向它要过列表",
            "no service of this data folder on {host} has asked for a list yet",
        ),
        "undecided": ("{hours} 小时后仍未定：{said}", "not decided after {hours:g} h: {said}"),
        "nothing_seen": ("什么也没看到", "nothing was seen"),
        "for_minutes": ("为时 {minutes} 分钟", "for {minutes:g} minutes"),
        "for_readers": (
            "{share} 的读者，至多 {hours} 小时",
            "{share:.0%} of readers for {hours:g} h at most",
        ),
        "no_list": ("没有要过列表", "no list was asked for"),
        "lists": (
            "{asked} 个列表，{failed} 个失败，{dropped} 个没有去要",
            "{asked} lists, {failed} failed, {dropped} not asked for",
        ),
        "overlap": (
            "前十篇中 {share} 与线上列表相同",
            "{share:.0%} of the first ten articles are the live list's",
        ),
        "own_times": (
            "它自己用 {half} 毫秒（p50），{most} 毫秒（p99）",
            "its own {half:.1f} ms (p50), {most:.1f} ms (p99)",
        ),
        "live_times": (
            "线上用 {half} 毫秒（p50），{most} 毫秒（p99）",
            "the live ones {half:.1f} ms (p50), {most:.1f} ms (p99)",
        ),
    }
)
