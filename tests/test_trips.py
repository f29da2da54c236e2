"""The trips of a call through files: counted on files small enough to count by hand."""

import importlib.util
from collections import Counter
from pathlib import Path
from types import ModuleType

from benchmarks.trips import Trip, files_in, traced

LEAF = "def leaf(): return 1\ndef twice(): return leaf() + leaf()\n"
CALLER = (
    "def run(leaf, call): return [leaf.twice(), call(leaf.leaf)]\n"
    "def outside(leaf, call): return leaf.leaf(), run(leaf, call)\n"
)


def module(file: Path, source: str) -> ModuleType:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(source, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def test_a_move_is_a_call_from_another_file_even_through_a_library(tmp_path: Path) -> None:
    leaf, caller = module(tmp_path / "recsys/a/leaf.py", LEAF), module(tmp_path / "recsys/caller.py", CALLER)
    library = module(tmp_path / "library/call.py", "def call(f): return f()\n")
    trip = Trip(("recsys",), root=tmp_path)
    with traced(trip):
        caller.run(leaf, library.call)
    assert trip.files == Counter({"recsys/a/leaf.py": 4, "recsys/caller.py": 1})
    assert trip.moves == Counter({("recsys/caller.py", "recsys/a/leaf.py"): 2})
    assert (files_in(trip, "a"), files_in(trip, "caller"), files_in(trip, "b")) == (1, 1, 0)


def test_only_calls_within_the_followed_function_count(tmp_path: Path) -> None:
    leaf, caller = module(tmp_path / "recsys/leaf.py", LEAF), module(tmp_path / "recsys/caller.py", CALLER)
    library = module(tmp_path / "library/call.py", "def call(f): return f()\n")
    trip = Trip(("recsys",), within=(str(tmp_path / "recsys/caller.py"), "run"), root=tmp_path)
    with traced(trip):
        caller.outside(leaf, library.call)
        leaf.leaf()
    assert trip.files == Counter({"recsys/leaf.py": 4, "recsys/caller.py": 1})
