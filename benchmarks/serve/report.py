"""The table of a run, and the figures by which it is judged."""

import argparse
import math
from typing import Any

Table = dict[str, Any]

# name in "best" -> part, its figure, what is aimed at, for people
JUDGED: dict[str, tuple[str, str, str]] = {
    "cpu_ms": ("rate", "cpu_ms", "<= 1.7"),
    "p50_ms": ("rate", "p50_ms", "<= 4"),
    "p99_ms": ("rate", "p99_ms", "<= 15"),
    "p999_ms": ("rate", "p999_ms", ""),
    "errors": ("rate", "errors", "0"),
    "client_cpu_ms": ("rate", "client_cpu_ms", "<= 0.3"),
    "body_kib": ("rate", "body_kib", "<= 12"),
    "saturation_rps": ("saturation", "saturation_rps", ">= 900"),
    "goodput_beyond": ("beyond", "goodput_beyond", ">= 0.8"),
    "worker_mib": ("rate", "worker_mib", "<= 600"),
    "worker_pss_mib": ("rate", "worker_pss_mib", ""),
    "article_kib": ("memory", "article_kib", ""),
    "reader_kib": ("memory", "reader_kib", ""),
    "ready_s": ("start", "ready_s", "<= 5"),
    "put_p99_ms": ("freshness", "put_p99_ms", "<= 1000"),
    "hide_p99_ms": ("freshness", "hide_p99_ms", "<= 1000"),
    "click_same_p99_ms": ("freshness", "click_same_p99_ms", "<= 100"),
    "click_p99_ms": ("freshness", "click_all_p99_ms", "<= 1000"),
    "never_seen": ("freshness", "never_seen", "0"),
    "batch_events": ("events", "batch_events_per_second", ">= 2000"),
    "single_events": ("events", "single_events_per_second", ">= 1000"),
    "lost_events": ("events", "killed_lost", "0"),
    "back_s": ("events", "killed_back_seconds", "<= 5"),
    "swap_errors": ("swaps", "swap_errors", "0"),
    "swap_p99_ratio": ("swaps", "p99_ratio", "<= 2"),
    "swap_growth": ("swaps", "rss_growth", "<= 1.05"),
    "loop_p99_ms": ("machine", "loop_p99_ms", ""),
}


def best_of(found: dict[str, Table]) -> Table:
    """The figures by which a run is judged; null where the part was not run, or nothing was answered."""
    best = {name: found.get(part, {}).get(figure) for name, (part, figure, _) in JUDGED.items()}
    return {name: None if isinstance(value, float) and math.isnan(value) else value for name, value in best.items()}


def printed(found: dict[str, Table], options: argparse.Namespace) -> None:
    """Print the judged figures beside what is aimed at."""
    print(
        f"\n{options.articles:,} articles, {options.workers} workers, {options.rate:g} requests/s"
        f" for {options.seconds:g} s, lists of {options.k}"
    )
    print(f"{'figure':18} {'measured':>12}  aimed at")
    for name, value in best_of(found).items():
        if value is not None:
            print(f"{name:18} {value:>12}  {JUDGED[name][2]}")
    for part, table in found.items():
        for name in ("faults", "swap_faults", "beyond_faults", "load_faults", "never"):
            for fault in table.get(name, ()):
                print(f"{part}: {fault}")
