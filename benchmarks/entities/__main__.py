"""Entities against those that people marked: exact spans by type, beside a dictionary and python-crfsuite.

    python -m benchmarks.entities --train ../shared/data/entities/en_conll_train.jsonl.gz \
        --test ../shared/data/entities/en_conll_dev.jsonl.gz
    python -m benchmarks.entities --train ../shared/data/entities/zh_cluener_train.jsonl.gz --part 0.12

Files are JSON lines or columns (docs/entities.md). Without --test, the last part of the training files is held out.
Seconds are of the CPU. Prints a table, and one JSON object on the last line.
"""

import json

from benchmarks.entities.command import options_of, read, show
from benchmarks.entities.measure import measure_spans


def main() -> None:
    """Read the command line, measure, print."""
    options = options_of("benchmarks.entities", __doc__ or "")
    result = measure_spans(*read(options, spans=True), options.seed)
    show(result)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
