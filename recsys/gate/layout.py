"""A release as the service would lay it out now, with later articles, and nothing learned from readers since.

Reads a release and the store; produces its artefacts and a ``SharedState``. A checkpoint is left alone: it has learned
from the very lists by which a release is judged.
"""

import functools
from collections.abc import Sequence
from typing import NamedTuple

from recsys.ctr.scoring import ClickScorer
from recsys.features import NAMES
from recsys.releases import Release
from recsys.serving.artefacts import ReleaseArtefacts, load_artefacts
from recsys.serving.config import ServingSettings
from recsys.serving.feed import StoreFeed
from recsys.serving.snapshot import ModelSnapshot
from recsys.serving.state import SharedState
from recsys.store import Store
from recsys.units import now_ms
from recsys.workspace import read_json


class LaidOutRelease(NamedTuple):
    """One release, laid out to be judged.

    Attributes:
        release: its files.
        artefacts: as loaded.
        state: with the articles of now.
        model: the click model as it scores lists that were shown; None without one.
        newest: ms: the newest event that it has learned from.
        ids: of its own articles, by row; what came later has the rows after them.
        through: seq of the last event of the log that it was made from.
    """

    release: Release
    artefacts: ReleaseArtefacts
    state: SharedState
    model: ClickScorer | None
    newest: int
    ids: Sequence[str]
    through: int


def lay_out(release: Release, settings: ServingSettings, store: Store) -> LaidOutRelease:
    """Lay a release out.

    Raises:
        MissingArtefact: it was published without a stage that the service reads.
        StaleArtefact: its files do not belong together.
        CorruptArtefact: a file is not what its name says.
        SpaceMismatch: two files hold vectors of different spaces.
        StoreError: the database is out of reach.
    """
    artefacts = load_artefacts(release, settings)
    site, ids = settings.site, tuple(artefacts.catalogue.ids)  # before the state adds what came later to them
    snapshot = ModelSnapshot.of(artefacts, site.language, functools.partial(store.article, site.id))
    state = SharedState(snapshot, artefacts, settings, store.count_changed(site.id, artefacts.catalogue.change))
    StoreFeed(store, site.id, now_ms).apply_articles(state, lambda: None)
    folder, log = release.path("ctr"), read_json(release.path("events") / "log.json")
    model = ClickScorer.load(folder, NAMES) if (folder / "model.json").is_file() else None
    return LaidOutRelease(release, artefacts, state, model, int(log["newest"]), ids, int(log["through"]))
