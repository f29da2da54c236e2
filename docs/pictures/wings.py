"""The picture of the wings, from the map in ``recsys/__init__.py``: ``python docs/pictures/wings.py`` writes it."""

import html
import re
from pathlib import Path

import recsys

PICTURE = Path(__file__).with_suffix(".svg")
WIDTH, ROW, TOP, GAP = 1120, 30, 64, 14  # pixels
WING_X, ROOMS_X = 36, 170
COLOURS = ("#5b6472", "#2f6f8f", "#3d7f5f", "#9a6b1f", "#a3472f", "#7a4a8c", "#4a5a9c", "#6d6d6d")
PASSES = {  # what one wing hands to the next ones
    "ground": "settings, times, errors",
    "data": "articles and events in time order",
    "text": "keywords, article vectors, categories, tags",
    "clicks": "item vectors, reader vectors, live counts",
    "ranking": "P(click) of any candidate, nearest neighbours",
    "serving": "lists with reasons",
    "judging": "figures and the report",
    "demo": "a newsroom to try it on",
}


def wings(docstring: str) -> dict[str, list[str]]:
    """The rooms of each wing, in the order of the map."""
    rooms: dict[str, list[str]] = {}
    for wing, room in re.findall(r"^(?: {2}([a-z]+)| {4}([a-z_]+) {2,}\S.*)$", docstring, re.MULTILINE):
        if wing:
            rooms[wing] = []
        elif rooms:
            rooms[list(rooms)[-1]].append(room)
    return rooms


def text(x: float, y: float, words: str, **style: str) -> str:
    """A line of text."""
    attributes = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in style.items())
    return f'<text x="{x:g}" y="{y:g}"{attributes}>{html.escape(words)}</text>'


def box(x: float, y: float, width: float, height: float, **style: str) -> str:
    """A rectangle."""
    attributes = "".join(f' {name}="{value}"' for name, value in style.items())
    return f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}"{attributes}/>'


def picture(docstring: str) -> str:
    """An SVG with a band for each wing, first to last, and in it its rooms."""
    rooms = wings(docstring)
    height = TOP + len(rooms) * (2 * ROW + GAP) + 34
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="system-ui, sans-serif">',
        f'<rect width="{WIDTH}" height="{height}" fill="#fcfbf8"/>',
        text(WING_X, 38, "recsys: a room imports only from rooms above it", font_size="18", font_weight="600"),
    ]
    for number, (wing, names) in enumerate(rooms.items()):
        y, colour = TOP + number * (2 * ROW + GAP), COLOURS[number % len(COLOURS)]
        parts += [
            box(WING_X - 16, y, WIDTH - 40, 2 * ROW, rx="8", fill=colour, opacity=".09"),
            box(WING_X - 16, y, 5, 2 * ROW, rx="2", fill=colour),
            text(WING_X, y + 26, wing, font_size="17", font_weight="600", fill=colour),
            text(ROOMS_X, y + 50, f"gives {PASSES[wing]}", font_size="13", fill="#555"),
        ]
        x = float(ROOMS_X)
        for name in names:
            width = 8.2 * len(name) + 22
            parts += [
                box(x, y + 8, width, 25, rx="12", fill="#fff", stroke=colour),
                text(x + width / 2, y + 25, name, font_size="14", text_anchor="middle"),
            ]
            x += width + 10
    foot = "jobs/ and web/ use recsys, never each other; clicks come back through the database, never through an import"
    return "\n".join([*parts, text(WING_X, height - 14, foot, font_size="14", fill="#555"), "</svg>"]) + "\n"


if __name__ == "__main__":
    PICTURE.write_text(picture(recsys.__doc__ or ""), encoding="utf-8")
