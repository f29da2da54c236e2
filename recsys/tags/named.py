"""Named tags: keywords that are a part of a name -> the whole name; names that the site gives -> tags.

A keyword is cut where a language's grammar or its dictionary cuts it: "wales", 猎隼. Where the article has it as a
part of one name and hardly without it, the tag is that name: "New South Wales", 霁州猎隼队. The end of a name that the
site gives stands for the whole name, however often: whoever is named once is called by less from then on.
"""

from collections.abc import Iterator

from recsys.entities import ArticleNames
from recsys.keywords import TagRanks
from recsys.tags import STEM, fold

_BEHIND = STEM // 2  # keywords that stand in front of a name which no keyword is a part of
_ADDED = 4  # such names: a list of everyone who is mentioned says nothing
_UNSPACED = "\u0e00"  # scripts from here on have no blanks between words
_LEAST_PART = 2  # characters of a keyword without blanks that can be a part of a name


def named_tags(ranked: TagRanks, names: ArticleNames, text: str) -> TagRanks:
    """Tags of an article by their names, the most telling first.

    Args:
        ranked: its keywords as it writes them.
        names: of the article.
        text: its title and body.

    Returns:
        At most ``STEM``; of two that fold alike the first.
    """
    whole = list(_whole(ranked, names, text))
    there = {fold(name) for name, _, _ in whole}
    missing = [name for name in names.given if fold(name) not in there][:_ADDED]
    weight = whole[min(_BEHIND, len(whole)) - 1][1] if whole else 1 / max(1, len(missing))
    whole[_BEHIND:_BEHIND] = [(name, weight, _parts(name)) for name in missing]
    chosen = dict[str, tuple[str, float, str]]()
    for tag in whole:
        chosen.setdefault(fold(tag[0]), tag)
    tags = list(chosen.values())[:STEM]
    return TagRanks(*zip(*tags, strict=True)) if tags else TagRanks((), (), ())


def _whole(ranked: TagRanks, names: ArticleNames, text: str) -> Iterator[tuple[str, float, str]]:
    known = dict.fromkeys((*names.given, *names.found))
    for keyword, weight, parts in zip(*ranked, strict=True):
        longer = [] if keyword in known else [name for name in known if _is_part(keyword, name)]
        short = len(longer) == 1 and longer[0] in names.given and longer[0].endswith(keyword)  # a surname, the 猎隼队
        if short or (len(longer) == 1 and text.count(keyword) <= 2 * text.count(longer[0])):
            yield longer[0], weight, _parts(longer[0])
        else:
            yield keyword, weight, parts


def _is_part(keyword: str, name: str) -> bool:
    if len(keyword) >= len(name):
        return False
    return f" {keyword} " in f" {name} " or (keyword >= _UNSPACED and len(keyword) >= _LEAST_PART and keyword in name)


def _parts(name: str) -> str:
    return " ".join(name.lower().split())
