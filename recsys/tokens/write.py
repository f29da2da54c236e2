"""Tokens of a whole catalogue: a stream of articles becomes ``articles.parquet``, ``corpus.txt`` and the tokeniser.

Text is cut once, in several processes, and kept on disk; from those the word classes and the lexicon are
learned, and then the words are joined and tagged. No step holds more than a few batches in memory.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from recsys.languages import NO_SITE_LANGUAGES, SiteLanguages
from recsys.parallel import TaskMap, in_processes
from recsys.store import WordDecision
from recsys.tokens.batches import bounded_batches, joining, segmenting
from recsys.tokens.config import TokensConfig
from recsys.tokens.counting import WordCounts
from recsys.tokens.editors_words import decided_entries
from recsys.tokens.induction import SAMPLE_TOKENS, induce
from recsys.tokens.lexicon import Lexicon, LexiconEntry
from recsys.tokens.newwords import new_words
from recsys.tokens.segmenter import Segmenter
from recsys.tokens.table import LINE_TOKENS, SEGMENTS, TOKENS_SCHEMA, segment_arrays
from recsys.tokens.tokenizer import untagged
from recsys.workspace import write_json

_DISCOVERED = ("zh", "en")  # languages whose lexicon grows: it needs to know which words have content
_ODD_KINDS = ("empty", "no_words", "markup_only", "unreadable", "mojibake", "cut", "boilerplate_line", "wrong_language")


def write_tokens(
    batches: Iterable[pa.RecordBatch],
    folder: Path,
    config: TokensConfig,
    boilerplate: Collection[str] = (),
    site_languages: SiteLanguages = NO_SITE_LANGUAGES,
    decided: Sequence[WordDecision] = (),
    map_batches: TaskMap = in_processes,
) -> dict[str, int]:
    """Tokenise a stream of articles.

    Args:
        batches: string columns id, title, body, language; the last three may hold nulls.
        folder: where the files go; the order of the input is kept.
        config: of the tokeniser.
        boilerplate: lines to leave out.
        site_languages: languages of the site.
        decided: words that editors accepted or refused.
        map_batches: where batches are worked on.

    Returns:
        Counts: articles, tokens, articles without a token, articles by language, new words, collocations, and odd input
        (articles, but lines of boilerplate); ``tokens.json`` holds the same.
    """
    file = folder / ".segments.arrow"
    try:
        segmented = map_batches(segmenting(config, list(boilerplate), site_languages), bounded_batches(batches))
        words, odd = _write_segments(file, segmented)
        entries = _learned_words(file, words, config) if config.new_words else []
        lexicon = Lexicon(decided_entries(entries, decided), list(boilerplate), site_languages)
        lexicon.save(folder)
        induce(_sampled(file, words.counts["en"].total())).save(folder)
        counts = _write(map_batches(joining(config, folder), _read(file)), folder)
    finally:
        file.unlink(missing_ok=True)
    counts["new_words"] = sum(entry.language == "zh" for entry in lexicon.entries)
    counts["collocations"] = len(lexicon.entries) - counts["new_words"]
    counts |= {f"odd_{kind}": odd[kind] for kind in _ODD_KINDS}
    write_json(folder / "tokens.json", counts)
    return counts


def _learned_words(file: Path, words: WordCounts, config: TokensConfig) -> list[LexiconEntry]:
    segmenter = Segmenter(config)
    return [
        entry
        for language in _DISCOVERED
        for entry in new_words(lambda: _read(file), words.counts[language], language, segmenter.tag)
    ]


def _sampled(file: Path, english: int) -> Iterator[pa.RecordBatch]:
    """Cut English articles as rows of the tokens table, without tags: all of them, or an even sample."""
    for number, batch in enumerate(_read(file)):
        if number % max(1, english // SAMPLE_TOKENS) == 0:
            yield untagged(batch)


def _write_segments(file: Path, batches: Iterable[pa.RecordBatch]) -> tuple[WordCounts, Counter[str]]:
    """Write segmented articles to disk; returns counts of their words and of odd input."""
    words = WordCounts()
    odd: Counter[str] = Counter()
    with pa.OSFile(str(file), "wb") as sink, pa.ipc.new_stream(sink, SEGMENTS) as segments:
        for batch in batches:
            segments.write_batch(batch)
            words.add(segment_arrays(batch))
            odd.update(batch.column("odd").flatten().to_pylist())
    return words, odd


def _read(file: Path) -> Iterator[pa.RecordBatch]:
    with pa.memory_map(str(file)) as source, pa.ipc.open_stream(source) as segments:
        yield from segments


def _write(batches: Iterable[pa.RecordBatch], folder: Path) -> dict[str, int]:
    counts = dict.fromkeys(["articles", "tokens", "without_tokens"], 0)
    with (
        pq.ParquetWriter(folder / "articles.parquet", TOKENS_SCHEMA, compression="zstd") as table,
        (folder / "corpus.txt").open("wb") as corpus,
    ):
        for rows in batches:
            table.write_batch(rows)
            lengths = _count(counts, rows)
            corpus.write(_lines(rows, lengths))
    return counts


def _count(counts: dict[str, int], rows: pa.RecordBatch) -> pa.Array:
    lengths = pc.list_value_length(rows.column("tags"))
    counts["articles"] += rows.num_rows
    counts["tokens"] += pc.sum(lengths).as_py() or 0
    counts["without_tokens"] += pc.sum(pc.equal(lengths, 0)).as_py() or 0
    for language in rows.column("language").to_pylist():
        counts[language] = counts.get(language, 0) + 1
    return lengths


def _lines(rows: pa.RecordBatch, lengths: pa.Array) -> bytes:
    """The words of each article as a line, or as several of at most ``LINE_TOKENS`` words."""
    lines = []
    columns = (pc.binary_join(rows.column(name), " ").to_pylist() for name in ("title", "body"))
    for title, body, length in zip(*columns, lengths.to_pylist(), strict=True):
        text = f"{title} {body}".strip()
        if length > LINE_TOKENS:
            words = text.split(" ")
            lines += [" ".join(words[start : start + LINE_TOKENS]) for start in range(0, length, LINE_TOKENS)]
        elif length:
            lines.append(text)
    return "".join(f"{line}\n" for line in lines).encode()
