"""``python -m web``: serve with several workers, each a process of its own.

This process becomes the parent of the service (``web.process``), which holds the port, watches the workers, and starts
one anew when it dies. They are forked from a process that has loaded libraries and machine code and nothing else: each
loads its release itself, so that no used FAISS index, no thread and no database connection crosses into a child. That
process begins first, and loads while the settings are read here, which loads half as much.
"""

import argparse
import importlib
import os
import sys
from pathlib import Path
from typing import NoReturn

from recsys.errors import RecsysError
from recsys.names import CONFIG_VARIABLE
from web.process.folder import make_folder, metrics_in, remove_folder
from web.process.nursery import Begun

MAX_PORT = 65_535


def main() -> None:
    """Read the command line and serve until a signal."""
    parser = argparse.ArgumentParser(prog="python -m web", description="Serve recommendations and the demo site.")
    parser.add_argument(
        "--config", type=Path, help="configuration file; default: $RECSYS_CONFIG, else config.yaml and site.yaml here"
    )
    parser.add_argument("--host", help="address to listen on; default: web.host of the configuration")
    parser.add_argument("--port", type=_port, help="port to listen on; default: web.port of the configuration")
    arguments = parser.parse_args()
    if arguments.config:
        os.environ[CONFIG_VARIABLE] = str(arguments.config.resolve())  # the workers read it again
    for library in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[library] = "1"  # inherited by the workers before they load numpy, FAISS and torch
    folder = make_folder()
    begun = None
    try:
        begun = Begun.now("web.worker", folder, metrics_in(folder))
        _become_parent(arguments, begun)
    except BaseException as error:
        if begun is not None:
            begun.end()
        remove_folder(folder)
        if not isinstance(error, RecsysError):
            raise
        print(error, file=sys.stderr)
        raise SystemExit(error.exit_code) from None


def _port(text: str) -> int:
    """A port of the command line; of one above 65535 the system would take the last 16 bits, without a word."""
    if text.isdecimal() and 1 <= int(text) <= MAX_PORT:
        return int(text)
    raise argparse.ArgumentTypeError(f"expected a port from 1 to {MAX_PORT}; got {text!r}")


def _become_parent(arguments: argparse.Namespace, begun: Begun) -> NoReturn:
    """Read the settings, which takes two seconds, and become the parent of the workers."""
    settings = importlib.import_module("recsys.settings").load_settings()
    needed = {
        "site": settings.site.name,
        "data": str(settings.data_dir.resolve()),
        "host": arguments.host or settings.web.host,
        "port": str(settings.web.port if arguments.port is None else arguments.port),
        "workers": str(settings.web.workers),
        "log": settings.logs.form,
        "pid": str(begun.pid),
        "control": str(begun.control),
        "folder": str(begun.folder),
    }
    sys.stderr.flush()
    os.execv(
        sys.executable,
        [sys.executable, "-m", "web.process", *(f"--{name}={value}" for name, value in needed.items())],
    )


if __name__ == "__main__":
    main()
