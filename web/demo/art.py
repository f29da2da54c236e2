"""A picture for an article that has none: an abstract drawing, the same every time for the same article.

Reads an article's id and category; produces SVG text. The category gives the colour (a ``tone-…`` class of
``art.css``), the id gives the drawing. Nothing of the article's own text ends up in the SVG.
"""

import hashlib
import math
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from random import Random

from markupsafe import Markup

WIDTH, HEIGHT = 320, 200
TONES = 12
STYLE = Path(__file__).parents[1] / "static" / "art.css"
KNOWN_TONES = {
    **dict.fromkeys(("cars", "autos", "汽车"), 0),
    **dict.fromkeys(("society", "社会"), 1),
    **dict.fromkeys(("business", "finance", "财经"), 2),
    **dict.fromkeys(("sports", "sport", "体育"), 4),
    **dict.fromkeys(("health", "健康"), 5),
    **dict.fromkeys(("world", "国际"), 6),
    **dict.fromkeys(("technology", "tech", "科技"), 8),
    **dict.fromkeys(("politics", "news", "政治"), 9),
    **dict.fromkeys(("entertainment", "娱乐"), 10),
}


def tone(category: str | None) -> int:
    """A category's colour: the number of a ``tone-…`` class, 0 to TONES - 1."""
    name = (category or "").lower()
    return KNOWN_TONES.get(name, hashlib.sha256(name.encode("utf-8", "replace")).digest()[0] % TONES)


def art(article_id: str, category: str | None) -> Markup:
    """Draw an article's picture.

    Returns:
        An ``<svg>`` element that fills its box, invisible to screen readers.
    """
    rng = Random(hashlib.sha256(article_id.encode("utf-8", "replace")).digest())
    draw = rng.choice(DRAWINGS)
    mood = rng.choice(("day", "night", "day"))
    return Markup(  # nosec B704
        f'<svg class="art {mood} tone-{tone(category)}" viewBox="0 0 {WIDTH} {HEIGHT}" aria-hidden="true"'
        f' preserveAspectRatio="xMidYMid slice"><path class="ground" d="M0 0h{WIDTH}v{HEIGHT}H0z"/>{draw(rng)}</svg>'
    )


@lru_cache(1 << 10)
def drawing(article_id: str, category: str | None) -> str:
    """The same picture as a file of its own: SVG text with its colours inside, light or dark as where it stands."""
    style = f":root{{color-scheme:light dark}}{STYLE.read_text(encoding='utf-8')}"
    opening, rest = art(article_id, category).split(">", 1)
    return f'{opening} xmlns="http://www.w3.org/2000/svg"><style>{style}</style>{rest}'


def _field(rng: Random) -> str:
    """Short strokes that follow a smooth flow, and a disc."""
    turn, bend, lean = rng.uniform(0, math.tau), rng.uniform(0.006, 0.014), rng.uniform(0.006, 0.014)
    strokes = []
    for y in range(10, HEIGHT, 18):
        for x in range(10, WIDTH, 18):
            angle = turn + 1.6 * math.sin(x * bend) + 1.6 * math.cos(y * lean)
            dx, dy = 13 * math.cos(angle), 13 * math.sin(angle)
            strokes.append(f"M{x - dx / 2:.0f} {y - dy / 2:.0f}l{dx:.0f} {dy:.0f}")
    disc = f'<circle class="c" cx="{rng.randint(70, 250)}" cy="{rng.randint(55, 145)}" r="{rng.randint(30, 52)}"/>'
    return f'{disc}<path class="line" d="{"".join(strokes)}"/>'


def _ridges(rng: Random) -> str:
    """Hills one behind the other under a sun."""
    parts = [f'<circle class="c" cx="{rng.randint(60, 260)}" cy="{rng.randint(45, 85)}" r="{rng.randint(20, 36)}"/>']
    for layer in range(4):
        base = 78 + layer * 32
        points = [base + rng.randint(-24, 24) for _ in range(6)]
        path = f"M-10 {points[0]}"
        for i in range(1, 6):
            path += f"S{i * 68 - 44} {points[i]} {i * 68 - 10} {points[i]}"
        parts.append(f'<path class="l{layer}" d="{path}V{HEIGHT}H-10z"/>')
    return "".join(parts)


def _rings(rng: Random) -> str:
    """Rings around a point off the centre."""
    x, y, step = rng.choice((40, 90, 230, 280)), rng.choice((30, 100, 170)), rng.randint(17, 26)
    rings = "".join(f'<circle class="ring" cx="{x}" cy="{y}" r="{step * i}"/>' for i in range(2, 15))
    other = f'<circle class="b" cx="{WIDTH - x}" cy="{HEIGHT - y}" r="{rng.randint(26, 58)}"/>'
    return f'{other}{rings}<circle class="c" cx="{x}" cy="{y}" r="{step + 4}"/>'


def _dots(rng: Random) -> str:
    """A screen of dots that swell around two points."""
    centres = [(rng.uniform(0, WIDTH), rng.uniform(0, HEIGHT), rng.uniform(55, 110)) for _ in range(2)]
    sizes: dict[int, list[str]] = {}
    for y in range(8, HEIGHT + 8, 16):
        for x in range(8, WIDTH + 8, 16):
            swell = max(math.exp(-(((x - a) ** 2 + (y - b) ** 2) / (r * r))) for a, b, r in centres)
            sizes.setdefault(2 + 2 * round(swell * 6), []).append(f"M{x} {y}h.1")
    return "".join(f'<path class="dot" stroke-width="{size}" d="{"".join(at)}"/>' for size, at in sorted(sizes.items()))


def _tiles(rng: Random) -> str:
    """Quarter discs on a grid, in three colours."""
    side, parts = 40, {"a": "", "b": "", "c": ""}
    for y in range(0, HEIGHT, side):
        for x in range(0, WIDTH, side):
            kind = rng.choices(("a", "b", "c", ""), (4, 4, 1, 3))[0]
            if kind:
                corner = rng.randrange(4)
                cx, cy = x + side * (corner in (1, 2)), y + side * (corner in (2, 3))
                sx, sy = (1 if cx == x else -1), (1 if cy == y else -1)
                sweep = 1 if sx == sy else 0
                parts[kind] += f"M{cx} {cy}h{sx * side}A{side} {side} 0 0 {sweep} {cx} {cy + sy * side}z"
    return "".join(f'<path class="{kind}" d="{path}"/>' for kind, path in parts.items())


def _bands(rng: Random) -> str:
    """Slanted bands and a half disc on the horizon."""
    slant, x, parts = rng.randint(-90, 90), -100, ""
    while x < WIDTH + 100:
        width = rng.choice((6, 10, 18, 34))
        parts += f'<path class="{rng.choice("aabl")}" d="M{x} 0h{width}l{slant} {HEIGHT}h-{width}z"/>'
        x += width + rng.choice((8, 14, 26, 44))
    cx, r = rng.randint(80, 240), rng.randint(42, 72)
    return f'{parts}<path class="c" d="M{cx - r} {HEIGHT}a{r} {r} 0 0 1 {2 * r} 0z"/>'


DRAWINGS: tuple[Callable[[Random], str], ...] = (_field, _ridges, _rings, _dots, _tiles, _bands)
