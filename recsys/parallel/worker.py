"""``python -m recsys.parallel.worker``: a task on the batches that come from standard input, until they end.

Reads an Arrow stream whose schema carries the task; writes one batch for each. See ``recsys.parallel.processes``.
"""

import signal
import sys

import pyarrow as pa

from recsys.parallel.task import BatchTask


def main() -> None:
    """Serve one parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent ends its workers
    pa.set_cpu_count(1)
    with pa.ipc.open_stream(sys.stdin.buffer) as batches:
        function = BatchTask.from_json(batches.schema.metadata[b"task"].decode()).function()
        results: pa.ipc.RecordBatchStreamWriter | None = None
        for batch in batches:
            result = function(batch)
            results = results or pa.ipc.new_stream(sys.stdout.buffer, result.schema)
            results.write_batch(result)
            sys.stdout.buffer.flush()
        if results is not None:
            results.close()


if __name__ == "__main__":
    main()
