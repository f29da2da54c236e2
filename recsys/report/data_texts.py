"""Sentences of the page of the data, and those that imports themselves say in the end, in Chinese and English."""

DATA_TEXTS = {
    "lead": ("来了什么，其中缺什么，什么不正常。", "What came in, what is missing in it, and what was odd."),
    "nothing": (
        "还什么都没有：python -m jobs import --help 说明怎么做。",
        "There is nothing yet: python -m jobs import --help says how.",
    ),
    "no_time": ("没有带时间的事件。", "There is no event with a time."),
    "undated": ("{n} 个事件没有时间，只有次序。", "{n} event has no time, only an order."),
    "undated_many": ("{n} 个事件没有时间，只有次序。", "{n} events have no time, only an order."),
    "span": ("从 {first} 到 {last}（{zone}）。", "From {first} to {last} ({zone})."),
    "outside": (
        "{n} 个事件离其余的太远，图中略去。",
        "{n} event lies so far from the others that the picture omits them.",
    ),
    "outside_many": (
        "{n} 个事件离其余的太远，图中略去。",
        "{n} events lie so far from the others that the picture omits them.",
    ),
    "by_hour": ("按小时和种类的事件", "Events by hour and kind"),
    "by_day": ("按日和种类的事件", "Events by day and kind"),
    "by_month": ("按月和种类的事件", "Events by month and kind"),
    "no_clicks": ("没有点击。", "There are no clicks."),
    "no_articles_to_match": (
        "没有文章可供点击对上：列表只由点击做成。",
        "There are no articles that the clicks could match: lists are made of clicks alone.",
    ),
    "matched": ("{n} 次点击中 {share} 对得上文章。", "{share} of {n} clicks match an article."),
    "matched_one": ("{n} 次点击中 {share} 对得上文章。", "{share} of {n} click match an article."),
    "matched_by": (
        "{n} 次点击中 {share} 对得上文章；按{way}可以再对上 {count} 次。",
        "{share} of {n} clicks match an article; {count} would match by {way}.",
    ),
    "matched_one_by": (
        "{n} 次点击中 {share} 对得上文章；按{way}可以再对上 {count} 次。",
        "{share} of {n} click match an article; {count} would match by {way}.",
    ),
    "by_address": ("地址", "address"),
    "by_title": ("标题", "title"),
    "by_case": ("不分大小写的编号", "case"),
    "by_zeros": ("去掉前导零的编号", "leading zeros"),
    "by_number": ("编号中的数字", "what stands around the number"),
    "unknown_counts": (
        "点击了不认识的文章，等文章来了就计入。",
        "A click on an unknown article counts as soon as the article comes.",
    ),
    "clicked_most": ("点击最多的：", "Those clicked most:"),
    "no_articles": ("没有文章。", "There are no articles."),
    "of_article": ("{n} 篇文章中，{told}。", "Of {n} article, {told}."),
    "of_articles": ("{n} 篇文章中，{told}。", "Of {n} articles, {told}."),
    "unopened": ("{n} 篇从未被打开", "{n} was never opened"),
    "unopened_many": ("{n} 篇从未被打开", "{n} were never opened"),
    "same_title": ("{n} 篇与另一篇同题", "{n} has the title of another"),
    "same_title_many": ("{n} 篇与另一篇同题", "{n} have the title of another"),
    "hidden": ("{n} 篇被隐藏", "{n} is hidden"),
    "hidden_many": ("{n} 篇被隐藏", "{n} are hidden"),
    "expired": ("{n} 篇已过期", "{n} has expired"),
    "expired_many": ("{n} 篇已过期", "{n} have expired"),
    "ahead": ("{n} 篇的日期未到，在等待", "{n} is dated ahead and waits"),
    "ahead_many": ("{n} 篇的日期未到，在等待", "{n} are dated ahead and wait"),
    "no_events": ("没有事件。", "There are no events."),
    "no_odd_event": (
        "没有一个缺时间、迟到、日期超前、重复打开或重复发送。",
        "None is without a time, late, dated ahead, repeated or sent twice.",
    ),
    "not_looked": (
        "还没有查过：python -m jobs events 会查。",
        "Nobody has looked yet: python -m jobs events does.",
    ),
    "no_odd_reader": ("没有读者打开得比人所能的多。", "No reader opens more than a person can."),
    "odd_reader": (
        "{n} 位读者打开得比人所能的多：不计数，也不用于训练。",
        "{n} reader opens more than a person can: left out of counts and training.",
    ),
    "odd_readers": (
        "{n} 位读者打开得比人所能的多：不计数，也不用于训练。",
        "{n} readers open more than a person can: left out of counts and training.",
    ),
    "no_import": ("没有导入的记录。", "No import is on record."),
    "zone": ("时间：{zone}。", "Times: {zone}."),
    "last_imports": ("{all} 次中最近的 {n} 次。", "The last {n} of {all}."),
    "shares": ("在读到的 {n} 行中的占比。", "Shares of {n} row read."),
    "shares_many": ("在读到的 {n} 行中的占比。", "Shares of {n} rows read."),
    "none_rejected": ("没有被拒绝的行。", "No row was rejected."),
    "none_repaired": ("没有字段需要修补。", "No field had to be repaired."),
    "none_left_out": ("没有略过什么。", "Nothing was left out."),
}

IMPORT_NOTES = {  # what imports themselves say in the end; see recsys.imports
    "unused": (
        "没有使用，虽然看起来像一个字段：如果是，请加 --map {options}",
        "Not used, though it looks like a field: if it is one, add --map {options}",
    ),
    "flags": ("每一行是什么，取自 {flags}，不取自 kind。", "What each row is was read from {flags}, not from kind."),
    "unchanged": ("这个源自上次导入以来没有变化。", "The feed has not changed since the last import."),
    "naive": (
        "不带时区的时间按 {zone} 读（用 --timezone 另指）。",
        "Times without a zone were read as {zone} (--timezone says another).",
    ),
    "day_first": (
        "像 03/11/2024 的日期按日在前读，文件的其他行是这样。",
        "Dates like 03/11/2024 were read with the day first, as other rows of the file show.",
    ),
    "month_first": (
        "像 03/11/2024 的日期按月在前读，文件的其他行是这样。",
        "Dates like 03/11/2024 were read with the month first, as other rows of the file show.",
    ),
    "ahead": (
        "{field} 有 {n} 个时间晚于现在，最多晚 {far}。",
        "{n} times of {field} lie ahead of now, up to {far}.",
    ),
    "far_days": ("{n} 天", "{n} days"),
    "far_hours": ("{n} 小时", "{n} hours"),
    "hidden": (
        "{n} 篇文章仍被隐藏（{why}）：{ids}。",
        "{n} articles stay hidden, {why}: {ids}.",
    ),
    "hidden_one": ("1 篇文章仍被隐藏（{why}）：{ids}。", "1 article stays hidden, {why}: {ids}."),
    "shown_again": ("`python -m jobs show ID` 可恢复一篇。", "`python -m jobs show ID` shows one again."),
    "deleted": (
        "略过 {n} 行：它们的文章已被运维删除。",
        "{n} rows are of articles that an operator deleted: left out.",
    ),
    "deleted_one": ("略过 1 行：它的文章已被运维删除。", "1 row is of articles that an operator deleted: left out."),
    "lifted": ("`python -m jobs show ID` 可解除。", "`python -m jobs show ID` lifts it."),
    "forgotten": (
        "略过 {n} 个事件：早于读者被删除。",
        "{n} events are from before their reader was forgotten: left out.",
    ),
    "forgotten_one": (
        "略过 1 个事件：早于读者被删除。",
        "1 event is from before their reader was forgotten: left out.",
    ),
    "few_match": (
        "{n} 次点击中 {matched} 次对得上文章；请导入文章，或指定放编号的列（--map article=COLUMN）。",
        "{matched} of {n} clicks match an article; import the articles, or map the column that holds their ids (--map"
        " article=COLUMN).",
    ),
}
