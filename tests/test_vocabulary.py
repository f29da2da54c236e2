"""One vocabulary: a class name stands once, a constant has one value, and a docstring begins with what a thing is."""

import ast
import functools
import inspect
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from recsys import errors

ROOT = Path(__file__).resolve().parents[1]
QUESTION_WORDS = ("what", "how", "which", "whether", "why", "where", "when", "who", "whom", "whose")
Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


@functools.cache
def parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def modules(*packages: str) -> Iterator[tuple[str, ast.Module]]:
    for package in packages:
        for file in sorted((ROOT / package).rglob("*.py")):
            yield file.relative_to(ROOT).as_posix(), parsed(file)


def repeated_classes(trees: list[tuple[str, ast.Module]]) -> list[str]:
    """Public classes that stand in more than one file."""
    places = defaultdict(list)
    for file, tree in trees:
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(file)
    return [f"{name}: {', '.join(files)}" for name, files in sorted(places.items()) if len(files) > 1]


def literal(node: ast.expr) -> str:
    """The value of an expression of literals, or its source."""
    try:
        return repr(ast.literal_eval(node))
    except ValueError:
        try:
            return repr(eval(compile(ast.Expression(node), "", "eval"), {"__builtins__": {}}))
        except Exception:
            return ast.unparse(node)


def constants_with_two_values(trees: list[tuple[str, ast.Module]]) -> list[str]:
    """Public upper-case names of modules to which different values, or the same value twice, are given."""
    values = defaultdict(list)
    for file, tree in trees:
        for node in tree.body:
            if isinstance(node, ast.Assign):
                targets, value = node.targets, node.value
            elif isinstance(node, ast.AnnAssign) and node.value is not None:
                targets, value = [node.target], node.value
            else:
                continue
            for target in targets:
                if isinstance(target, ast.Name) and target.id.isupper() and not target.id.startswith("_"):
                    values[target.id].append((literal(value), file))
    return [
        f"{name}: {', '.join(f'{value} in {file}' for value, file in given)}"
        for name, given in sorted(values.items())
        if len({value for value, _ in given}) > 1
    ]


def questions(trees: list[tuple[str, ast.Module]]) -> list[str]:
    """Docstrings that begin with a question word instead of with the thing's name."""
    return [
        f"{file}:{getattr(node, 'lineno', 1)}: {text.splitlines()[0]}"
        for file, tree in trees
        for node in ast.walk(tree)
        if isinstance(node, Documented)
        and (text := ast.get_docstring(node))
        and text.split()[0].strip(",.:").lower() in QUESTION_WORDS
    ]


def test_a_public_class_name_stands_once() -> None:
    assert repeated_classes(list(modules("recsys"))) == []


def test_a_constant_has_one_value() -> None:
    assert constants_with_two_values(list(modules("recsys"))) == []


def test_no_docstring_begins_with_a_question_word() -> None:
    assert questions(list(modules("recsys", "jobs", "web", "benchmarks"))) == []


def test_the_error_tree_in_words_is_the_error_tree_in_code() -> None:
    def lines(kind: type, depth: int) -> Iterator[tuple[int, str]]:
        yield depth, kind.__name__
        children: list[type] = kind.__subclasses__()
        for child in children:
            yield from lines(child, depth + 1)

    drawn = []
    for line in (inspect.getdoc(errors) or "").splitlines():
        name = line.lstrip(" │├└─").split(" ")[0]
        if hasattr(errors, name):
            drawn.append(((len(line) - len(line.lstrip(" │├└─"))) // 4 - 1, name))
    assert drawn == list(lines(errors.RecsysError, 0))


@pytest.mark.parametrize(
    ("source", "complaints"),
    [
        ("class Batch: ...", (["Batch: a.py, b.py"], [], [])),
        ("NONE = -1", ([], [], [])),
        ("def f():\n    '''What is f.'''", ([], [], ["a.py:1: What is f.", "b.py:1: What is f."])),
    ],
)
def test_a_broken_rule_is_found(source: str, complaints: tuple[list[str], list[str], list[str]]) -> None:
    trees = [("a.py", ast.parse(source)), ("b.py", ast.parse(source))]
    assert (repeated_classes(trees), constants_with_two_values(trees), questions(trees)) == complaints


def test_two_values_of_a_constant_are_found() -> None:
    trees = [("a.py", ast.parse("NONE = -1")), ("b.py", ast.parse("NONE = 0"))]
    assert constants_with_two_values(trees) == ["NONE: -1 in a.py, 0 in b.py"]
