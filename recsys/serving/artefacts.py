"""Artefacts: one release's files, loaded for serving.

Reads a verified release; produces its vectors by row, the index, the click model, the counts and what the models say
of each article. Nothing here trains: neither torch nor gensim nor networkx is loaded.
"""

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from recsys.articles.config import ArticlesConfig
from recsys.articles.encoding import IDF, made_beside
from recsys.catalogue.released import SITE_NAMES, ReleasedCatalogue
from recsys.config import Section
from recsys.ctr.scoring import ClickScorer, SamplingCorrection
from recsys.entities import SiteNames
from recsys.errors import StaleArtefact
from recsys.events.config import EventsConfig
from recsys.features import NAMES
from recsys.features.matrix import Directions
from recsys.features.similarity import quantised
from recsys.index import Index
from recsys.items.files import load_online
from recsys.items.online import OnlineItems, fixed_items
from recsys.keywords.config import KeywordsConfig
from recsys.names import REMOVED
from recsys.readers.config import ReadersConfig
from recsys.readers.trained import TrainedEncoder
from recsys.releases import Release
from recsys.serving.config import ServingSettings
from recsys.serving.encoder import LiveEncoder
from recsys.serving.live_stories import LiveStories
from recsys.stories.editors_word import EditorsWord
from recsys.stories.leaders import Leaders, load_leaders
from recsys.stories.story_files import load_story_index
from recsys.stories.story_index import StoryIndex
from recsys.tags import Tag
from recsys.tags.related import load_related
from recsys.tokens.config import TokensConfig
from recsys.tokens.segmenter import load_chinese
from recsys.trends.config import TrendsConfig
from recsys.trends.files import load_trends
from recsys.trends.stream import Trends
from recsys.units import UNKNOWN_ROW
from recsys.workspace import load_npy, read_json, read_table

Vectors = npt.NDArray[np.float32]
SectionT = TypeVar("SectionT", bound=Section)


@dataclass(frozen=True)
class ReleaseArtefacts:
    """The artefacts of one release, or of none, for serving. A articles of the release's own row space.

    Attributes:
        release: its name; None before the first one.
        catalogue: its articles by row.
        items: the item vectors, to be learned on; without dimensions before the first release.
        article_vectors: float32 (A, D), unit or NaN rows.
        idf_vectors: int8 (A, D3), quantised, means of words by rarity.
        leaders: first copies of texts, to be joined by articles that come later.
        stories: those that go on, to be joined by articles that come later: read when the first one comes.
        editors_word: what editors had said of stories when they were found.
        related_tags: folded tag -> the tags two steps away from it in the tag graph.
        index: of the item vectors.
        item_cells: float32 (C, D), centres of the cells that they are searched by; C = 0 where all are.
        article_cells: the same of the article vectors.
        model: the click model.
        trends: the counts as of ``through``.
        readers: how reader vectors were made when the click model was trained.
        reader_encoder: trained to foresee a reader's next click; None where readers are encoded without training.
        encoder: makes the same of an article that is newer than the release.
        names: that the site knows, by which the tags of later articles are called.
        through: the last event (seq) that the counts contain.
        odd: readers who are left out of the counts.
    """

    release: str | None
    catalogue: ReleasedCatalogue
    items: OnlineItems
    article_vectors: Vectors
    idf_vectors: Directions
    leaders: Leaders
    stories: LiveStories
    editors_word: EditorsWord
    related_tags: dict[str, tuple[Tag, ...]]
    index: Index | None
    item_cells: Vectors
    article_cells: Vectors
    model: ClickScorer | SamplingCorrection | None
    trends: Trends
    readers: ReadersConfig
    reader_encoder: TrainedEncoder | None
    encoder: LiveEncoder | None
    names: SiteNames
    through: int
    odd: tuple[str, ...] = ()


def no_artefacts(settings: ServingSettings) -> ReleaseArtefacts:
    """The artefacts before the first release: counts that start at nothing."""
    nothing = np.empty((0, 0), np.float32)
    return ReleaseArtefacts(
        release=None,
        catalogue=ReleasedCatalogue.empty(),
        items=fixed_items(nothing),
        article_vectors=nothing,
        idf_vectors=quantised(nothing),
        leaders=Leaders(),
        stories=LiveStories(StoryIndex),
        editors_word=EditorsWord([], 0, []),
        related_tags={},
        index=None,
        item_cells=nothing,
        article_cells=nothing,
        model=None,
        trends=Trends(0, settings.trends, settings.events.session_gap_minutes),
        readers=settings.readers,
        reader_encoder=None,
        encoder=None,
        names=SiteNames(),
        through=0,
    )


def load_artefacts(release: Release, settings: ServingSettings) -> ReleaseArtefacts:
    """Load a release whose bytes have been verified.

    The sections that shape vectors and counts are taken as they were when the release was made, so that a change of
    ``config.yaml`` speaks only through the next release.

    Raises:
        StaleArtefact: its files do not belong together, or were made for another version of this program.
        CorruptArtefact: a file is not what its name says.
        SpaceMismatch: two files hold vectors of different spaces.
    """
    items, ids = load_online(release.path("items"))
    catalogue = ReleasedCatalogue.load(release.path("catalogue"))
    for stage, rows in {"index": _ids(release.path("index") / "ids.parquet"), "catalogue": list(catalogue.ids)}.items():
        if rows != ids:
            raise StaleArtefact(f"the {stage} of the release's items", "another one", "Run: python -m jobs all")
    gap = _section(EventsConfig, release, "events", settings).session_gap_minutes
    counted = load_trends(release.path("trends"), ids, _section(TrendsConfig, release, "trends", settings), gap)
    if catalogue.categories[: len(counted.categories)] != counted.categories:
        raise StaleArtefact("counts by the catalogue's categories", "by others", "Run: python -m jobs all")
    made_beside(release.path("articles"), read_json(release.path("words") / "space.json")["space"])
    article_vectors = _article_vectors(release.path("articles"), ids)
    editors_word = EditorsWord.load(release.path("stories"))
    tokens = _section(TokensConfig, release, "tokens", settings)
    return ReleaseArtefacts(
        release=release.name,
        catalogue=catalogue,
        items=items,
        article_vectors=article_vectors,
        idf_vectors=quantised(_article_vectors(release.path("articles") / IDF, ids)),
        leaders=load_leaders(release.path("stories")),
        stories=LiveStories(functools.partial(load_story_index, release.path("stories")), editors_word.decisions),
        editors_word=editors_word,
        related_tags=load_related(release.path("keywords")),
        index=Index.load(release.path("index") / "items.faiss"),
        item_cells=_cells(release, "item_cells.npy", items.vectors.shape[1]),
        article_cells=_cells(release, "article_cells.npy", article_vectors.shape[1]),
        model=_model(release),
        trends=counted.trends,
        readers=_section(ReadersConfig, release, "readers", settings),
        reader_encoder=_reader_encoder(release),
        encoder=LiveEncoder.load(
            release,
            tokens,
            _section(KeywordsConfig, release, "keywords", settings),
            _section(ArticlesConfig, release, "articles", settings),
        ),
        names=SiteNames.load(release.path("catalogue") / SITE_NAMES, lambda: load_chinese(tokens)),
        through=counted.through,
        odd=tuple(counted.odd),
    )


def _model(release: Release) -> ClickScorer | SamplingCorrection | None:
    """None when the log held nothing to learn a click model from: the lists are then ranked by similarity."""
    folder = release.path("ctr")
    if not (folder / "model.json").is_file():
        return None
    model = ClickScorer.load(folder, NAMES)
    return model if model.saved.sampling is None else SamplingCorrection(model, NAMES, model.saved.sampling)


def _reader_encoder(release: Release) -> TrainedEncoder | None:
    """None where the settings ask for none, and where the log had too few visits to learn from."""
    if "readers" not in release.manifest["stages"] or not (release.path("readers") / "encoder.json").is_file():
        return None
    space = read_json(release.path("items") / "space.json")["space"]
    return TrainedEncoder.load(release.path("readers"), space)


def _ids(file: Any) -> list[str]:
    ids: list[str] = read_table(file)["id"].to_pylist()
    return ids


def _section(section: type[SectionT], release: Release, name: str, settings: ServingSettings) -> SectionT:
    """A section as the release was made with; a key that is a setting no more decided nothing that is served."""
    made_with = release.manifest.get("config", {}).get(name)
    if made_with is None:
        of_now: SectionT = getattr(settings, name)
        return of_now
    return section.model_validate({key: value for key, value in made_with.items() if f"{name}.{key}" not in REMOVED})


def _rows(ids: list[str], wanted: list[str]) -> npt.NDArray[np.int64]:
    """The rows of some ids, -1 for those that are not there."""
    row_of = {article_id: row for row, article_id in enumerate(ids)}
    return np.array([row_of.get(article_id, UNKNOWN_ROW) for article_id in wanted], np.int64)


def _cells(release: Release, name: str, dimensions: int) -> Vectors:
    cells: Vectors = load_npy(release.path("index") / name)
    if cells.ndim != 2 or cells.shape[1] != dimensions:
        raise StaleArtefact(f"{name} of {dimensions} dimensions", f"shape {cells.shape}", "Run: python -m jobs all")
    return cells


def _article_vectors(folder: Path, ids: list[str]) -> Vectors:
    vectors = load_npy(folder / "vectors.npy")
    rows = _rows(ids, _ids(folder / "ids.parquet"))
    table = np.full((len(ids), vectors.shape[1]), np.nan, np.float32)
    table[rows[rows >= 0]] = vectors[rows >= 0]
    return table
