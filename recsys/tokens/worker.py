"""``python -m recsys.tokens.worker``: works on the batches that come from standard input, until they end.

Reads an Arrow stream whose schema tells the work; writes one batch for each. See ``recsys.tokens.pool``.
"""

import signal
import sys

import pyarrow as pa

from recsys.tokens.pool import work_of


def main() -> None:
    """Serve one parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent ends its workers
    pa.set_cpu_count(1)
    with pa.ipc.open_stream(sys.stdin.buffer) as batches:
        work = work_of(batches.schema)
        function = work.function()
        with pa.ipc.new_stream(sys.stdout.buffer, work.answers()) as answers:
            for batch in batches:
                answers.write_batch(function(batch))
                sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
