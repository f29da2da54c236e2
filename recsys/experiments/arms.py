"""Arms of an experiment: settings of lists that differ from the site's own, checked before a reader sees them.

Reads the section ``recommend`` and what an arm changes in it; produces an experiment that can be stored, and a section
for each arm. Only a canary's arm is a release, which a process of its own serves (docs/releases.md).
"""

import re
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from recsys.errors import InputError
from recsys.recommend.config import RecommendConfig
from recsys.store import ExperimentArm, StoredExperiment
from recsys.units import MINUTE_MS

ARM_SETTINGS = (
    "covisits",
    "fresh",
    "max_per_category",
    "outcome_weights",
    "trending",
)  # that decide a list and nothing that is shared
MAX_ARMS = 8
MAX_WINDOW_DAYS = 28
MOST_CANARY_SHARE = 0.5  # of the readers
VISIT_MS = 30 * MINUTE_MS  # from a reader's first list of a canary on, in which their clicks count: a visit
LEAST_ARM_SHARE = 0.01  # of the readers: below, no difference is ever seen
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


def checked_experiment(
    site: str,
    name: str,
    arms: Sequence[Mapping[str, Any]],
    base: RecommendConfig,
    *,
    window_days: int,
    by: str,
    now: int,
) -> StoredExperiment:
    """An experiment that begins now, with a salt of its own.

    Args:
        site: id.
        name: letters, digits, ``_``, ``.`` and ``-``.
        arms: each with ``name``, ``share`` and ``settings``; the first one is the control and changes nothing.
        base: the site's own section.
        window_days: over which a reader's outcome is taken, see ``StoredExperiment``.
        by: who begins it.
        now: ms.

    Raises:
        InputError: something of it cannot be.
    """
    if _NAME.fullmatch(name) is None:
        raise InputError("a name of letters, digits, _, . and -", f"{name!r:.80}", "Take another.")
    if not 1 <= window_days <= MAX_WINDOW_DAYS:
        raise InputError(f"a window of 1 to {MAX_WINDOW_DAYS} days", f"{window_days}", "Correct it.")
    made = tuple(ExperimentArm(str(arm["name"]), float(arm["share"]), dict(arm.get("settings") or {})) for arm in arms)
    names = {arm.name for arm in made}
    if not 2 <= len(made) <= MAX_ARMS or len(names) < len(made) or not all(map(_NAME.fullmatch, names)):
        raise InputError(
            f"2 to {MAX_ARMS} arms of different names", f"{[arm.name for arm in made]!r:.200}", "Correct it."
        )
    shares = [arm.share for arm in made]
    if not all(LEAST_ARM_SHARE <= share <= 1 for share in shares) or sum(shares) > 1 + 1e-9:
        raise InputError(f"shares of at least {LEAST_ARM_SHARE:g} that sum to at most 1", f"{shares}", "Correct them.")
    if made[0].settings:
        raise InputError(
            "a control, the first arm, that changes nothing", f"{made[0].settings!r:.200}", "Put it first."
        )
    if len(made) != len({str(sorted(arm.settings.items())) for arm in made}):
        raise InputError("arms that differ", "two with the same settings", "Change a setting in one of them.")
    if any(arm.release is not None for arm in made):
        raise InputError("settings of lists in an arm", "a release", "Run: python -m jobs canary RELEASE")
    experiment = StoredExperiment(site, name, secrets.token_hex(8), made, window_days, now, by)
    arm_sections(experiment, base)
    return experiment


def canary_experiment(site: str, release: str, share: float, *, by: str, now: int) -> StoredExperiment:
    """An experiment of the live release and another one, which a share of the readers is served by.

    Args:
        site: id.
        release: the other one.
        share: of the readers.
        by: who begins it.
        now: ms.

    Raises:
        InputError: the share is not one.
    """
    if not LEAST_ARM_SHARE <= share <= MOST_CANARY_SHARE:
        raise InputError(
            f"a share of the readers of {LEAST_ARM_SHARE:g} to {MOST_CANARY_SHARE:g}", f"{share:g}", "Correct it."
        )
    arms = (ExperimentArm("live", 1 - share, {}), ExperimentArm("canary", share, {"release": release}))
    return StoredExperiment(site, f"canary-{release}-{now}", secrets.token_hex(8), arms, 1, now, by)


def arm_sections(experiment: StoredExperiment, base: RecommendConfig) -> tuple[RecommendConfig, ...]:
    """The section of each arm, by its number.

    Raises:
        InputError: an arm names a release or a setting that no arm can have, or a value that the setting cannot have.
    """
    sections = []
    for arm in experiment.arms:
        if arm.release is not None and set(arm.settings) == {"release"}:
            sections.append(base)
            continue
        if unknown := sorted(set(arm.settings) - set(ARM_SETTINGS)):
            valid, got = ", ".join(ARM_SETTINGS), f"{unknown[0]!r:.80} in the arm {arm.name!r}"
            remedy = "See docs/experiments.md; of a release: python -m jobs canary RELEASE."
            raise InputError(f"settings of lists: {valid}", got, remedy)
        try:
            sections.append(RecommendConfig.model_validate(base.model_dump() | arm.settings))
        except ValidationError as error:
            first = error.errors()[0]
            got = f"{first['loc'][0]}: {first['msg']}"
            raise InputError(
                f"values that the settings may have, in the arm {arm.name!r}", got, "Correct it."
            ) from None
    return tuple(sections)
