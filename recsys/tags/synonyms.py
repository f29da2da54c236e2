"""Synonyms: a category is found by its id and by its name in either language."""

from recsys.categories.names import CATEGORY_NAMES
from recsys.tags import fold


def _synonyms() -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for category, names in CATEGORY_NAMES.items():
        called = frozenset(fold(name) for name in (category, *names))
        for name in called:
            found[name] = found.get(name, frozenset()) | called
    return found


SYNONYMS = _synonyms()  # folded id or name of a known category -> all that it may be called, folded


def with_synonyms(tag: str) -> set[str]:
    """The folded forms under which a tag may stand, as somebody wrote it; none of what names no tag."""
    folded = fold(tag)
    return {folded, *SYNONYMS.get(folded, ())} if folded else set()
