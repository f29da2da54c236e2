"""Growth: costs of the stages at several sizes -> exponents, and the table that people read.

Every command takes seconds to start, which are the same at any size and would hide how the rest grows. So the costs of
the smallest size are taken off the others before anything is fitted.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from benchmarks.cost import Cost

Table = Mapping[str, Cost]  # command -> its cost

MIN_CPU_SECONDS = 1.0  # beyond the smallest size's: what takes less is noise
MIN_MIB = 32.0  # the same of memory
MAX_EXPONENT = 1.05


class Growth(NamedTuple):
    """Growth of one command: the exponents of CPU time and of memory; None where there is too little to fit."""

    cpu: float | None
    memory: float | None


def growth_of(sizes: Sequence[int], tables: Sequence[Table]) -> dict[str, Growth]:
    """Fit cost - cost at the smallest size ~ size ** exponent for each command, by least squares on logarithms.

    Args:
        sizes: articles, rising; the first is taken off.
        tables: the costs of each size.
    """
    return {
        name: Growth(
            _exponent(sizes, [table[name].cpu_seconds for table in tables], MIN_CPU_SECONDS),
            _exponent(sizes, [table[name].peak_mib for table in tables], MIN_MIB),
        )
        for name in tables[0]
        if all(name in table for table in tables)
    }


def _exponent(sizes: Sequence[int], costs: Sequence[float], least: float) -> float | None:
    beyond = np.array(costs[1:], float) - costs[0]
    if len(beyond) < 2 or (beyond < least).any():
        return None
    return round(float(np.polyfit(np.log(sizes[1:]), np.log(beyond), 1)[0]), 2)


def as_markdown(sizes: Sequence[int], tables: Sequence[Table], growth: Mapping[str, Growth]) -> str:
    """A table for people: CPU seconds and MiB of each command at each size, and the exponents."""
    heads = [*(f"{size:,}" for size in sizes), "CPU grows with", "memory grows with"]
    lines = [f"| CPU s, MiB | {' | '.join(heads)} |", "|---|" + "---|" * len(heads)]
    for name, of_command in growth.items():
        cells = [f"{table[name].cpu_seconds:,.0f} s, {table[name].peak_mib:,}" for table in tables]
        cells += ["–" if exponent is None else f"n^{exponent:.2f}" for exponent in of_command]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def report(
    sizes: Sequence[int], tables: Sequence[Table], services: Sequence[Mapping[str, Any]], seed: int, seconds: float
) -> dict[str, Any]:
    """The JSON object of docs/design.md; a model is a command, "best" is what the targets are about.

    Args:
        sizes: articles, rising.
        tables: the costs of each size.
        services: the service's figures at each size, empty where it was not measured.
        seed: of all randomness.
        seconds: that the benchmark took.
    """
    growth = growth_of(sizes, tables)
    fitted = {name: one.cpu for name, one in growth.items() if one.cpu is not None}
    ours: dict[str, dict[str, Any]] = {
        name: {"exponent": growth[name].cpu, "memory_exponent": growth[name].memory}
        | {
            f"{figure}@{size}": value
            for size, table in zip(sizes, tables, strict=True)
            for figure, value in table[name]._asdict().items()
        }
        for name in growth
    }
    ours["service"] = {
        f"{figure}@{size}": value
        for size, service in zip(sizes, services, strict=True)
        for figure, value in service.items()
    }
    peak = max(cost.peak_mib for cost in tables[-1].values())
    return {
        "ours": ours,
        "baselines": {},
        "best": {
            "articles": sizes[-1],
            "steepest": max(fitted.values(), default=None),
            "above": sorted(name for name, exponent in fitted.items() if exponent > MAX_EXPONENT),
            "peak_mib": peak,
            "cpu_seconds": round(sum(cost.cpu_seconds for cost in tables[-1].values()), 1),
        },
        "seconds": round(seconds, 1),
        "peak_mib": peak,
        "seed": seed,
    }
