const HOME = document.currentScript?.src ? new URL(".", document.currentScript.src).href : location.origin;
const PATIENCE = 8000, UNDO = 15000, RECENT = 20, WEEK = 6048e5; // ms for an answer; ms to take a dismissal back; articles; ms
const TEXT = {
  en: {
    heading: "You might like", menu: "About this card", why: "Why this?", how: "How this list is made", less: "Less of this",
    off: "Turn personalisation off", on: "Turn it on again", data: "Your data", undo: "Undo", again: "Try again",
    gone: "Removed: “{}”.", back: "Back again: “{}”.", error: "The list is out of reach just now.", empty: "Nothing to suggest just now.",
    yes: "Personalised: the recommender keeps a random number for you, and what you open under it.",
    own: "Personalised: the recommender keeps what you open under your reader number of this site.",
    browser: "Personalised: the articles you opened last, 20 at most, are kept in this browser alone.",
    nobody: "Not personalised: no number is kept of you.", signal: "Your browser asks not to be tracked: no number is kept of you.",
    ended: "Personalisation is off. This page has forgotten your number and sends nothing under it. What the recommender stored until now stays there until you have it deleted.",
    cleared: "Personalisation is off. What this browser kept of your reading is deleted.",
  },
  zh: {
    heading: "猜你喜欢", menu: "关于这张卡片", why: "为什么推荐这篇？", how: "这份名单怎样排出", less: "少推荐这类",
    off: "关闭个性化", on: "重新打开", data: "我的数据", undo: "撤销", again: "重试",
    gone: "已移除“{}”。", back: "“{}”已恢复。", error: "名单暂时读不到。", empty: "暂时没有可推荐的文章。",
    yes: "个性化已开启：推荐器为您记一个随机编号，以及在它名下点开的文章。",
    own: "个性化已开启：推荐器在本站给您的读者编号名下记录点开的文章。",
    browser: "个性化已开启：最近点开的文章（至多20篇）只留在这个浏览器里。",
    nobody: "没有个性化：不为您记任何编号。", signal: "您的浏览器要求不被跟踪：不为您记任何编号。",
    ended: "个性化已关闭。本页已忘掉您的编号，不再以它发送任何内容。推荐器此前存下的内容会一直保留，直到您要求删除。",
    cleared: "个性化已关闭。这个浏览器里留下的阅读记录已删除。",
  },
};
