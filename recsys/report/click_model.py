"""The page of the click model: how it learned, whether its probabilities are true, what it needs, whom it serves well.

Reads ``training.json`` and ``judged.json`` of the stage ctr, and the latter of the previous release; produces a page.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from recsys.metrics import auc_error
from recsys.report.page import Block, Cell, Change, Page, Part, Picture, Table
from recsys.report.plots import curves, deviations, reliability
from recsys.workspace import read_json

Judged = Mapping[str, Any]
Compared = tuple[float | int | None, float | None]  # a figure and its standard error

GUESS = 0.5  # AUC of a guess
CHANCE = math.sqrt(2 / math.pi)  # mean distance of a normal variable from its mean, in standard deviations
COLD = "cold readers"  # of whom no click is known
FIGURES = {"auc": "AUC", "log_loss": "log loss", "calibration_error": "calibration error"}
COUNTS = {"impressions": "lists", "rows": "cards", "clicks": "clicked"}
MEANINGS = {
    "ids": "ids are the identities of article and category",
    "context": "context is who reads, where, when and on what",
    "history": "history is the list of the reader's last clicks",
}


@dataclass(frozen=True)
class Previous:
    """The release before this one: its name, and what was found of its click model; None where nothing was."""

    release: str
    judged: Judged | None


def click_model_page(folder: Path, simulated: bool, previous: Previous | None) -> Page:
    """Gather the page.

    Args:
        folder: the stage's folder; without ``judged.json`` the model was not judged, or there is none.
        simulated: whether the readers are.
        previous: the release before this one, when there is one.
    """
    training = read_json(folder / "training.json")
    file = folder / "judged.json"
    judged: Judged = read_json(file) if file.is_file() else {}
    found = _parts(judged, simulated) if judged.get("rows") else [_unjudged(judged)]
    parts = [found[0], _learning(training), *found[1:], _beside(judged, previous)]
    lead = "How it learned, whether its probabilities are true, what it needs, and whom it serves well."
    return Page("click_model", "Click model", lead, parts)


def _parts(judged: Judged, simulated: bool) -> list[Part]:
    return [_figures(judged, simulated), _reliability(judged), _importance(judged), _spans(judged)]


def _unjudged(judged: Judged) -> Part:
    why = "No list was held out, so there is nothing to judge it on." if judged else "No click model was judged."
    return Part("On the lists held out", why)


def _learning(training: Judged) -> Part:
    epochs = training["epochs"]
    if not epochs:
        return Part("Learning", "There was no click to learn one from; lists are ranked by similarity.")
    losses = {"fit": _series(epochs, "fit_loss"), "validation": _series(epochs, "validation_loss")}
    areas = {"validation": _series(epochs, "validation_auc")}
    rates = _series(epochs, "learning_rate")
    drops = [(e + 2, after) for e, (rate, after) in enumerate(pairwise(rates)) if after < rate / 2]
    kept = training["best_epoch"]
    shown: list[Block] = []
    for caption, label, lines in (("Loss by epoch", "loss", losses), ("AUC by epoch, mean over lists", "AUC", areas)):
        known = {name: values for name, values in lines.items() if not all(map(math.isnan, values))}
        if known:
            shown.append(Picture(caption, curves(known, "epoch", label, kept, drops)))
    note = f"{len(epochs)} epochs; the weights after epoch {kept} were kept."
    note += " Validation lists are later than the ones learned from."
    if drops:
        note += " Dashed: where nothing got better any more and the learning rate was lowered."
    return Part("Learning", note, shown)


def _series(epochs: Sequence[Judged], name: str) -> list[float]:
    """A value per epoch; NaN where it is not known."""
    values = (one.get(name) for one in epochs)
    return [float("nan") if value is None else float(value) for value in values]


def _figures(judged: Judged, simulated: bool) -> Part:
    rate = judged["clicks"] / judged["rows"]
    left = CHANCE * sum(
        math.sqrt(one["rows"] * one["observed"] * (1 - one["observed"])) for one in judged["reliability"]
    )
    rows: list[list[Cell]] = [
        ["AUC, over all cards", judged["auc"], GUESS, "a guess"],
        ["log loss", judged["log_loss"], _entropy(rate), "always saying the share that was clicked"],
        [
            "calibration error",
            judged["calibration_error"],
            left / judged["rows"],
            "what chance leaves of true probabilities",
        ],
    ]
    note = (
        f"{judged['rows']:,} cards of {judged['impressions']:,} lists, all later than what the model learned from;"
        f" {judged['clicks']:,} ({rate:.1%}) were clicked."
    )
    if simulated:
        note += " These are simulated readers."
    return Part("On the lists held out", note, [Table(["figure", "click model", "compare", "with"], rows)])


def _entropy(rate: float) -> float:
    """Log loss of always saying the rate."""
    return -sum(p * math.log(p) for p in (rate, 1 - rate) if p > 0)


def _reliability(judged: Judged) -> Part:
    bins = [(one["predicted"], one["observed"]) for one in judged["reliability"]]
    most = 1.08 * max(max(one) for one in bins) or 1.0
    caption = (
        f"Calibration error (ECE) {judged['calibration_error']:.3f}: the mean distance from the diagonal, over at most"
        " 15 bins of as many cards each"
    )
    drawn = reliability({"click model": bins}, "click model", "probability said", "share clicked", min(most, 1.0))
    note = "Of the cards with a given probability, the share that was clicked: on the diagonal it means what it says."
    return Part("Reliability", note, [Picture(caption, drawn)])


def _importance(judged: Judged) -> Part:
    if not judged["importance"]:
        return Part("What it needs", "Without both clicked and unclicked cards there is no AUC to lose.")
    found = {one["group"]: one for one in judged["importance"]}
    used = {group: one for group, one in found.items() if one["auc_lost"] or one["spread"]}
    meanings = [meaning for group, meaning in MEANINGS.items() if group in found]
    caption = "AUC lost when a group's features are those of another card" + "".join(f"; {one}" for one in meanings)
    note = (
        "What the model loses when it is told another card's values. Groups that say the same stand in for each other,"
        " so that a small loss does not mean that a group is worthless. The thin lines show how much shuffles differ."
    )
    if unused := sorted(set(found) - set(used)):
        note += f" Nothing at all changes without {', '.join(unused)}."
    if not used:
        return Part("What it needs", note)
    lost = {group: one["auc_lost"] for group, one in used.items()}
    drawn = deviations(lost, [one["spread"] for one in used.values()], "AUC lost", highlight=next(iter(lost)))
    return Part("What it needs", note, [Picture(caption, drawn)])


def _spans(judged: Judged) -> Part:
    tables = {
        "AUC by the time since an article was first shown (in brackets: cards)": _ages(judged),
        "AUC by the clicks that are known of the reader (in brackets: cards)": _histories(judged),
    }
    ends = [_auc(one) + side * _error(one) for table in tables.values() for one in table.values() for side in (-1, 1)]
    span = (min([GUESS, *ends]), max([GUESS, *ends]))
    shown = [_by(caption, table, span) for caption, table in tables.items() if table]
    if not shown:
        return Part("By age and by history", "The features hold no age and no history.")
    note = "Is it good for what is new, and for who is new? The thin lines are one standard error to both sides."
    return Part("By age and by history", note, shown)


def _by(caption: str, table: Mapping[str, Judged], span: tuple[float, float]) -> Picture:
    named = {f"{name} ({one['rows']:,})": one for name, one in table.items()}
    values = {name: _auc(one) for name, one in named.items()}
    errors = [_error(one) for one in named.values()]
    cold = f"{COLD} ({table[COLD]['rows']:,})" if COLD in table else ""
    return Picture(caption, deviations(values, errors, "AUC (bars begin at 0.5, a guess)", GUESS, span, cold))


def _auc(one: Judged) -> float:
    return float("nan") if one["auc"] is None else float(one["auc"])


def _error(one: Judged) -> float:
    return auc_error(_auc(one), one["clicks"], one["rows"] - one["clicks"])


def _ages(judged: Judged) -> dict[str, Judged]:
    return {_age(one["from_hours"], one["to_hours"]): one for one in judged["by_age"]}


def _age(low: float | None, high: float | None) -> str:
    """A span of hours in words."""
    if low is None:
        return "age unknown"
    if high is None:
        return f"over {low / 24:g} days old"
    if low == 0:
        return f"under {high:g} h old"
    return f"{low:g}–{high:g} h old" if high <= 24 else f"{low / 24:g}–{high / 24:g} days old"


def _histories(judged: Judged) -> dict[str, Judged]:
    return {_clicks(one["from_clicks"], one["to_clicks"]): one for one in judged["by_history"]}


def _clicks(low: int, high: int | None) -> str:
    """A span of clicks in words."""
    if high is None:
        return f"{low} clicks or more"
    return COLD if high == 1 else f"{low}–{high - 1} clicks"


def _beside(judged: Judged, previous: Previous | None) -> Part:
    heading = "Beside the previous release"
    if not judged.get("rows"):
        return Part(heading, "The click model of this release was not judged, so there is nothing to compare.")
    if previous is None:
        return Part(heading, "There is no previous release to compare with.")
    if not previous.judged or not previous.judged.get("rows"):
        return Part(heading, f"The previous release, {previous.release}, holds no judgement of its click model.")
    now, before = _comparable(judged), _comparable(previous.judged)
    rows: list[list[Cell]] = [[name, *_compared(name, now[name], before[name])] for name in now if name in before]
    note = (
        f"The previous release is {previous.release}. Each was judged on the last lists of its own log, and on other"
        " days other news is read: a difference no larger than chance makes it says little."
    )
    caption = "By chance: one standard error of the difference, where the two were judged on different lists"
    head = ["figure", "this release", "previous", "difference", "by chance"]
    return Part(heading, note, [Table(head, rows, caption=caption)])


def _comparable(judged: Judged) -> dict[str, Compared]:
    """What both releases were measured by, in the order of the table, each with its standard error."""
    found: dict[str, Compared] = {name: (judged[key], None) for key, name in FIGURES.items()}
    for name, one in {"AUC": judged, **_ages(judged), **_histories(judged)}.items():
        error = _error(one)
        found[name if name == "AUC" else f"AUC, {name}"] = one["auc"], None if math.isnan(error) else error
    return found | {name: (judged[key], None) for key, name in COUNTS.items()}


def _compared(name: str, now: Compared, before: Compared) -> list[Cell]:
    if now[0] is None or before[0] is None:
        return [now[0], before[0], None, None]
    change = now[0] - before[0]
    better = None if name in COUNTS.values() else (change > 0) == name.startswith("AUC")
    chance = None if now[1] is None or before[1] is None else math.hypot(now[1], before[1])
    return [now[0], before[0], Change(change, better), chance]
