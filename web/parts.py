"""Parts: one release's files, loaded for serving.

Reads a verified release; produces ``Parts``: vectors by row, the index, the click model, the counts, and what the
models say of each article. Nothing here trains, and neither gensim nor networkx is loaded.
"""

from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from recsys.articles import ArticlesConfig
from recsys.config import Section
from recsys.ctr.model import ClickModel
from recsys.errors import StaleArtefact
from recsys.features import NAMES
from recsys.index import Index
from recsys.keywords import KeywordsConfig
from recsys.readers import ReadersConfig
from recsys.recommend.catalogue import NONE
from recsys.recommend.entries import Traits
from recsys.releases import Release
from recsys.settings import Settings
from recsys.tokens import TokensConfig
from recsys.trends import Trends, TrendsConfig
from recsys.workspace import load_arrays, load_npy, read_json, read_table, same_space
from web.encode import LiveEncoder
from web.traits import load_traits

Vectors = npt.NDArray[np.float32]
Codes = npt.NDArray[np.int16]
S = TypeVar("S", bound=Section)


@dataclass(frozen=True)
class Parts:
    """What serving needs of one release, or of none. A articles of the release's own row space.

    Attributes:
        release: its name; None before the first one.
        ids: article id by row.
        item_vectors: float32 (A, D2), unit or NaN rows.
        article_vectors: float32 (A, D), unit or NaN rows.
        category: int16 (A,), codes; -1 for none.
        codes: category name -> code.
        traits: article id -> what the models say.
        index: of the item vectors.
        model: the click model.
        trends: the counts as of ``through``.
        readers: how reader vectors were made when the click model was trained.
        encoder: makes the same of an article that is newer than the release.
        through: the last event (seq) that the counts contain.
    """

    release: str | None
    ids: list[str]
    item_vectors: Vectors
    article_vectors: Vectors
    category: Codes
    codes: dict[str, int]
    traits: dict[str, Traits]
    index: Index | None
    model: ClickModel | None
    trends: Trends
    readers: ReadersConfig
    encoder: LiveEncoder | None
    through: int


def no_parts(settings: Settings) -> Parts:
    """What there is before the first release: counts that start at nothing."""
    nothing = np.empty((0, 0), np.float32)
    return Parts(
        release=None,
        ids=[],
        item_vectors=nothing,
        article_vectors=nothing,
        category=np.empty(0, np.int16),
        codes={},
        traits={},
        index=None,
        model=None,
        trends=Trends(0, settings.trends),
        readers=settings.readers,
        encoder=None,
        through=0,
    )


def load_parts(release: Release, settings: Settings) -> Parts:
    """Load a release whose bytes have been verified.

    The sections that shape vectors and counts are taken as they were when the release was made, so that a change of
    ``config.yaml`` speaks only through the next release.

    Raises:
        StaleArtefact: its files do not belong together, or were made for another version of this program.
        CorruptArtefact: a file is not what its name says.
        SpaceMismatch: two files hold vectors of different spaces.
    """
    items = release.path("items")
    ids = _ids(items / "ids.parquet")
    if _ids(release.path("index") / "ids.parquet") != ids:
        raise StaleArtefact("an index of the release's items", "another one", "Run: python -m jobs index publish")
    category, codes = _categories(release, ids)
    trends, through = _trends(release, ids, _section(TrendsConfig, release, "trends", settings))
    words, articles = (read_json(release.path(stage) / "space.json") for stage in ("words", "articles"))
    same_space(("words", words["space"]), ("articles", articles["space"]))
    return Parts(
        release=release.name,
        ids=ids,
        item_vectors=load_npy(items / "vectors.npy"),
        article_vectors=_article_vectors(release, ids),
        category=category,
        codes=codes,
        traits=load_traits(release),
        index=Index.load(release.path("index") / "items.faiss"),
        model=_model(release),
        trends=trends,
        readers=_section(ReadersConfig, release, "readers", settings),
        encoder=LiveEncoder.load(
            release,
            _section(TokensConfig, release, "tokens", settings),
            _section(KeywordsConfig, release, "keywords", settings),
            _section(ArticlesConfig, release, "articles", settings),
        ),
        through=through,
    )


def _model(release: Release) -> ClickModel | None:
    """None when the log held nothing to learn a click model from: the lists are then ranked by similarity."""
    folder = release.path("ctr")
    return ClickModel.load(folder, NAMES) if (folder / "model.json").is_file() else None


def _ids(file: Any) -> list[str]:
    ids: list[str] = read_table(file)["id"].to_pylist()
    return ids


def _section(section: type[S], release: Release, name: str, settings: Settings) -> S:
    made_with = release.manifest.get("config", {}).get(name)
    return getattr(settings, name) if made_with is None else section.model_validate(made_with)


def _rows(ids: list[str], wanted: list[str]) -> npt.NDArray[np.int64]:
    """The rows of some ids, -1 for those that are not there."""
    row_of = {article_id: row for row, article_id in enumerate(ids)}
    return np.array([row_of.get(article_id, NONE) for article_id in wanted], np.int64)


def _article_vectors(release: Release, ids: list[str]) -> Vectors:
    vectors = load_npy(release.path("articles") / "vectors.npy")
    rows = _rows(ids, _ids(release.path("articles") / "ids.parquet"))
    table = np.full((len(ids), vectors.shape[1]), np.nan, np.float32)
    table[rows[rows >= 0]] = vectors[rows >= 0]
    return table


def _categories(release: Release, ids: list[str]) -> tuple[Codes, dict[str, int]]:
    sorted_in = read_table(release.path("categories") / "articles.parquet", ["id", "category"])
    codes: dict[str, int] = {}
    category = np.full(len(ids), NONE, np.int16)
    names = sorted_in["category"].to_pylist()
    for row, name in zip(_rows(ids, sorted_in["id"].to_pylist()), names, strict=True):
        if row >= 0 and name is not None:
            category[row] = codes.setdefault(name, len(codes))
    return category, codes


def _trends(release: Release, ids: list[str], config: TrendsConfig) -> tuple[Trends, int]:
    folder = release.path("trends")
    arrays = load_arrays(folder / "state.safetensors")
    rows = _rows(ids, _ids(folder / "ids.parquet"))
    for name in PER_ARTICLE:
        spread = np.full((len(ids), *arrays[name].shape[1:]), PER_ARTICLE[name], arrays[name].dtype)
        spread[rows[rows >= 0]] = arrays[name][rows >= 0]
        arrays[name] = spread
    return Trends.from_arrays(arrays, config), int(read_json(folder / "trends.json")["through"])


PER_ARTICLE = {"decayed": 0, "first": NONE, "last": NONE, "total": 0}  # the counts by article, and what nothing is
