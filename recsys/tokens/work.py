"""What is done to batches of articles, in this process or in others: first they are cut, then joined and tagged."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from recsys.config import plain
from recsys.languages import NOWHERE, Spoken
from recsys.tokens.config import TokensConfig
from recsys.tokens.cut import Cutter
from recsys.tokens.pieces import PIECES
from recsys.tokens.table import SCHEMA
from recsys.tokens.tokenizer import load_tokenizer

ARTICLES = pa.schema([(name, pa.string()) for name in ("id", "title", "body", "language")])


class Work(NamedTuple):
    """What to do, as it can be told to another process.

    Attributes:
        config: how to cut.
        boilerplate: lines to leave out when cutting.
        spoken: what the site is written in, when cutting.
        learned: folder of the lexicon and the word classes; None: articles are cut; otherwise pieces are finished.
    """

    config: TokensConfig
    boilerplate: Sequence[str] = ()
    spoken: Spoken = NOWHERE
    learned: Path | None = None

    def schema(self) -> pa.Schema:
        """The schema of what comes in, with the work as metadata."""
        learned = str(self.learned) if self.learned else None
        facts = {"config": plain(self.config), "boilerplate": list(self.boilerplate), "learned": learned}
        facts["spoken"] = self.spoken.facts()
        return (PIECES if self.learned else ARTICLES).with_metadata({"work": json.dumps(facts)})

    def answers(self) -> pa.Schema:
        """The schema of what comes out."""
        return SCHEMA if self.learned else PIECES

    def function(self) -> Callable[[pa.RecordBatch], pa.RecordBatch]:
        """What makes one from the other."""
        if self.learned:
            return load_tokenizer(self.learned, self.config).finish
        cutter = Cutter(self.config, self.boilerplate, self.spoken)

        def cut(batch: pa.RecordBatch) -> pa.RecordBatch:
            columns = (batch.column(name).to_pylist() for name in ("title", "body", "language"))
            return cutter.cut(batch.column("id"), zip(*columns, strict=True))

        return cut


def work_of(schema: pa.Schema) -> Work:
    """The work that a schema tells of."""
    facts = json.loads(schema.metadata[b"work"])
    learned = Path(facts["learned"]) if facts["learned"] else None
    config, spoken = TokensConfig.model_validate(facts["config"]), Spoken(**facts["spoken"])
    return Work(config, facts["boilerplate"], spoken, learned)
