"""Reasons for which nothing can be said of an experiment, in Chinese and English.

The English sentence is stored or answered, see ``recsys.languages.phrases``.
"""

from recsys.languages.phrases import Phrases

EXPOSURE = Phrases(
    {
        "unserved": (
            "有一组没法提供，所有读者都得到网站自己的列表：{error}",
            "an arm cannot be served, everybody gets the site's own lists: {error}",
        ),
        "strays": (
            "{n} 位读者得到了别组的列表：任何数字都不能信",
            "{n} readers were served by another arm than their own: no figure says a thing",
        ),
        "ratio": (
            "各组的读者数与设定的占比不符（p = {p}）：任何数字都不能信",
            "readers of the arms are not in the shares that were meant (p = {p:.1g}): no figure says a thing",
        ),
    }
)
