"""Named tags: keywords that are a part of a name -> the whole name; names that the site gives -> tags.

A keyword is cut where a language's grammar or its dictionary cuts it: "wales", 猎隼. Where the article has it as a
part of one name and hardly without it, the tag is that name: "New South Wales", 霁州猎隼队. The end of a name that the
site gives stands for the whole name, however often: whoever is named once is called by less from then on.
"""

from collections.abc import Iterator

from recsys.entities import ArticleNames
from recsys.keywords import TagRanks
from recsys.tags import NOT_RANKED, STEM, fold, pieces

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
        All of them, of two that fold alike the first, and at most four names more. Tokens stay those of the keyword,
        by which the features know the article; a name that is none has no tokens.
    """
    whole = list(_whole(ranked, names, text))
    there = {fold(name) for name, _, _ in whole}
    missing = [name for name in names.given if fold(name) not in there][:_ADDED]
    weight = whole[min(_BEHIND, len(whole)) - 1][1] if whole else 1 / max(1, len(missing))
    whole[_BEHIND:_BEHIND] = [(name, weight, NOT_RANKED) for name in missing]
    chosen = dict[str, tuple[str, float, str]]()
    for tag in whole:
        chosen.setdefault(fold(tag[0]), tag)
    return TagRanks(*zip(*chosen.values(), strict=True)) if chosen else TagRanks((), (), ())


def _whole(ranked: TagRanks, names: ArticleNames, text: str) -> Iterator[tuple[str, float, str]]:
    of_article = {*names.given, *names.found}
    for keyword, weight, parts in zip(*ranked, strict=True):
        longer = [] if keyword in of_article else [name for name in of_article if _is_part(keyword, name)]
        is_called = len(longer) == 1 and _stands_for(keyword, longer[0], names, text)
        yield longer[0] if is_called else keyword, weight, parts


def _stands_for(keyword: str, name: str, names: ArticleNames, text: str) -> bool:
    """True for the end of a name that the site gives, and for what stands no oftener outside of the name than in it."""
    return (name in names.given and name.endswith(keyword)) or text.count(keyword) <= 2 * text.count(name)


def _is_part(keyword: str, name: str) -> bool:
    if len(keyword) >= len(name):
        return False
    return f" {keyword} " in f" {name} " or (keyword >= _UNSPACED and len(keyword) >= _LEAST_PART and keyword in name)


def unnamed(tags: TagRanks) -> TagRanks:
    """The keywords alone that ``named_tags`` made tags of, so that they are called anew when an article changes."""
    keywords = [(name, weight, parts) for name, weight, parts in zip(*tags, strict=True) if parts != NOT_RANKED]
    own = [pieces(parts)[0] for _, _, parts in keywords]  # folded, and as its tokens are written
    rows = (
        (name if fold(name) == folded else written, weight, parts)
        for (name, weight, parts), (folded, written) in zip(keywords, own, strict=True)
    )
    return TagRanks(*zip(*rows, strict=True)) if keywords else TagRanks((), (), ())
