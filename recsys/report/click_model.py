"""The page of the click model: how it learned, whether its probabilities are true, what it needs, whom it serves well.

Reads ``training.json`` and ``judged.json`` of the stage ctr, and the latter of the previous release; produces a page.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from recsys.metrics import auc_error
from recsys.report.charts import KEPT, TRUE, curves, deviations, reliability
from recsys.report.page import Block, Cell, Change, Page, Part, Picture, Table
from recsys.workspace import read_json

Judged = Mapping[str, Any]
Figure = float | int | None

GUESS = 0.5  # AUC of a guess
NORMAL_DEVIATION = math.sqrt(2 / math.pi)  # mean distance of a normal variable from its mean, in standard deviations
COLD = "cold readers"  # of whom no click is known
COMPARED_FIGURES = {"auc": "AUC", "log_loss": "log loss", "calibration_error": "calibration error"}
COMPARED_COUNTS = {"impressions": "lists", "rows": "cards", "clicks": "clicked"}
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
    """The page of the click model.

    Args:
        folder: the stage's folder; without ``judged.json`` the model was not judged, or there is none.
        simulated: whether the readers are.
        previous: the release before this one, when there is one.
    """
    training = read_json(folder / "training.json")
    file = folder / "judged.json"
    judged: Judged = read_json(file) if file.is_file() else {}
    first, *others = _parts(judged, simulated) if judged.get("rows") else [_unjudged(judged)]
    parts = [first, _learning(training), *others, _beside(judged, previous)]
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
    kept = training["best_epoch"]
    shown: list[Block] = []
    for caption, label, lines in (("Loss by epoch", "loss", losses), ("AUC by epoch, mean over lists", "AUC", areas)):
        finite = {name: values for name, values in lines.items() if not all(map(math.isnan, values))}
        if finite:
            drawn = curves(finite, "epoch", label, kept)
            shown.append(Picture(caption, drawn, labels=("epoch", label, KEPT, *finite)))
    note = f"{len(epochs)} epochs; the weights after epoch {kept} were kept."
    note += " Validation lists are later than the ones learned from."
    return Part("Learning", note, shown)


def _series(epochs: Sequence[Judged], name: str) -> list[float]:
    """A value per epoch; NaN where it is not known."""
    values = (one.get(name) for one in epochs)
    return [float("nan") if value is None else float(value) for value in values]


def _figures(judged: Judged, simulated: bool) -> Part:
    rate = judged["clicks"] / judged["rows"]
    left = NORMAL_DEVIATION * sum(
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
    return Part(
        "On the lists held out",
        note,
        [Table(["figure", "click model", "compare", "with"], rows, said=("figure", "with"))],
    )


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
    model, said, seen = labels = ("click model", "probability said", "share clicked")
    drawn = reliability({model: bins}, model, said, seen, min(most, 1.0))
    note = "Of the cards with a given probability, the share that was clicked: on the diagonal it means what it says."
    return Part("Reliability", note, [Picture(caption, drawn, labels=(*labels, TRUE))])


def _importance(judged: Judged) -> Part:
    if not judged["importance"]:
        return Part("What it needs", "Without both clicked and unclicked cards there is no AUC to lose.")
    groups = {one["group"]: one for one in judged["importance"]}
    used = {group: one for group, one in groups.items() if one["auc_lost"] or one["spread"]}
    meanings = [meaning for group, meaning in MEANINGS.items() if group in groups]
    caption = "AUC lost when a group's features are those of another card" + "".join(f"; {one}" for one in meanings)
    note = (
        "What the model loses when it is told another card's values. Groups that say the same stand in for each other,"
        " so that a small loss does not mean that a group is worthless. The thin lines show how much shuffles differ."
    )
    if unused := sorted(set(groups) - set(used)):
        note += f" Nothing at all changes without {', '.join(unused)}."
    if not used:
        return Part("What it needs", note)
    lost = {group: one["auc_lost"] for group, one in used.items()}
    drawn = deviations(lost, [one["spread"] for one in used.values()], "AUC lost", highlight=next(iter(lost)))
    return Part("What it needs", note, [Picture(caption, drawn, labels=("AUC lost", *lost))])


def _segments(judged: Judged) -> pd.DataFrame:
    """AUC, its standard error and the number of cards: over all, by age of the article, by clicks of the reader."""
    named = [("all", "AUC", judged)]
    named += [("age", _age(one["from_hours"], one["to_hours"]), one) for one in judged["by_age"]]
    named += [("history", _clicks(one["from_clicks"], one["to_clicks"]), one) for one in judged["by_history"]]
    rows = []
    for kind, segment, one in named:
        auc = float("nan") if one["auc"] is None else float(one["auc"])
        error = auc_error(auc, one["clicks"], one["rows"] - one["clicks"])
        rows.append({"kind": kind, "segment": segment, "cards": one["rows"], "auc": auc, "error": error})
    return pd.DataFrame(rows).set_index("segment")


def _spans(judged: Judged) -> Part:
    captions = {
        "age": "AUC by the time since an article was first shown (in brackets: cards)",
        "history": "AUC by the clicks that are known of the reader (in brackets: cards)",
    }
    segments = _segments(judged)
    segments = segments[segments["kind"] != "all"]
    if segments.empty:
        return Part("By age and by history", "The features hold no age and no history.")
    low, high = segments["auc"] - segments["error"], segments["auc"] + segments["error"]
    span = (float(np.nanmin([GUESS, *low])), float(np.nanmax([GUESS, *high])))
    pictures = [_by(captions[str(kind)], rows, span) for kind, rows in segments.groupby("kind")]
    note = "Is it good for what is new, and for who is new? The thin lines are one standard error to both sides."
    return Part("By age and by history", note, pictures)


def _by(caption: str, segments: pd.DataFrame, span: tuple[float, float]) -> Picture:
    names = [f"{name} ({cards:,})" for name, cards in segments["cards"].items()]
    values = dict(zip(names, segments["auc"].tolist(), strict=True))
    cold = next((name for name in names if name.startswith(COLD)), "")
    label = "AUC (bars begin at 0.5, a guess)"
    drawn = deviations(values, segments["error"].tolist(), label, GUESS, span, cold)
    return Picture(caption, drawn, labels=(label, *names))


def _age(low: float | None, high: float | None) -> str:
    """A span of hours in words."""
    if low is None:
        return "age unknown"
    if high is None:
        return f"over {low / 24:g} days old"
    if low == 0:
        return f"under {high:g} h old"
    return f"{low:g}–{high:g} h old" if high <= 24 else f"{low / 24:g}–{high / 24:g} days old"


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
    both = _comparable(judged).join(_comparable(previous.judged).add_suffix("_before"), how="inner")
    rows = [_compared(str(name), *values) for name, *values in both.itertuples(name=None)]
    table = pd.DataFrame(rows, columns=["figure", "this release", "previous", "difference", "by chance"], dtype=object)
    note = (
        f"The previous release is {previous.release}. Each was judged on the last lists of its own log, and on other"
        " days other news is read: a difference no larger than chance makes it says little."
    )
    caption = "By chance: one standard error of the difference, where the two were judged on different lists"
    return Part(heading, note, [Table.of(table, caption=caption, said=("figure",))])


def _comparable(judged: Judged) -> pd.DataFrame:
    """The figures of a release in the order of the table, each with its standard error where it has one."""
    segments = _segments(judged)
    segments.index = pd.Index([name if name == "AUC" else f"AUC, {name}" for name in segments.index])
    figures = {name: judged[key] for key, name in COMPARED_FIGURES.items()} | segments["auc"].to_dict()
    figures |= {name: judged[key] for key, name in COMPARED_COUNTS.items()}
    frame = pd.DataFrame({"value": pd.Series(figures, dtype=object)})  # counts stay whole numbers
    return frame.assign(error=segments["error"])


def _compared(name: str, now: Figure, error: float, before: Figure, error_before: float) -> list[Cell]:
    """A row of the table: both values, their difference, and the standard error of that."""
    if now is None or before is None or math.isnan(now) or math.isnan(before):
        return [name, now, before, None, None]
    change = now - before
    better = None if name in COMPARED_COUNTS.values() else (change > 0) == name.startswith("AUC")
    chance = math.hypot(error, error_before)
    return [name, now, before, Change(change, better), chance]
