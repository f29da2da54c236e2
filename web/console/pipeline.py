"""The page of the pipeline: the stages as one picture, when each was made, why it is out of date; one can be started.

Reads the API's stages; produces a drawing of boxes and lines whose places follow from what each stage was made from.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from flask import Blueprint, Response, request

from web.console.calls import ADMIN_API, ask, read
from web.console.pages import done, moment, page
from web.console.tables import csv_answer

STAGE_COLUMNS = ("name", "made_at", "seconds", "peak_mib", "size", "counts", "stale")
BOX_WIDTH, BOX_HEIGHT = 100, 62  # in units of the drawing
STEP_X, STEP_Y, EDGE = 117, 80, 4  # from a box to the next one; room around all

blueprint = Blueprint("pipeline", __name__)


class Box(NamedTuple):
    """A stage in the drawing: its upper left corner."""

    stage: Mapping[str, Any]
    x: int
    y: int


class Drawing(NamedTuple):
    """The picture of the stages.

    Attributes:
        width: in units of the drawing.
        height: likewise.
        boxes: one per stage.
        lines: paths of SVG, from a stage to one that was made from it; none that others imply.
    """

    width: int
    height: int
    boxes: list[Box]
    lines: list[str]


@blueprint.get("/pipeline")
def pipeline_page() -> Response:
    """The stages; as CSV with ``?format=csv``."""
    return _pipeline()


@blueprint.post("/pipeline")
def start_stage() -> Response:
    """Queue a run of one stage, or of all."""
    job = request.form.get("job", "")
    return _pipeline(**done(ask("POST", f"{ADMIN_API}/jobs", {"job": job}), "queued_done", job=job))


def drawing(stages: Sequence[Mapping[str, Any]]) -> Drawing:
    """The places of stages: columns by the longest way from the first one, rows as they come.

    Args:
        stages: in an order in which each comes after its inputs; one that was not made has none, and stands last.
    """
    inputs: dict[str, list[str]] = {stage["name"]: stage["inputs"] for stage in stages}
    column: dict[str, int] = {}
    before: dict[str, set[str]] = {}  # at whatever distance
    for name, made_from in inputs.items():
        column[name] = max((column.get(one, -1) + 1 for one in made_from), default=0)
        before[name] = set(made_from).union(*(before.get(one, ()) for one in made_from))
    last = max(column.values(), default=0)
    rows: dict[int, int] = {}
    boxes: dict[str, Box] = {}
    for stage in stages:
        place = column[stage["name"]] if stage["made_at"] is not None else last + 1
        row = rows[place] = rows.get(place, -1) + 1
        boxes[stage["name"]] = Box(stage, EDGE + place * STEP_X, EDGE + row * STEP_Y)
    lines = [
        _line(boxes[one], boxes[name])
        for name, made_from in inputs.items()
        for one in made_from
        if one in boxes and not any(one in before.get(other, ()) for other in made_from)
    ]
    columns, most = 1 + max((box.x - EDGE) // STEP_X for box in boxes.values()), 1 + max(rows.values())
    width, height = columns * STEP_X - (STEP_X - BOX_WIDTH), most * STEP_Y - (STEP_Y - BOX_HEIGHT)
    return Drawing(width + 2 * EDGE, height + 2 * EDGE, list(boxes.values()), lines)


def _line(one: Box, other: Box) -> str:
    x, y = one.x + BOX_WIDTH, one.y + BOX_HEIGHT // 2
    to_x, to_y = other.x, other.y + BOX_HEIGHT // 2
    bend = min(12, (to_x - x) // 2)
    return f"M{x} {y}H{to_x - 2 * bend}C{to_x - bend} {y} {to_x - bend} {to_y} {to_x} {to_y}"


def _pipeline(**values: Any) -> Response:
    stages = read(f"{ADMIN_API}/pipeline")["stages"]
    if request.args.get("format") == "csv":
        rows = ([_cell(stage, name) for name in STAGE_COLUMNS] for stage in stages)
        return csv_answer("pipeline", STAGE_COLUMNS, rows)
    made = any(stage["made_at"] is not None for stage in stages)
    busy = any(stage["run"] for stage in stages)
    shown = drawing(stages) if made else None
    return page("pipeline.html", stages=stages, drawing=shown, busy=busy, box=(BOX_WIDTH, BOX_HEIGHT), **values)


def _cell(stage: Mapping[str, Any], name: str) -> object:
    if name == "made_at":
        return moment(stage[name])
    if name == "counts":
        return " ".join(f"{count} {value}" for count, value in stage[name].items())
    return " ".join(reason["says"] for reason in stage[name]) if name == "stale" else stage[name]
