"""``python -m recsys.tokens.worker``: a task on the batches that come from standard input, until they end.

Reads an Arrow stream whose schema carries the task; writes one batch for each. See ``recsys.tokens.pool``.
"""

import signal
import sys

import pyarrow as pa

from recsys.tokens.pool import task_of


def main() -> None:
    """Serve one parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent ends its workers
    pa.set_cpu_count(1)
    with pa.ipc.open_stream(sys.stdin.buffer) as batches:
        task = task_of(batches.schema)
        function = task.function()
        with pa.ipc.new_stream(sys.stdout.buffer, task.output_schema()) as results:
            for batch in batches:
                results.write_batch(function(batch))
                sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
