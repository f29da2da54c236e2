"""The admin API's map: articles on a plane by their vectors, with their categories.

Reads the article vectors of the release that is served, and the catalogue as it is now; produces a bounded sample.
"""

from functools import lru_cache
from pathlib import Path
from unicodedata import east_asian_width
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
from apiflask import APIBlueprint
from pydantic import BaseModel, Field

from recsys.articles.plane import category_plane
from recsys.catalogue.catalogue import Catalogue
from recsys.units import UNKNOWN_ROW, now_ms
from recsys.workspace import load_npy, read_table
from web.admin.handlers import never_stored
from web.api.schemas import In, Lang
from web.installation import installation

MAX_POINTS = 1_000  # of the map: what a page can hold, evenly over the articles that may be shown
MAX_TITLE = 60  # columns of type, of which a Chinese character takes two
Ints = npt.NDArray[np.int64]

_rows: "WeakKeyDictionary[Catalogue, tuple[Path, Ints]]" = WeakKeyDictionary()  # of the vectors

blueprint = APIBlueprint("catalogue_map", __name__, url_prefix="/admin/api", tag="admin")
blueprint.after_request(never_stored)


class MapQuery(In):
    """The part of the catalogue that is asked for."""

    language: Lang | None = Field(None, description="only of this one: each lies apart; null: that of most")


class MapPoint(BaseModel):
    """An article on the map."""

    id: str
    title: str = Field(description=f"its beginning, at most {MAX_TITLE} letters, or half as many characters of Chinese")
    category: int = Field(description="its place in categories; -1: none")
    x: float = Field(description="0 to 1")
    y: float = Field(description="0 to 1")


class MapCategory(BaseModel):
    """A category on the map."""

    name: str
    articles: int = Field(description="of the sample")


class CatalogueMap(BaseModel):
    """Articles on the plane in which their categories lie furthest apart."""

    release: str | None
    language: str | None = Field(description="of the articles; null: there are none")
    languages: list[str] = Field(description="of which there are maps, the one of most articles first")
    articles: int = Field(description="that may be shown and are in the release, of which the points are a sample")
    categories: list[MapCategory] = Field(description="the largest first")
    points: list[MapPoint]


@blueprint.get("/map")
@blueprint.input(MapQuery, location="query", arg_name="query")
@blueprint.output(CatalogueMap)
@blueprint.doc(security="bearer")
def read_map(query: MapQuery) -> CatalogueMap:
    """The catalogue as a map: at most a thousand articles, near ones together; empty without a release."""
    here, now = installation(), now_ms()
    release, catalogue = here.live.release, here.live.catalogue
    if release is None:
        return CatalogueMap(release=None, language=None, languages=[], articles=0, categories=[], points=[])
    folder = here.releases.root / release / "articles"
    rows, places = _shown(catalogue, folder, now)
    languages = list(language_sizes(catalogue, rows))
    language = query.language or next(iter(languages), None)
    spoken = catalogue.columns.language[rows] == catalogue.language_code(language)
    rows, places = rows[spoken], places[spoken]
    articles, vectors = len(rows), _vectors(folder)[1]
    if articles > MAX_POINTS:
        some = np.linspace(0, articles - 1, MAX_POINTS).astype(np.int64)
        rows, places = rows[some], places[some]
    sample = np.asarray(vectors[places], np.float32)
    finite = np.isfinite(sample).all(axis=1)
    rows, sample = rows[finite], sample[finite]
    codes = catalogue.columns.category[rows].astype(np.int64)
    order = [code for code in _by_size(codes) if code != UNKNOWN_ROW]
    counted = [MapCategory(name=catalogue.category_names[code], articles=int((codes == code).sum())) for code in order]
    points = _points(catalogue, rows, codes, order, category_plane(sample, codes))
    about = {"release": release, "language": language, "languages": languages, "articles": articles}
    return CatalogueMap(**about, categories=counted, points=points)


def _points(
    catalogue: Catalogue, rows: Ints, codes: Ints, order: list[int], plane: npt.NDArray[np.float32]
) -> list[MapPoint]:
    """The points of some rows, the plane stretched to a square."""
    if not len(rows):
        return []
    place_of = {code: place for place, code in enumerate(order)}
    flat = (plane - plane.min(axis=0)) / np.maximum(np.ptp(plane, axis=0), 1e-9)
    articles = catalogue.articles_of(rows.tolist())
    return [
        MapPoint(
            id=catalogue.ids[row],
            title=beginning(article.title),
            category=place_of.get(code, UNKNOWN_ROW),
            x=round(x, 4),
            y=round(y, 4),
        )
        for row, code, article, (x, y) in zip(rows.tolist(), codes.tolist(), articles, flat.tolist(), strict=True)
    ]


def beginning(title: str) -> str:
    """As much of a title as fits into ``MAX_TITLE`` columns of type."""
    columns = 0
    for at, char in enumerate(title):
        columns += 2 if east_asian_width(char) in "WF" else 1
        if columns > MAX_TITLE:
            return title[:at]
    return title


def _shown(catalogue: Catalogue, folder: Path, now: int) -> tuple[Ints, Ints]:
    """The rows of the catalogue that may be shown and have a vector, and the places of their vectors."""
    kept = _rows.get(catalogue)
    if kept is None or kept[0] != folder:
        row_of = {id: row for row, id in enumerate(catalogue.ids)}  # all at once: the catalogue's own hashes one by one
        found = (row_of.get(id, UNKNOWN_ROW) for id in _vectors(folder)[0])
        kept = _rows[catalogue] = folder, np.fromiter(found, np.int64)
    rows = kept[1]
    places = np.flatnonzero((rows != UNKNOWN_ROW) & catalogue.eligible(now).showable[rows])
    return rows[places], places


def language_sizes(catalogue: Catalogue, rows: Ints) -> dict[str, int]:
    """The number of some rows by language, the most first."""
    _, first, counts = np.unique(catalogue.columns.language[rows], return_index=True, return_counts=True)
    order = np.argsort(-counts, kind="stable").tolist()
    names = [catalogue.language_of_all([int(rows[row])]) or "und" for row in first.tolist()]
    return {names[place]: int(counts[place]) for place in order}


def _by_size(codes: Ints) -> list[int]:
    names, sizes = np.unique(codes, return_counts=True)
    return [int(names[place]) for place in np.argsort(-sizes, kind="stable")]


@lru_cache(maxsize=1)
def _vectors(folder: Path) -> tuple[list[str], npt.NDArray[np.float32]]:
    """The ids and vectors of a release; the vectors stay in their file."""
    return read_table(folder / "ids.parquet")["id"].to_pylist(), load_npy(folder / "vectors.npy", mapped=True)
