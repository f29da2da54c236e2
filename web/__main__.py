"""``python -m web``: serve with several workers, each a process of its own.

This process becomes the parent of the service (``web.process``), which holds the port, watches the workers, and starts
one anew when it dies. They are forked from a process that has loaded libraries and machine code and nothing else: each
loads its release itself, so that no used FAISS index, no thread and no database connection crosses into a child.
"""

import argparse
import os
import sys
from pathlib import Path

from recsys.errors import RecsysError
from recsys.names import CONFIG_VARIABLE
from recsys.settings import Settings, load_settings


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
        host = arguments.host or settings.web.host
        serve(settings, host, settings.web.port if arguments.port is None else arguments.port)
    except RecsysError as error:
        print(error, file=sys.stderr)
        raise SystemExit(error.exit_code) from None


def serve(settings: Settings, host: str, port: int) -> None:
    """Become the parent of the workers, which serves until a signal.

    Args:
        settings: of the site.
        host: address to listen on.
        port: port to listen on; 0 takes a free one.
    """
    for library in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[library] = "1"  # inherited by the workers before they load numpy, FAISS and torch
    needed = {
        "site": settings.site.name,
        "data": str(settings.data_dir.resolve()),
        "host": host,
        "port": str(port),
        "workers": str(settings.web.workers),
        "log": settings.logs.form,
    }
    sys.stderr.flush()
    os.execv(
        sys.executable,
        [sys.executable, "-m", "web.process", *(f"--{name}={value}" for name, value in needed.items())],
    )


if __name__ == "__main__":
    main()
