"""Reasons for which a release moved, in Chinese and English, as far as no person said them.

The English sentence is stored, see ``recsys.languages.phrases``.
"""

from recsys.languages.phrases import Phrases

MOVES = Phrases(
    {
        "back": ("为 {release} 让位", "taken back for {release}"),
        "back_because": ("为 {release} 让位：{reason}", "taken back for {release}: {reason}"),
        "outdone": ("{release} 接替了它", "{release} took its place"),
        "outdone_because": ("{release} 接替了它：{reason}", "{release} took its place: {reason}"),
        "rolled_back": ("回退", "rolled back"),
        "promoted": ("按名称启用", "promoted by name"),
        "published": ("已发布", "published"),
        "published_forced": ("未经门禁发布", "published without the gate"),
    }
)
