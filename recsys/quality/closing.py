"""One import -> the three sentences that it ends with: what became of the rows, what was mended, what is in them."""

from collections.abc import Mapping

from recsys.imports import Summary
from recsys.imports.target import RecordStatistics
from recsys.quality.phrases import moment, percent, several

_MOST = 4  # reasons, fields and languages that are named
_MATCH = "match an article"  # what an import's own note says where few do
_NOUNS = {"articles": "article", "clicks": "click", "events": "event"}


def closing_lines(summary: Summary, statistics: RecordStatistics, zone: str) -> list[str]:
    """Say what an import did.

    Args:
        summary: the import in numbers.
        statistics: of its records.
        zone: the site's time zone.

    Returns:
        Three lines, the last one with the import's own notes.
    """
    mended = [_named("Repaired", summary.repaired), _named("Left out", summary.left_out)]
    return [
        _rows(summary),
        " ".join(filter(None, mended)) or "Nothing had to be repaired or left out.",
        " ".join([*_content(summary, statistics, zone), *summary.notes]) or "Nothing more is known of them.",
    ]


def _rows(summary: Summary) -> str:
    """The rows and what became of them; a row of some formats makes several records."""
    whole = several(summary.read, _NOUNS.get(summary.records, "row"))
    changed = f" ({_counts(summary.changed)})" if summary.changed else ""
    parts = [
        f"{summary.stored:,} new",
        f"{summary.updated:,} changed{changed}" if summary.updated else "",
        f"{summary.duplicate:,} there already" if summary.duplicate else "",
        f"{summary.rejected:,} rejected" if summary.rejected else "",
    ]
    why = f" Rejected: {_reasons(summary.reasons)}; see {summary.rejects}." if summary.rejected else ""
    trial = " Nothing was written: this was a dry run." if summary.dry_run else ""
    return f"{whole}: {', '.join(filter(None, parts))}.{why}{trial}"


def _content(summary: Summary, statistics: RecordStatistics, zone: str) -> list[str]:
    sentences = []
    if summary.matched_clicks and summary.matched_clicks[1] and not any(_MATCH in note for note in summary.notes):
        matched, clicks = summary.matched_clicks
        sentences.append(f"{percent(matched, clicks)} of {several(clicks, 'click')} {_MATCH}.")
    if statistics.languages:
        languages = {name or "not said": count for name, count in statistics.languages.items()}
        sentences.append(f"Languages: {_counts(languages)}.")
    if statistics.first is not None and statistics.last is not None:
        sentences.append(f"Times: {moment(statistics.first, zone)} to {moment(statistics.last, zone)} ({zone}).")
    return sentences


def _named(what: str, counts: Mapping[str, int]) -> str:
    return f"{what}: {_reasons(counts)}." if counts else ""


def _reasons(counts: Mapping[str, int]) -> str:
    """Reasons, which may hold a comma, with how often."""
    return "; ".join(f"{name} ({count:,})" for name, count in _most(counts).items())


def _counts(counts: Mapping[str, int]) -> str:
    """Single words with how often."""
    return ", ".join(f"{name} {count:,}" for name, count in _most(counts).items())


def _most(counts: Mapping[str, int]) -> dict[str, int]:
    """The most frequent, and the others together."""
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    rest = sum(count for _, count in ordered[_MOST:])
    return dict(ordered[:_MOST]) | ({"others": rest} if rest else {})
