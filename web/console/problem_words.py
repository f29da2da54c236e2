"""Problems of the API in the words of the console: what happened and what to do, by the problem's stable code.

The API's own sentence, which names the values, stands beside it in a Chinese page: it is English.
"""

PROBLEMS = {  # code: what happened, what to do
    "unknown-article": ("没有这篇文章。", "核对编号；它也可能已被删除。"),
    "deleted-article": ("这篇文章已被删除。", "重新展示会撤销删除标记，之后导入能带回它。"),
    "unknown-story": ("没有这个事件。", "核对编号：填事件或其中任一篇文章的编号。"),
    "unknown-name": ("没有这个名称。", "刷新页面，从列表里选。"),
    "unknown-reader": ("没有这个读者的记录。", "核对读者编号。"),
    "unknown-schedule": ("没有这个定时。", "回到定时页，从那里选。"),
    "unknown-run": ("没有这个任务。", "回到任务列表，从那里选。"),
    "last-owner": ("这是最后一个所有者，不能去掉。", "先添加另一个所有者。"),
    "edit-conflict": (
        "别人刚刚改过它，所以您的修改没有写入。",
        "页面显示的是现在的样子；您填的和选的都还在，看过再保存一次。",
    ),
    "hidden-article": ("这篇文章被隐藏了。", "先重新展示它。"),
    "refused-release": ("门禁拒绝了这个版本。", "看原因；确实要用，再启用一次并确认。"),
    "invalid": ("填写的内容不能用。", "按说明改正后再试；没有写入任何东西。"),
    "missing-artefact": ("需要的文件还没有生成。", "先完成产生它的任务，例如 all。"),
    "corrupt-artefact": ("一个文件已损坏。", "换一个版本，或重做产生它的阶段。"),
    "stale-artefact": ("一个文件已经过时。", "重做产生它的阶段。"),
    "busy": ("另一个正占着它。", "等它结束，或先停止它。"),
    "store-unavailable": ("数据库暂时连不上。", "请稍后再试；推荐列表不受影响。"),
    "unauthorized": ("您还没有登录，或登录已过期。", "请重新登录。"),
    "wrong-password": ("名称或密码不对。", "再试一次，或请所有者给您新密码。"),
    "wrong-scope": ("您的角色不能做这件事。", "请所有者给您另一个角色。"),
    "wrong-site": ("您的权限是另一个站点的。", "用这个站点的账号登录。"),
    "wrong-origin": ("这个请求不是从本页面发出的。", "回到控制台，在页面里再做一次。"),
    "rate-limited": ("尝试得太多了。", "等一会儿再试。"),
    "too-many-attempts": ("尝试得太多了。", "等一会儿再试。"),
    "overloaded": ("现在太忙。", "一秒后再试。"),
    "body-too-large": ("内容太大。", "分成几次发送。"),
    "internal": ("服务出错了。", "把下面的编号告诉运维人员。"),
}
