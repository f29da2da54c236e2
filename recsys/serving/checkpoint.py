"""Checkpoints: the live state of one site over one release, on disk, so that a start goes on where a worker stood.

Reads a shared state between two events; writes ``RELEASE-SEQ/`` with the counts, the item vectors, and the articles
that are newer than the release; reads it back exactly. A worker that starts applies only what came after it. All
workers apply the same feed, so that one of them writes for all, and only when there is enough to be worth it. Nothing
of a reader is in it: visits and sessions that run are read from the last events again.
"""

import json
import shutil
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import structlog

from recsys import __version__
from recsys.catalogue.cards import unpacked
from recsys.errors import Busy, CorruptArtefact
from recsys.index import Index
from recsys.items.files import restored, snapshot
from recsys.serving.artefacts import ReleaseArtefacts
from recsys.serving.snapshot import PreparedArticle
from recsys.serving.state import SharedState
from recsys.store import Decision, StoryDecision, StoryName
from recsys.trends.files import restore
from recsys.trends.state import PER_ARTICLE, PER_SLOT, USED
from recsys.workspace import exclusive, fsync_tree, load_npy, read_json, save_npy, write_json

Array = npt.NDArray[Any]

EVERY_SECONDS = 60.0
WORTH_EVENTS = 20_000  # applied since the last one: about a second of a start
WORTH_ARTICLES = 50  # the same, each of which is to be encoded
_FACTS, _ARTICLES = "checkpoint.json", "articles.jsonl"
_BY_ARTICLE = ("input_embeddings", "output_embeddings", "pair_counts", "content", "vectors")
_FORMAT = 5

log: structlog.stdlib.BoundLogger = structlog.get_logger("web")


@dataclass(frozen=True)
class LiveCheckpoint:
    """A state as it was saved.

    Attributes:
        folder: of its files.
        through: the last event (seq) that it contains.
        changed: number of the last change of an article that it contains.
    """

    folder: Path
    through: int
    changed: int

    def over(self, artefacts: ReleaseArtefacts) -> ReleaseArtefacts:
        """A release's artefacts with the counts and vectors of the checkpoint in place of its own.

        Raises:
            CorruptArtefact: the files contradict each other.
            StaleArtefact: it was counted with other settings.
        """
        facts = read_json(self.folder / _FACTS)
        arrays = {name: load_npy(self.folder / f"trends_{name}.npy") for name in facts["trends"]}
        items = restored({name: load_npy(self.folder / f"items_{name}.npy") for name in facts["items"]})
        vectors = load_npy(self.folder / "article_vectors.npy")
        trends = artefacts.trends
        values = tuple(dict(zip(names, range(1, len(names) + 1), strict=True)) for names in facts["values"])
        return replace(
            artefacts,
            items=items,
            index=Index.build(items.vectors),
            article_vectors=np.concatenate([artefacts.article_vectors, vectors]),
            idf_vectors=np.concatenate([artefacts.idf_vectors, load_npy(self.folder / "idf_vectors.npy")]),
            trends=restore(arrays, trends.config, values, trends.visits.gap_ms // 60_000),
            through=self.through,
        )

    def bring_back(self, state: SharedState) -> None:
        """Put the articles that are newer than the release into a state that was laid out ``over`` the artefacts."""
        facts = read_json(self.folder / _FACTS)
        decisions = [StoryDecision.of(values) for values in facts.get("story_decisions", ())]
        state.decide_stories(decisions, [StoryName(*values) for values in facts.get("story_names", ())])
        with (self.folder / _ARTICLES).open(encoding="utf-8") as lines:
            for line in lines:
                article_id, leader, story, card = json.loads(line)
                article = unpacked(json.dumps(card).encode()).article
                state.place_again(PreparedArticle(article_id, article, leader, None, story))
                if state.is_late(article_id):  # for those that come after it
                    state.snapshot.stories.join(
                        article_id, article.title, article.summary, article.published_at, leader
                    )
        shown = load_npy(self.folder / "shown.npy")
        with state.catalogue.changing():
            state.catalogue.columns.shown[: len(shown)] = shown
            state.catalogue.columns.stories.take_over(load_npy(self.folder / "stories.npy"))
        for article_id, signature in zip(facts["leaders"], load_npy(self.folder / "signatures.npy"), strict=True):
            state.snapshot.leaders.add(article_id, signature)
        state.catalogue.decide(map(Decision.of, facts.get("decisions", ())))
        state.changed = state.taken_down = self.changed


class LiveCheckpoints:
    """The checkpoints of one site.

    Args:
        root: their folder.
        timer: seconds of a clock that nobody sets.
    """

    def __init__(self, root: Path, timer: Callable[[], float] = time.monotonic) -> None:
        self._root, self._timer = root, timer
        self._looked_at = timer()

    def newest(self, release: str | None) -> LiveCheckpoint | None:
        """The newest checkpoint over a release that can be read; None without any."""
        named = sorted(self._root.glob(f"{release}-*/{_FACTS}"), key=lambda file: _through(file.parent), reverse=True)
        for file in named if release else ():
            try:
                facts = read_json(file)
                if (facts["format"], facts["code"]) == (_FORMAT, __version__):
                    return LiveCheckpoint(file.parent, int(facts["through"]), int(facts["changed"]))
            except (CorruptArtefact, OSError, KeyError, TypeError, ValueError) as error:
                log.warning("checkpoint set aside", folder=str(file.parent), error=str(error))
        return None

    def due(self, state: SharedState) -> bool:
        """True when a state has moved on enough since the last checkpoint, and some time has passed."""
        if self._timer() - self._looked_at < EVERY_SECONDS:
            return False
        self._looked_at = self._timer()
        return self.worth(state)

    def worth(self, state: SharedState) -> bool:
        """True when a state has moved on enough since the last checkpoint, or since its release."""
        if state.release is None:
            return False
        last = self.newest(state.release)
        through, changed = (last.through, last.changed) if last else (state.started_through, state.started_changed)
        return state.through - through >= WORTH_EVENTS or state.changed - changed >= WORTH_ARTICLES

    def write(self, state: SharedState, turn: AbstractContextManager[Any]) -> None:
        """Write a state; another worker that does so already does it for this one.

        Args:
            state: the state.
            turn: while it is held, nobody moves the state.

        Raises:
            OSError: the disk is full.
        """
        self._root.mkdir(parents=True, exist_ok=True)
        with suppress(Busy), exclusive(self._root / ".lock", "writing a checkpoint"):
            for left in self._root.glob(".tmp-*"):
                shutil.rmtree(left, ignore_errors=True)
            fresh = self._root / f".tmp-{state.release}"
            fresh.mkdir()
            with turn:
                name = f"{state.release}-{state.through}"
                _write(fresh, state)
            fsync_tree(fresh)
            shutil.rmtree(self._root / name, ignore_errors=True)
            fresh.rename(self._root / name)
            for old in self._root.glob("[0-9]*-*"):
                if old.name != name:
                    shutil.rmtree(old, ignore_errors=True)


def _through(folder: Path) -> int:
    number = folder.name.rpartition("-")[2]
    return int(number) if number.isdecimal() else -1


def _write(folder: Path, state: SharedState) -> None:
    catalogue, trends = state.catalogue, state.recommender.trends
    rows = len(catalogue.ids)
    counts = trends.state._asdict()
    counted = [name for name in counts if name not in ("category", "published")]
    used = int(trends.state.room[USED])
    for name in counted:
        size = rows if name in PER_ARTICLE else used if name in PER_SLOT else None
        save_npy(folder / f"trends_{name}.npy", counts[name][:size])
    learned = snapshot(state.items)
    for name, array in learned.items():
        save_npy(folder / f"items_{name}.npy", array[:rows] if name in _BY_ARTICLE else array)
    save_npy(folder / "article_vectors.npy", state.article_vectors[state.released_rows : rows])
    save_npy(folder / "idf_vectors.npy", state.idf_vectors[state.released_rows : rows])
    save_npy(folder / "shown.npy", catalogue.columns.shown[:rows])
    save_npy(folder / "stories.npy", catalogue.columns.stories.labels[:rows])
    leaders, signatures = state.snapshot.leaders.later()
    save_npy(folder / "signatures.npy", signatures)
    with (folder / _ARTICLES).open("w", encoding="utf-8") as lines:
        for row, card in sorted(catalogue.articles.late().items()):
            leader, story = (
                catalogue.ids[groups.leader_of(row)] for groups in (catalogue.columns.copies, catalogue.columns.stories)
            )
            lines.write(json.dumps([catalogue.ids[row], leader, story, json.loads(card)]) + "\n")
    write_json(
        folder / _FACTS,
        {
            "format": _FORMAT,
            "code": __version__,
            "release": state.release,
            "through": state.through,
            "changed": min(state.changed, state.taken_down),
            "values": [list(values) for values in trends.values],
            "trends": counted,
            "items": list(learned),
            "leaders": leaders,
            "decisions": catalogue.decisions,
            "story_decisions": state.later_decisions,
            "story_names": list(catalogue.columns.stories.names.values()),
        },
    )
