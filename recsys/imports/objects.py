"""One JSON object -> an edit of an article, by the rules of an import: what a call sends is read as a file would be.

Reads objects whose keys are an article's fields; produces edits for the store, and for each one what was put right.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from recsys.errors import InputError
from recsys.imports.mapping import ARTICLE_FIELDS, FieldSource
from recsys.imports.records import PlacedPatch, RecordBuilder
from recsys.imports.tables import RowBatch
from recsys.imports.values import ParseOptions
from recsys.names import nearest
from recsys.store import ArticleEdit, ArticlePatch, EditVerb, normal_id
from recsys.store.operators import Allows, any_version
from recsys.store.records import title_of

_SAYS_NOTHING_WHEN_MISSING = ("id", "title", "hidden")  # not even in a whole article: hidden is an editor's word, too


class ParsedEdit(NamedTuple):
    """An edit, and what was done to its values, such as "image: left out, not a web address"."""

    edit: ArticleEdit
    repaired: tuple[str, ...]


class ObjectReader:
    """Reader of a site's articles from objects.

    Args:
        site: whose articles they are.
        options: how values are read that do not say it themselves.
        now: int ms UTC.
    """

    def __init__(self, site: str, options: ParseOptions, now: int) -> None:
        self._heard = _Heard()
        self._site = site
        fields = {field: FieldSource(field, None) for field in ARTICLE_FIELDS}
        self._builder = RecordBuilder(fields, site, options, self._heard, now=now)

    def whole(self, value: Mapping[str, Any], allows: Allows = any_version) -> ParsedEdit:
        """The edit that makes an article what an object says: fields that it lacks are emptied.

        Raises:
            InputError: the object is none of an article; the message says which key or value.
        """
        placed = self._placed(value)
        fields = dict(placed.patch.fields)
        fields["title"] = fields.get("title") or title_of(fields.get("body") or "") or placed.last_resort
        if not fields["title"]:
            raise InputError("an article with a title, or a body to take one from", "neither", "Send its title.")
        emptied = {field for field in ARTICLE_FIELDS if field not in value} - set(_SAYS_NOTHING_WHEN_MISSING)
        patch = ArticlePatch(placed.patch.id, self._site, dict.fromkeys(sorted(emptied)) | fields)
        return ParsedEdit(ArticleEdit(EditVerb.PUT, patch, allows), self._heard.repaired())

    def named(self, value: Mapping[str, Any], allows: Allows = any_version) -> ParsedEdit:
        """The edit that changes the fields that an object has.

        Raises:
            InputError: the object is none of an article; the message says which key or value.
        """
        return ParsedEdit(ArticleEdit(EditVerb.PATCH, self._placed(value).patch, allows), self._heard.repaired())

    def _placed(self, value: Mapping[str, Any]) -> PlacedPatch:
        for key in value:
            if key not in ARTICLE_FIELDS:
                raise InputError("a field of an article", f"{key!r:.80}", nearest(key, ARTICLE_FIELDS))
        if normal_id(value.get("id"), "id") is None:
            raise InputError("an id", "none", "Send the id under which the article is found again.")
        self._heard.clear()
        columns = {name: [value.get(name)] for name in ARTICLE_FIELDS}
        placed = self._builder.articles(RowBatch([1], columns, [value]))
        if not placed:
            raise InputError("an article that an import would take", self._heard.problem, "Correct that value.")
        return placed[0]


class _Heard:
    """Listener to the builder, for one object at a time."""

    def __init__(self) -> None:
        self.problem = ""
        self._repairs: list[str] = []

    def clear(self) -> None:
        """Forget the object before."""
        self.problem = ""
        self._repairs = []

    def reject(self, _line: int, reason: str, _row: Any) -> None:
        """Keep the reason."""
        self.problem = reason

    def repair(self, field: str, what: str) -> None:
        """Keep what was done."""
        self._repairs.append(f"{field}: {what}")

    def repaired(self) -> tuple[str, ...]:
        """Repairs of the object's values."""
        return tuple(self._repairs)
