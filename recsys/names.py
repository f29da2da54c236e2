"""Valid names, and the nearest valid one to a wrong name.

Reads the sections' source and the process environment; produces the names of all settings and, of an environment
variable that sets nothing, an error that names the one that was meant. Only the standard library is used, so that
``python -m recsys.names`` runs before anything is installed.
"""

import ast
import difflib
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from recsys.errors import ConfigError

ENV_PREFIX = "RECSYS_"
ENV_NESTING = "__"
CONFIG_VARIABLE = "RECSYS_CONFIG"  # names the configuration file, and is no setting itself

REMOVED = {  # constants beside their code, or nothing any more; CHANGES.md says which
    "store.busy_timeout_ms",
    "tokens.workers",
    "categories.ensemble",
    "categories.batch_size",
    "readers.max_impressions",
    "readers.negatives",
    "readers.hidden_size",
    "trends.half_lives_hours",
    "trends.covisit_half_lives_hours",
    "trends.lift_half_life_hours",
    "trends.shelf_half_life_days",
    "trends.prior_impressions",
    "features.negatives",
    "ctr.cross_layers",
    "ctr.position_bias",
    "ctr.warmup_steps",
    "ctr.max_grad_norm",
    "ctr.early_stopping_metric",
    "ctr.lr_decays",
    "ctr.checkpoint_minutes",
    "recommend.max_category_share",
    "simulate.cards",
    "web.max_articles",
    "web.max_catch_up",
}

_PACKAGE = Path(__file__).parent
_JOINED = ("recsys.settings", "Settings")
_CERTAIN = 0.85  # similarity from which on one suggestion is enough


def nearest(name: str, valid: Iterable[str]) -> str:
    """The valid name that was most likely meant, or all of them.

    Returns:
        A sentence for the end of an error message.
    """
    names = sorted(valid)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return f"Did you mean {close[0]!r}?" if close else f"Valid names: {', '.join(names)}."


def nearest_key(key: str, valid: Iterable[str]) -> list[str]:
    """Settings that were most likely meant by a key, in whatever section they are; best first, three at most.

    Args:
        key: a wrong key such as ``items.widow`` or ``item.window``.
        valid: all keys, with their sections.
    """
    keys = sorted(valid)
    last = key.rpartition(".")[2]
    elsewhere = [name for name in keys if "." in name and name.rpartition(".")[2] == last]
    close = difflib.get_close_matches(key, elsewhere, n=3, cutoff=0) or difflib.get_close_matches(key, keys, n=1)
    certain = [name for name in close if difflib.SequenceMatcher(None, key, name).ratio() >= _CERTAIN]
    return certain[:1] or close


def remedy_for(key: str, written: Callable[[str], str] = str) -> str:
    """A sentence for the end of an error message about a key that there is not.

    Args:
        key: a wrong key, or one that there was.
        written: how a key stands where it was found: as it is, or as a variable's name.
    """
    if key in REMOVED:
        return "It is a setting no more: take it out; CHANGES.md names the constant in its place."
    meant = [repr(written(near)) for near in nearest_key(key, setting_names())]
    return f"Did you mean {' or '.join(meant)}?" if meant else "docs/settings.md lists all keys."


def setting_names() -> list[str]:
    """Every key with its section, and every section: ``items``, ``items.window``, …"""
    names: list[str] = []
    for name, section in _fields(*_JOINED).items():
        names.append(name)
        if section is not None:
            names += [f"{name}.{key}" for key in _fields(*section)]
    return names


def variable_of(key: str) -> str:
    """The environment variable that sets a key: ``items.window`` -> ``RECSYS_ITEMS__WINDOW``."""
    return ENV_PREFIX + key.replace(".", ENV_NESTING).upper()


def unknown_variable(environ: Mapping[str, str]) -> ConfigError | None:
    """An error for the first ``RECSYS_…`` variable that sets nothing, or None."""
    mine = sorted(name for name in environ if name.upper().startswith(ENV_PREFIX))
    valid = {CONFIG_VARIABLE, *map(variable_of, setting_names() if mine else [])}
    for name in mine:
        if name.upper() not in valid:
            key = name.upper().removeprefix(ENV_PREFIX).replace(ENV_NESTING, ".").lower()
            return ConfigError("only known RECSYS_… environment variables", repr(name), remedy_for(key, variable_of))
    return None


def refuse_unknown_variables() -> None:
    """End the process with the error's message and exit code if the environment holds a wrong name."""
    if error := unknown_variable(os.environ):
        print(error, file=sys.stderr)
        raise SystemExit(error.exit_code)


def _fields(module: str, name: str) -> dict[str, tuple[str, str] | None]:
    """A class's fields, from its source; each with the module and name of its class if it is a section."""
    tree = ast.parse(_source(module).read_text(encoding="utf-8"))
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    origins = {local: (module, local) for local in classes} | {
        alias.asname or alias.name: (node.module or "", alias.name)
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("recsys.")
        for alias in node.names
    }
    fields: dict[str, tuple[str, str] | None] = {}
    for base in classes[name].bases:
        if isinstance(base, ast.Name) and origins.get(base.id, ("", ""))[1] not in ("", "Section"):
            fields |= _fields(*origins[base.id])
    for node in classes[name].body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            kind = node.annotation.id if isinstance(node.annotation, ast.Name) else ""
            fields[node.target.id] = origins.get(kind)
    return fields


def _source(module: str) -> Path:
    path = _PACKAGE.joinpath(*module.split(".")[1:])
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


if __name__ == "__main__":
    refuse_unknown_variables()
