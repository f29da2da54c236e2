"""``python -m web``: serve with granian, at least two workers, each a process of its own.

Workers are spawned and not forked: each imports and loads everything itself, so that no used FAISS index, no thread and
no database connection crosses into a child. This process only watches them, and starts one anew when it dies.
"""

import argparse
import multiprocessing
import os
import sys
import threading
from pathlib import Path

from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server import Server

from recsys.errors import RecsysError
from recsys.names import CONFIG_VARIABLE
from recsys.settings import Settings, load_settings

STOP_SECONDS = 10  # a worker that has not ended by then is ended


class Parent(Server):  # type: ignore[misc]
    """The process that watches the workers; it ends at the first signal, however many come.

    granian's own handler sets the event that the main thread waits for, and that takes a lock. Two signals within a
    millisecond, as when make and its terminal both send one, left the second waiting for the first for ever.
    """

    interrupt_signal = False

    def signal_handler_interrupt(self, *_: object) -> None:
        """End, once, without waiting for anybody."""
        if not self.interrupt_signal:
            self.interrupt_signal = True
            threading.Thread(target=self.main_loop_interrupt.set, name="end").start()


def main() -> None:
    """Read the command line and serve until a signal."""
    parser = argparse.ArgumentParser(prog="python -m web", description="Serve recommendations and the demo site.")
    parser.add_argument(
        "--config", type=Path, help="configuration file; default: $RECSYS_CONFIG, else config.yaml and site.yaml here"
    )
    parser.add_argument("--host", help="address to listen on; default: web.host of the configuration")
    parser.add_argument("--port", type=int, help="port to listen on; default: web.port of the configuration")
    arguments = parser.parse_args()
    if arguments.config:
        os.environ[CONFIG_VARIABLE] = str(arguments.config.resolve())  # the workers read it again
    try:
        settings = load_settings()
    except RecsysError as error:
        print(error, file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    serve(settings, arguments.host or settings.web.host, arguments.port or settings.web.port)


def serve(settings: Settings, host: str, port: int) -> None:
    """Serve until a signal.

    Args:
        settings: how many workers and threads.
        host: address to listen on.
        port: port to listen on.
    """
    for library in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[library] = "1"  # inherited by the workers before they load numpy, FAISS and torch
    multiprocessing.set_start_method("spawn")
    print(f"Serving {settings.site.name} at http://{host}:{port}/ · API at /docs", file=sys.stderr)
    Parent(
        "web.worker:create",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=settings.web.workers,
        blocking_threads=settings.web.threads,
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_SECONDS,
        log_level=LogLevels.warning,
        factory=True,
    ).serve()


if __name__ == "__main__":
    main()
