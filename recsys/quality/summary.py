"""The figures of a site's data as a few lines for a terminal."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from recsys.quality.events import EventFacts
from recsys.quality.phrases import matched, moment, percent, several
from recsys.quality.profile import DataProfile

_BLOCKS = "▁▂▃▄▅▆▇█"
_WIDTH = 64  # blocks of a timeline: fits beside its name on 80 characters
_MOST = 5  # reasons that are named


def lines(profile: DataProfile) -> Iterator[tuple[str, str]]:
    """Left and right part of each line."""
    yield from _articles(profile)
    yield from _events(profile)
    if profile.imports:
        last = profile.imports[-1]
        yield (
            "imports",
            f"{len(profile.imports):,}; the last one at {moment(last['time'], profile.zone)}: {last['file']}",
        )
    for what, name in {"reasons": "rejected", "repaired": "repaired", "left_out": "left out"}.items():
        if counts := profile.counted(what):
            yield name, _named(counts, ": ")


def _articles(profile: DataProfile) -> Iterator[tuple[str, str]]:
    facts = profile.articles
    if not facts.total:
        yield "articles", "none"
        return
    counts = {
        "never opened": profile.unclicked if profile.events.total else 0,
        "with the title of another": facts.same_title,
        "hidden": facts.hidden,
        "expired": facts.expired,
        "dated ahead": facts.embargoed,
    }
    yield "articles", "; ".join([f"{facts.total:,}", *(f"{count:,} {what}" for what, count in counts.items() if count)])
    languages = profile.read_as or facts.languages
    yield "languages", ", ".join(f"{name or 'not said'} {count:,}" for name, count in languages.items())
    if lacking := _shares(facts.missing, facts.total):
        yield "  without", lacking


def _events(profile: DataProfile) -> Iterator[tuple[str, str]]:
    facts = profile.events
    if not facts.total:
        yield "events", "none"
        return
    yield "events", "; ".join(several(count, kind) for kind, count in facts.kinds.items())
    yield "readers", f"{facts.readers:,}" + _odd_readers(profile)
    if facts.first is not None and facts.last is not None:
        yield "times", f"{moment(facts.first, profile.zone)} to {moment(facts.last, profile.zone)} ({profile.zone})"
    if facts.timeline:
        for kind, counts in facts.timeline.counts.items():
            yield f"  {kind}", f"{sparkline(counts)} by {facts.timeline.step}"
    if profile.match.clicks and profile.articles.total:
        yield "known", matched(profile.match)
    if lacking := _shares(facts.missing, facts.total):
        yield "  without", lacking
    if odd := _odd(facts):
        yield "odd", odd


def _odd_readers(profile: DataProfile) -> str:
    return f"; {profile.odd_total:,} with inhuman rates" if profile.odd_total else ""


def _odd(facts: EventFacts) -> str:
    counts = {
        "without a time": sum(facts.undated.values()),
        "late": facts.late,
        "dated ahead and held back": facts.ahead,
        "clicks of a reader on what they had opened before": facts.repeated,
    }
    return "; ".join(f"{count:,} {what}" for what, count in counts.items() if count)


def _shares(missing: Mapping[str, int], whole: int) -> str:
    ordered = sorted(missing.items(), key=lambda item: -item[1])
    return ", ".join(f"{name.replace('_', ' ')} {percent(count, whole)}" for name, count in ordered if count)


def _named(counts: Mapping[str, int], between: str) -> str:
    shown = [f"{name}{between}{count:,}" for name, count in list(counts.items())[:_MOST]]
    rest = sum(list(counts.values())[_MOST:])
    return "; ".join([*shown, f"others{between}{rest:,}"] if rest else shown)


def sparkline(counts: Sequence[int]) -> str:
    """Counts as blocks of eight heights, neighbours added up where there are more than fit; nothing is a blank."""
    groups = np.array_split(np.asarray(counts, np.int64), min(_WIDTH, len(counts)))
    means = np.array([group.mean() for group in groups])
    heights = np.ceil(means / max(means.max(), 1e-9) * len(_BLOCKS)).astype(int)
    return "".join(_BLOCKS[height - 1] if height else " " for height in heights)
