"""Parts of speech against those that people gave: accuracy, beside the commonest tag of each word and python-crfsuite.

    python -m benchmarks.tagging --train ../shared/data/pos/en_ewt_train.jsonl.gz \
        --test ../shared/data/pos/en_ewt_dev.jsonl.gz
    python -m benchmarks.tagging --train ../shared/data/pos/zh_people_daily_1998.jsonl.gz --part 0.1

Files are JSON lines or columns (docs/entities.md). Without --test, the last part of the training files is held out.
Seconds are of the CPU. Prints a table, and one JSON object on the last line.
"""

import json

from benchmarks.entities.command import options_of, read, show
from benchmarks.entities.measure import measure_tags


def main() -> None:
    """Read the command line, measure, print."""
    options = options_of("benchmarks.tagging", __doc__ or "")
    result = measure_tags(*read(options, spans=False), options.seed)
    show(result)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
