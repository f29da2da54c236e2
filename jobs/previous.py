"""Previous artefacts: those that a training goes on from, and the figures that a report compares with.

The live release comes first, because its vectors are the ones that are served; the workspace's own stand in where
nothing was published. Neither is an input of a stage: it decides where training begins, not whether there is any.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from jobs.runner import Job
from recsys.errors import ArtefactError, MissingArtefact
from recsys.events.personal import last_forgotten
from recsys.releases import Releases
from recsys.workspace import read_json, sha256_of

T = TypeVar("T")
EVALUATION = "judged.json"  # of a click model, in the folder of its stage


def last_artefact(job: Job, stage: str, what: str, load: Callable[[Path], T]) -> tuple[T, Path] | None:
    """The last artefact of a stage and its folder; the log says why one cannot be used.

    Args:
        job: the stage that takes it over.
        stage: whose artefact.
        what: its name for the log.
        load: from a folder; raises a ``MissingArtefact`` where it is not there, an ``ArtefactError`` where it cannot
            be used.

    Returns:
        None without one to go on from.
    """
    sources: list[Callable[[], Path]] = [lambda: job.context.releases.open().path(stage), lambda: job.path(stage)]
    problems = []
    for source in sources:
        try:
            folder = source()
            artefact = load(folder)
        except (MissingArtefact, FileNotFoundError):
            continue
        except ArtefactError as error:
            problems.append(str(error))
            continue
        return artefact, folder
    if problems:
        job.log.warning(f"last {what} that cannot be used", problem=problems[0])
    return None


def knows_forgotten(job: Job, folder: Path) -> bool:
    """True where what stands in the folder of a last stage was learned from a reader who was forgotten since."""
    work = job.context.workspace.root
    since = 0 if work in folder.parents else last_forgotten(folder.parent / "events")
    return since < last_forgotten(work / "events")


def previous_evaluation(releases: Releases, evaluation: Path) -> tuple[str, dict[str, Any] | None] | None:
    """The release that the next one is compared with: the live one, or the nearest before it with another evaluation.

    A live release with this very evaluation was made from this very model: comparing with it would tell nothing, and a
    report drawn again would differ from the first.

    Args:
        releases: all of them.
        evaluation: of the click model that stands in the workspace, if there is one.

    Returns:
        Its name, and its evaluation where it holds one with the bytes that were published; None without such a release.
    """
    now = sha256_of(evaluation) if evaluation.is_file() else ""
    name, kept = releases.current(), releases.names()
    while name in kept:
        manifest = releases.manifest(name)
        file = manifest["files"].get(f"ctr/{EVALUATION}", {"sha256": ""})
        if file["sha256"] != now:
            path = releases.root / name / "ctr" / EVALUATION
            whole = path.is_file() and sha256_of(path) == file["sha256"]
            return name, read_json(path) if whole else None
        name = manifest["parent"]
    return None
