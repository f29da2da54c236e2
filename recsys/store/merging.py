"""Merging of patches into articles: field by field within their bounds, in the order in which they come. No database.

Reads rows of the table ``articles`` and patches; produces the rows to insert and to update, and what to say of it.

Who hides wins by being last, and a file that repeats itself has said nothing new: an editor's ``hide`` outlives the
nightly export that says ``hidden: false`` of everything, and a draft that the export hid is shown when the export says
``hidden: false`` for the first time. So it is with the category that an editor filed an article under.
"""

from collections import Counter
from collections.abc import Collection, Container, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from recsys.store.bounds import bounded
from recsys.store.records import Article, ArticlePatch, Merged, compact_json, title_of

IMPORT = "import"
Row = dict[str, Any]
Key = tuple[str, str]
FIELDS = tuple(spec.name for spec in fields(Article))
EMPTY: Row = {spec.name: spec.default for spec in fields(Article)} | {
    "title": "",
    "entities": "[]",
    "hidden_by": None,
    "declared_hidden": None,
    "filed_by": None,
    "declared_category": None,
    "tags": None,
    "tagged_by": None,
}


@dataclass
class Plan:
    """Rows that a merge writes, and its answer.

    Attributes:
        new: whole rows.
        changed: whole rows of articles that are shown otherwise than before.
        noted: whole rows in which only what a file declared is another.
        merged: the answer.
    """

    new: list[Row] = field(default_factory=list)
    changed: list[Row] = field(default_factory=list)
    noted: list[Row] = field(default_factory=list)
    merged: Merged = field(default_factory=Merged)


@dataclass
class _Draft:
    """One article while its patches are applied."""

    row: Row
    old: Row | None
    positions: list[int] = field(default_factory=list)
    says_hidden: bool = False

    def apply(self, position: int, fields: Mapping[str, Any]) -> None:
        """Take over what one patch says."""
        self.positions.append(position)
        for name, value in fields.items():
            if name == "hidden":
                self._declare(bool(value))
            elif name == "category" and self.row["filed_by"] is not None:
                self._refile(value or None)
            elif name == "entities":
                self.row[name] = compact_json(list(value or ()))
            elif name == "body":
                self.row[name] = value or ""
            elif name != "title":
                self.row[name] = None if value == "" else value
            elif value:  # no article is without a title, so an empty one says nothing
                self.row[name] = value

    def _declare(self, hidden: bool) -> None:
        self.says_hidden = hidden
        if hidden != self.row["declared_hidden"]:
            self.row["declared_hidden"] = hidden
            self.row["hidden"], self.row["hidden_by"] = hidden, IMPORT if hidden else None

    def _refile(self, category: str | None) -> None:
        if category != self.row["declared_category"]:
            self.row.update(category=category, filed_by=None, declared_category=None)

    @property
    def why_hidden(self) -> str | None:
        """The cause for which it stays hidden although these patches do not say so, or None."""
        if self.old is None or not (self.old["hidden"] and self.row["hidden"]) or self.says_hidden:
            return None
        by = self.row["hidden_by"]
        return "as an import said" if by in (None, IMPORT) else f"as {by} said"


def plan_of(patches: Sequence[ArticlePatch], stored: Mapping[Key, Row], deleted: Container[Key]) -> Plan:
    """Plan of what patches write.

    Args:
        patches: of any sites.
        stored: the rows of those articles that exist, without their times.
        deleted: the articles that an operator deleted.
    """
    drafts: dict[Key, _Draft] = {}
    repaired = Counter[str]()
    for position, patch in enumerate(patches):
        key = (patch.site, patch.id)
        if key in deleted:
            continue
        if key not in drafts:
            old = stored.get(key)
            drafts[key] = _Draft(dict(old or EMPTY | {"site": patch.site, "id": patch.id}), old)
        fields, repairs = bounded(patch.fields)
        repaired.update(f"{name}: {what}" for name, what in repairs.items())
        drafts[key].apply(position, fields)
    return _planned(len(patches), drafts.values(), dict(repaired))


def _planned(patches: int, drafts: Collection[_Draft], repaired: dict[str, int]) -> Plan:
    plan, changed = Plan(), Counter[str]()
    untitled: list[int] = []
    for draft in drafts:
        row, old = draft.row, draft.old
        row["title"] = row["title"] or title_of(row["body"])
        if not row["title"]:
            untitled += draft.positions
        elif old is None:
            plan.new.append(row)
        elif differ := [name for name in FIELDS if row[name] != old[name]]:
            plan.changed.append(row)
            changed.update(differ)
        elif row != old:
            plan.noted.append(row)
    taken = sum(len(draft.positions) for draft in drafts)
    plan.merged = Merged(
        stored=len(plan.new),
        updated=len(plan.changed),
        duplicate=taken - len(untitled) - len(plan.new) - len(plan.changed),
        deleted=patches - taken,
        untitled=sorted(untitled),
        changed=dict(sorted(changed.items())),
        stays_hidden=[(draft.row["id"], draft.why_hidden) for draft in drafts if draft.why_hidden],
        repaired=repaired,
    )
    return plan
