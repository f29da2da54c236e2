"""``python -m web.process``: the parent of a service, as ``python -m web`` becomes it once the settings are read.

It gets what it needs on the command line, because reading the settings loads a hundred megabytes of libraries.
"""

import argparse
import asyncio
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from recsys.errors import RecsysError
from web.process.folder import ServiceFolder, remove_folder
from web.process.nursery import Begun
from web.process.port import Port
from web.process.supervisor import Supervisor


def main() -> None:
    """Serve until a signal."""
    parser = argparse.ArgumentParser(prog="python -m web.process", description="Started by python -m web.")
    parser.add_argument("--site", required=True, help="name of the site")
    parser.add_argument("--data", required=True, help="data folder, for whoever asks who holds the port")
    parser.add_argument("--host", required=True, help="address to listen on")
    parser.add_argument("--port", required=True, type=int, help="port to listen on; 0 takes a free one")
    parser.add_argument("--workers", required=True, type=int, help="processes that answer")
    parser.add_argument("--log", default="text", choices=("text", "json"), help="form of the lines on stderr")
    parser.add_argument("--pid", required=True, type=int, help="of the process that forks workers, which was begun")
    parser.add_argument("--control", required=True, type=int, help="descriptor of this process's end of it")
    parser.add_argument("--folder", required=True, type=Path, help="made for this service")
    options = parser.parse_args()
    begun = Begun(options.pid, options.control, options.folder)
    try:
        with Port(options.host, options.port) as port:
            _serve(options, port, begun)
    except RecsysError as error:
        begun.end()
        remove_folder(begun.folder)
        print(error, file=sys.stderr)
        raise SystemExit(error.exit_code) from None


def _serve(options: argparse.Namespace, port: Port, begun: Begun) -> None:
    address = f"http://{options.host}:{port.number}/"
    folder = ServiceFolder(begun.folder, site=options.site, data_dir=options.data, address=address)
    say = _say_json if options.log == "json" else _say
    say(f"Starting {options.site} with {options.workers} workers at {address}")
    try:
        serving = f"Serving {options.site} at {address} · console at /console · API at /docs"
        asyncio.run(Supervisor(port, options.workers, folder, say, serving, begun=begun).run())
    finally:
        folder.remove()


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _say_json(line: str) -> None:
    at = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    _say(json.dumps({"at": at, "level": "info", "event": line}, ensure_ascii=False))


if __name__ == "__main__":
    main()
