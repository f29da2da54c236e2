"""``python -m web.challenger RELEASE ID MODE SHARE``: serve one release on this machine alone, until it is told to end.

Started by ``python -m jobs canary`` and ``shadow``. It listens at an address of this machine that nobody else knows,
says so in the data folder (``recsys.serving.challenger``), takes that back at the end, and ends with the process that
started it. It makes lists and nothing else that counts: events go to the workers, and it follows them as they do.
"""

import argparse
import asyncio
import json
import os
import resource
import signal
import sys
import threading
from collections.abc import Sequence

from recsys import logs
from recsys.errors import RecsysError
from recsys.serving.challenger import ChallengerFolder, ChallengerMode, ChallengerNote
from recsys.settings import Settings, load_settings
from web.app import close_app, create_app
from web.gateway.entry import Gateway
from web.gateway.listener import Listener
from web.unused import hide_unused_libraries

THREADS = 2  # of the lane that waits for the database


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until a signal, or the end of the standard input; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m web.challenger", description="Serve one release beside the live one."
    )
    parser.add_argument("release")
    parser.add_argument("id")
    parser.add_argument("mode", type=ChallengerMode)
    parser.add_argument("share", type=float)
    asked = parser.parse_args(arguments)
    for library in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[library] = "1"
    hide_unused_libraries()
    threading.Thread(target=_end_with_starter, daemon=True, name="starter").start()
    try:
        settings = load_settings()
        logs.configure(settings.logs.form, worker="challenger")
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        asyncio.run(_serve(settings, asked.release, ChallengerNote(asked.id, asked.release, asked.mode, asked.share)))
    except RecsysError as error:
        _say(failed=str(error))
        return error.exit_code
    return 0


async def _serve(settings: Settings, release: str, note: ChallengerNote) -> None:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    application = await asyncio.to_thread(create_app, settings, lambda what: _say(doing=what), release, pinned=True)
    gateway, folder = Gateway(application, loop, THREADS), ChallengerFolder(settings.data_dir)
    listener = Listener(folder.bind(), gateway.take)
    folder.write_note(note)
    _say(ready=True)
    try:
        await stop.wait()
    finally:
        folder.remove_note()
    gateway.stop()
    await listener.close()
    gateway.close(1.0)
    close_app(application, succeeded=True)


def _say(**what: str | bool) -> None:
    print(json.dumps(what), flush=True)


def _end_with_starter() -> None:
    while os.read(0, 1):  # nothing is written there: this waits for the starter's end
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    os._exit(code)  # granian's threads outlive the interpreter's end, and crash in it
