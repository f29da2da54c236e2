"""Stories on disk: which story each article belongs to, and the index that goes on with the articles that come next.

``stories.parquet`` has one row for each article in the order of joining. ``story_index.parquet`` has one row for each
story that is not over, ``story_articles.parquet`` one for each of their articles, ``story_names.parquet`` one for each
term whose capitals were counted, ``story_leads.parquet`` one for each article that has a lead (it may be missing: older
releases have none); ``story_index.json`` is what the index knows of the stream.
"""

import sys
from array import array
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from recsys.stories.decisions import EditorDecisions
from recsys.stories.leads import KEY, Lead
from recsys.stories.names import NameRates
from recsys.stories.records import Story
from recsys.stories.story_index import StoryIndex
from recsys.workspace import read_json, read_table, write_json, write_table

_STORY_OF, _STORIES, _ARTICLES, _LEADS, _NAMES, _STREAM = (
    "stories.parquet",
    "story_index.parquet",
    "story_articles.parquet",
    "story_leads.parquet",
    "story_names.parquet",
    "story_index.json",
)
_STORY_OF_SCHEMA = pa.schema([("id", pa.string()), ("story", pa.string())])
_STORIES_SCHEMA = pa.schema(
    [
        ("story", pa.string()),
        ("size", pa.int32()),  # headlines counted
        ("first", pa.int64()),  # ms
        ("last", pa.int64()),
        ("touched", pa.int64()),
        ("words", pa.list_(pa.string())),
        ("counts", pa.list_(pa.int32())),  # of the words
    ]
)
_ARTICLES_SCHEMA = pa.schema(
    [("id", pa.string()), ("story", pa.string()), ("time", pa.int64()), ("words", pa.list_(pa.string()))]
)
_LEADS_SCHEMA = pa.schema([("id", pa.string()), ("lead", pa.list_(pa.uint32()))])  # keys of terms, see ``leads``
_NAMES_SCHEMA = pa.schema([("term", pa.string()), ("seen", pa.int32()), ("capital", pa.int32())])


def save_stories(story_of: Mapping[str, str], index: StoryIndex, folder: Path) -> None:
    """Write the files.

    Args:
        story_of: article id -> story id.
        index: of the stories that are not over.
        folder: where.
    """
    columns = [list(story_of), list(story_of.values())]
    write_table(folder / _STORY_OF, pa.table([pa.array(column) for column in columns], schema=_STORY_OF_SCHEMA))
    stories, articles = [], []
    for row, story in index.stories.items():
        counts = dict(index.counts(row))
        stories.append(
            {"story": story.id, "size": story.size, "first": story.first, "last": story.last}
            | {"touched": story.touched, "words": list(counts), "counts": list(counts.values())}
        )
        for article_id in story.articles:
            article = index.placed[article_id]
            articles.append({"id": article_id, "story": story.id, "time": article.time, "words": article.words})
    write_table(folder / _STORIES, pa.Table.from_pylist(stories, _STORIES_SCHEMA))
    write_table(folder / _ARTICLES, pa.Table.from_pylist(articles, _ARTICLES_SCHEMA))
    leads = [{"id": name, "lead": article.lead} for name, article in index.placed.items() if article.lead]
    write_table(folder / _LEADS, pa.Table.from_pylist(leads, _LEADS_SCHEMA))
    names = [[term, seen, index.names.capital.get(term, 0)] for term, seen in index.names.seen.items()]
    columns = [list(column) for column in zip(*names, strict=True)] or [[], [], []]
    write_table(folder / _NAMES, pa.table([pa.array(column) for column in columns], schema=_NAMES_SCHEMA))
    write_json(folder / _STREAM, {"novelty": index.novelty, "came": index.came, "times": list(index.times)})


def load_story_of(folder: Path) -> dict[str, str]:
    """Read which story each article belongs to: article id -> story id."""
    table = read_table(folder / _STORY_OF, ["id", "story"])
    return dict(zip(*(column.to_pylist() for column in table.columns), strict=True))


def load_story_index(folder: Path, decisions: EditorDecisions | None = None) -> StoryIndex:
    """Read the index, to go on with the articles that come next.

    Args:
        folder: of the stories artefact.
        decisions: of the editors.
    """
    index, stream = StoryIndex(decisions=decisions), read_json(folder / _STREAM)
    index.novelty, index.came = stream["novelty"], stream["came"]
    index.times.extend(stream["times"])
    names = [column.to_pylist() for column in read_table(folder / _NAMES, _NAMES_SCHEMA.names).columns]
    index.names = NameRates(*(dict(zip(names[0], counts, strict=True)) for counts in names[1:]))
    leads = _leads(folder / _LEADS) if (folder / _LEADS).exists() else {}
    articles = defaultdict(list)
    for row in _rows(folder / _ARTICLES, _ARTICLES_SCHEMA):
        words = [*map(sys.intern, row["words"])]  # each term once, in whatever stories it stands
        articles[row["story"]].append((row["id"], words, row["time"], leads.get(row["id"], ())))
    for row in _rows(folder / _STORIES, _STORIES_SCHEMA):
        story = Story(row["story"], row["size"], row["first"], row["last"], row["touched"])
        counts = zip(map(sys.intern, row["words"]), row["counts"], strict=True)
        index.restore(story, dict(counts), articles.pop(story.id, []))
    return index


def _rows(file: Path, schema: pa.Schema) -> Iterator[dict[str, Any]]:
    """The rows of a table, a thousand at a time as Python's objects."""
    for batch in read_table(file, schema.names).to_batches(1_000):
        yield from batch.to_pylist()


def _leads(file: Path) -> dict[str, Lead]:
    """Article id -> lead, of those that have one."""
    leads: dict[str, Lead] = {}
    for batch in read_table(file, _LEADS_SCHEMA.names).to_batches(1_000):
        ends, keys = batch["lead"].offsets.to_numpy(), batch["lead"].values.to_numpy()
        for place, name in enumerate(batch["id"].to_pylist()):
            leads[name] = array(KEY, keys[ends[place] : ends[place + 1]].tobytes())
    return leads
