"""The pages in Chinese: what the report itself says is read by its templates, what is the site's stays as it is.

Reads pages that were composed in English; produces the same pages in Chinese, pictures as well, whose text is text.
"""

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from recsys.languages.phrases import Phrases
from recsys.report.model_texts import GROUP_TEXTS
from recsys.report.names import IMPORT_REASONS, NAME_TEXTS
from recsys.report.page import Bars, Block, Cell, Counts, Example, Examples, HeatMap, Page, Part, Picture, Table, Tiles
from recsys.report.texts import HEADING_TEXTS, NOTES, SENTENCES
from recsys.runs.count_names import COUNT_NAMES
from recsys.runs.stages import STAGES

_SENTENCE_END = re.compile(r"(?<=[.:?]) ")
_COUNTED = re.compile(r"(.+) \(([\d,]+)\)")  # a name with how many it stands for
_SVG_TEXT = re.compile(r"(<text[^>]*>)([^<]*)(?=</text>)")
_WORD = re.compile("[A-Za-z]{4}")  # what is shorter is a code or an abbreviation
_CLAUSE_END = ("。", "：", "？")
_ODD_TEXTS = "texts"  # the group of the counts of odd texts


class Chinese:
    """Says pages in Chinese.

    Attributes:
        unknown: what the report says and no template knows; it stays English.
    """

    def __init__(self) -> None:
        self.unknown: set[str] = set()

    def pages(self, pages: Sequence[Page]) -> list[Page]:
        """The same pages in Chinese."""
        return [
            replace(
                page,
                heading=self._said(page.heading, HEADING_TEXTS),
                lead=self._sentences(page.lead),
                parts=[self._part(part) for part in page.parts],
            )
            for page in pages
        ]

    def _part(self, part: Part) -> Part:
        blocks = [self._block(block) for block in part.blocks]
        return replace(
            part, heading=self._said(part.heading, HEADING_TEXTS), note=self._sentences(part.note), blocks=blocks
        )

    def _block(self, block: Block) -> Block:
        match block:
            case Picture():
                return replace(block, caption=self._sentences(block.caption), svg=self._drawn(block.svg, block.labels))
            case Table():
                return self._table(block)
            case HeatMap():
                return replace(block, caption=self._sentences(block.caption))
            case Examples():
                return replace(block, rows=[self._example(row) for row in block.rows])
            case Counts():
                return Counts({self._group(name): self._counts(name, one) for name, one in block.groups.items()})
            case Tiles():
                tiles = [replace(one, label=self._name(one.label), note=self._list(one.note)) for one in block.tiles]
                return replace(block, tiles=tiles)
            case Bars():
                bars = [
                    replace(one, name=self._name(one.name) if block.said else one.name, value=self._amount(one.value))
                    for one in block.bars
                ]
                return replace(block, caption=self._name(block.caption), bars=bars)

    def _table(self, table: Table) -> Table:
        said = [name in table.said for name in table.head]
        rows = [[self._cell(value, ours) for value, ours in zip(row, said, strict=True)] for row in table.rows]
        head, best = [self._name(name) for name in table.head], [self._name(name) for name in table.best]
        return replace(table, head=head, rows=rows, best=best, caption=self._sentences(table.caption))

    def _cell(self, value: Cell, ours: bool) -> Cell:
        if not ours or not isinstance(value, str):
            return value
        return SENTENCES.in_chinese(value) if SENTENCES.knows(value) and value.endswith(".") else self._name(value)

    def _example(self, row: Example) -> Example:
        heading = row.heading if row.language else self._name(row.heading)
        return replace(row, heading=heading, note=self._said(row.note, NOTES) if row.said else row.note)

    def _group(self, name: str) -> str:
        return name if name in STAGES else self._name(name)  # a stage is called on the command line as it is here

    def _counts(self, group: str, counts: Mapping[str, float]) -> dict[str, float]:
        return {self._count(group, name): value for name, value in counts.items()}

    def _count(self, group: str, name: str) -> str:
        key = f"odd_{name}" if group == _ODD_TEXTS else name
        if (group in STAGES or group == _ODD_TEXTS) and key in COUNT_NAMES:
            return COUNT_NAMES[key][0]
        return self._name(name.replace("_", " "))

    def _list(self, text: str) -> str:
        """Names with their numbers, between commas."""
        parts = [part.rpartition(" ") for part in text.split(", ")] if text else []
        return "，".join(f"{self._name(name)} {count}" if name else count for name, _, count in parts)

    def _amount(self, text: str) -> str:
        return text if not _WORD.search(text) else self._name(text)

    def _drawn(self, svg: str, labels: Sequence[str]) -> str:
        """A picture with those of its texts in Chinese that are the report's."""
        said = {label: self._name(label) for label in labels}

        def label(found: re.Match[str]) -> str:
            text = html.unescape(found[2])
            return found[1] + html.escape(said.get(text, text), quote=False)

        return _SVG_TEXT.sub(label, svg)

    def _name(self, text: str) -> str:
        """A name, with its number in brackets or its field before a colon where it has one."""
        for book in (NAME_TEXTS, GROUP_TEXTS, IMPORT_REASONS):
            if book.knows(text):
                return book.in_chinese(text)
        if counted := _COUNTED.fullmatch(text):
            return f"{self._name(counted[1])} ({counted[2]})"
        field, colon, rest = text.partition(": ")
        if colon and NAME_TEXTS.knows(field):
            return f"{NAME_TEXTS.in_chinese(field)}：{self._name(rest)}"
        return self._strange(text)

    def _sentences(self, text: str) -> str:
        """Sentences one after the other, each the shortest that a template knows."""
        parts = _SENTENCE_END.split(text) if text else []
        said = ""
        while parts:
            ends = range(1, len(parts) + 1)
            end = next((n for n in ends if SENTENCES.knows(" ".join(parts[:n]))), 1)
            one, parts = " ".join(parts[:end]), parts[end:]
            said += (" " if said and not said.endswith(_CLAUSE_END) else "") + self._sentence(one)
        return said

    def _sentence(self, text: str) -> str:
        if GROUP_TEXTS.knows(text):
            return GROUP_TEXTS.in_chinese(text)
        return self._said(text, SENTENCES)

    def _said(self, text: str, book: Phrases) -> str:
        return book.in_chinese(text) if book.knows(text) else self._strange(text)

    def _strange(self, text: str) -> str:
        if _WORD.search(text):
            self.unknown.add(text)
        return text
