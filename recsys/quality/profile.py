"""Log, store, catalogue and past imports -> the figures of a site's data."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from recsys.imports.matching import CatalogueMatch, match_clicks
from recsys.quality.articles import ArticleFacts, article_facts, catalogue_frame
from recsys.quality.events import EventFacts, TimeRules, event_facts
from recsys.quality.history import ImportRecord, past_imports
from recsys.quality.reading import EventTable
from recsys.store import Kind
from recsys.store.records import ArticleName
from recsys.workspace import read_table

_SHOWN = 10  # unknown articles and odd readers that are named


@dataclass(frozen=True)
class DataProfile:
    """Figures of everything that a site gave.

    Attributes:
        zone: the time zone of the site.
        late_minutes: from when on an event counts as late.
        articles: figures of the articles.
        events: figures of the events.
        unclicked: articles that nobody opened.
        match: of the clicks with the catalogue.
        imports: what each import did, the oldest first.
        odd_readers: readers with inhuman rates, the worst first, some of them.
        odd_total: how many there are; None where no stage has looked.
        read_as: language that the texts were cut as -> articles; empty before that.
    """

    zone: str
    late_minutes: float
    articles: ArticleFacts
    events: EventFacts
    unclicked: int
    match: CatalogueMatch
    imports: list[ImportRecord] = field(default_factory=list)
    odd_readers: list[dict[str, Any]] = field(default_factory=list)
    odd_total: int | None = None
    read_as: dict[str, int] = field(default_factory=dict)

    def latest(self) -> list[ImportRecord]:
        """The last import of each file: one that was run again says the same again."""
        return list({record["file"]: record for record in self.imports}.values())

    def counted(self, what: str) -> dict[str, int]:
        """Rejects by reason, repaired fields or what was left out, over the last import of each file; most first."""
        total = Counter[str]()
        for record in self.latest():
            total.update(record.get(what) or {})
        return dict(total.most_common())

    def plain(self) -> dict[str, Any]:
        """All of it as JSON-ready values."""
        return asdict(self)


@dataclass(frozen=True)
class ProfileInputs:
    """Inputs of the figures.

    Attributes:
        events: see ``recsys.quality.reading``.
        catalogue: the file of ``recsys.events.catalogue``.
        imports: the folder of past imports.
        site: the site's identifier.
        odd_readers: the file of readers with inhuman rates, when a stage has made one.
        read_as: languages that the texts were cut as, when a stage has cut them.
    """

    events: EventTable
    catalogue: Path
    imports: Path
    site: str
    odd_readers: Path | None = None
    read_as: Sequence[str] = ()


def profile_of(sources: ProfileInputs, clock: TimeRules) -> DataProfile:
    """Count all of it."""
    frame, missing = catalogue_frame(sources.catalogue)
    ids = frame["id"].to_list()
    names = frame[["id", "url", "title"]].fillna("").itertuples(index=False)
    clicks = _clicks(sources.events.table)
    odd = _odd(sources.odd_readers)
    return DataProfile(
        zone=clock.zone,
        late_minutes=clock.late_minutes,
        articles=article_facts(frame, missing, clock.now),
        events=event_facts(sources.events, ids, clock, _SHOWN),
        unclicked=len(set(ids) - set(clicks)),
        match=match_clicks(clicks, map(ArticleName._make, names)),
        imports=past_imports(sources.imports, sources.site),
        odd_readers=[] if odd is None else odd.slice(0, _SHOWN).to_pylist(),
        odd_total=None if odd is None else len(odd),
        read_as=dict(Counter(sources.read_as).most_common()),
    )


def _clicks(table: pa.Table) -> dict[str, int]:
    counts = pc.value_counts(table.filter(pc.equal(table["kind"], Kind.CLICK))["article"])
    return {pair["values"]: pair["counts"] for pair in counts.to_pylist()}


def _odd(file: Path | None) -> pa.Table | None:
    return read_table(file) if file is not None and file.is_file() else None
