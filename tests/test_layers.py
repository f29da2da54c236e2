"""The map in ``recsys/__init__.py`` is the truth: every import points upstream, and every file has a listed room."""

import ast
import re
import runpy
from collections.abc import Iterator
from pathlib import Path

import pytest

import recsys

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("recsys", "jobs", "web")
DYNAMIC = {  # files that load a module when it is needed and not before
    "jobs/stages.py",  # a stage, when it is called: --help does not wait for torch
    "web/__main__.py",  # the settings, while the process that forks the workers loads the same beside it
    "web/process/forking.py",  # the worker that its command line names, whose failure it tells
    "recsys/parallel/task.py",  # the function that another process is to apply, by its name
    "recsys/tokens/segmenter.py",  # Chinese words, with the first Chinese text: their dictionary takes 33 MiB
    "recsys/articles/sentences.py",  # a pre-trained encoder, where a site has chosen one
    "recsys/classifiers/calibrated.py",  # networks, with the first of them: a service without them loads no torch
    "web/console/openid.py",  # OpenID Connect, where it is set: without it a worker is 17 MiB less
}


def rooms(docstring: str) -> list[str]:
    """Room names in the order in which the map lists them."""
    return re.findall(r"^ {4}([a-z_]+) {2,}\S", docstring, re.MULTILINE)


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield from (f"{module}.{alias.name}" for alias in node.names)


def hidden_imports(tree: ast.AST) -> Iterator[int]:
    """Lines of imports inside functions, and of calls that import by name."""
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            for node in ast.walk(function):
                if isinstance(node, ast.Import | ast.ImportFrom):
                    yield node.lineno
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called in ("__import__", "import_module", "importlib.import_module"):
                yield node.lineno


def complaints(root: Path, docstring: str) -> list[str]:
    """Everything that breaks the rule in a source tree."""
    order = rooms(docstring)
    found: list[str] = []
    for package in PACKAGES:
        for file in sorted((root / package).rglob("*.py")):
            found += [f"{file.relative_to(root)}: {text}" for text in file_complaints(root, file, order)]
    return found


def file_complaints(root: Path, file: Path, order: list[str]) -> Iterator[str]:
    parts = file.relative_to(root).with_suffix("").parts
    tree = ast.parse(file.read_text(encoding="utf-8"))
    if file.relative_to(root).as_posix() not in DYNAMIC:
        for line in hidden_imports(tree):
            yield f"line {line}: an import hidden in a function"
    room = parts[1] if parts[0] == "recsys" and len(parts) > 1 and parts[1] != "__init__" else None
    if room is not None and room not in order:
        yield f"the room {room!r} is not listed in recsys/__init__.py"
        return
    for name in imported(tree):
        yield from arrow_complaints(parts[0], room, name, order)


def arrow_complaints(package: str, room: str | None, name: str, order: list[str]) -> Iterator[str]:
    if name.startswith("."):
        yield f"a relative import {name!r}"
    top, _, rest = name.partition(".")
    target = rest.split(".")[0]
    if (package, top) in {("web", "jobs"), ("jobs", "web"), ("recsys", "jobs"), ("recsys", "web")}:
        yield f"{package} → {top} ({name})"
    if package == "recsys" and top in ("flask", "apiflask", "typer", "rich"):
        yield f"recsys knows no Flask and no command line ({name})"
    inside = package == "recsys" and top == "recsys" and target in order
    if inside and room is not None and order.index(target) > order.index(room):
        yield f"{room} → {target} points downstream"
    if inside and room is None:
        yield f"the map itself imports {target}"


def tree_with(tmp_path: Path, file: str, source: str) -> list[str]:
    path = tmp_path / file
    path.parent.mkdir(parents=True)
    path.write_text(source, encoding="utf-8")
    return complaints(tmp_path, recsys.__doc__ or "")


def test_every_import_points_upstream() -> None:
    assert complaints(ROOT, recsys.__doc__ or "") == []


def room_exists(room: str) -> bool:
    return (ROOT / "recsys" / f"{room}.py").is_file() or (ROOT / "recsys" / room / "__init__.py").is_file()


def test_every_listed_room_exists() -> None:
    order = rooms(recsys.__doc__ or "")
    there = [room for room in order if room_exists(room)]
    assert len(order) >= 24
    assert there == order


@pytest.mark.parametrize(
    ("file", "source", "complaint"),
    [
        ("recsys/words.py", "from recsys.items import ItemsConfig\n", "words → items points downstream"),
        ("recsys/words.py", "import recsys.ctr.model\n", "words → ctr points downstream"),
        ("recsys/words.py", "def f():\n    import json\n", "hidden in a function"),
        ("recsys/words.py", "import importlib\nimportlib.import_module('recsys.items')\n", "hidden in a function"),
        ("recsys/words.py", "from .items import ItemsConfig\n", "relative import"),
        ("web/api/handlers.py", "from jobs.runner import Job\n", "web → jobs"),
        ("jobs/items.py", "import web\n", "jobs → web"),
        ("recsys/words.py", "from flask import Flask\n", "no Flask"),
        ("recsys/attic.py", "X = 1\n", "'attic' is not listed"),
    ],
)
def test_a_broken_rule_is_seen(tmp_path: Path, file: str, source: str, complaint: str) -> None:
    assert any(complaint in text for text in tree_with(tmp_path, file, source))


def test_an_upstream_import_is_fine(tmp_path: Path) -> None:
    assert tree_with(tmp_path, "recsys/items.py", "from recsys.words import WordsConfig\n") == []


def test_the_picture_of_the_wings_is_drawn_from_the_map() -> None:
    script = runpy.run_path(str(ROOT / "docs" / "pictures" / "wings.py"))
    assert script["PICTURE"].read_text(encoding="utf-8") == script["picture"](recsys.__doc__ or "")
    assert [room for rooms_of in script["wings"](recsys.__doc__ or "").values() for room in rooms_of] == rooms(
        recsys.__doc__ or ""
    )
