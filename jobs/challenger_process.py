"""The process that serves a release beside the live one: started, heard, and ended with whoever started it."""

import json
import secrets
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from jobs.runner import Context
from recsys.errors import InputError, LostProcess
from recsys.serving.challenger import ChallengerFolder, ChallengerMode

START_SECONDS = 600.0  # for laying the release out
END_SECONDS = 10.0  # less than a worker waits for a run that is to end


class Challenger:
    """The process that serves a release beside the live one.

    Args:
        process: started.
        id: of the challenge.
    """

    def __init__(self, process: "subprocess.Popen[str]", id: str) -> None:
        self.process, self.id = process, id
        self._said: dict[str, str | bool] = {}
        self._ready = threading.Event()
        self._listener = threading.Thread(target=self._hear, daemon=True, name="challenger")
        self._listener.start()

    def wait_until_ready(self) -> None:
        """Wait until it answers.

        Raises:
            LostProcess: it has ended, or takes too long.
        """
        self._ready.wait(START_SECONDS)
        if not self._said.get("ready"):
            got = self._said.get("failed", "a process that ended, or is not ready after ten minutes")
            raise LostProcess("a process that serves the release", str(got), "See the log above it.")

    @property
    def ended(self) -> bool:
        """True when it answers nobody any more."""
        return self.process.poll() is not None

    def end(self) -> None:
        """End it, politely at first."""
        self.process.terminate()
        try:
            self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self._listener.join()

    def _hear(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            try:
                self._said |= json.loads(line)
            except ValueError:
                continue
            if "ready" in self._said or "failed" in self._said:
                self._ready.set()
        self._ready.set()


@contextmanager
def challenger_of(context: Context, release: str, mode: ChallengerMode, share: float) -> Iterator[Challenger]:
    """Serve a release beside the live one while the block lasts.

    Raises:
        Busy: another one is served so.
        MissingArtefact: there is no such release.
        CorruptArtefact: it does not verify.
        InputError: it is the live one, or the share is none.
        LostProcess: it cannot be served.
    """
    context.releases.open(release)
    if release == context.releases.current():
        raise InputError("a release that is not live", release, "Run: python -m jobs releases")
    if not 0 < share <= 1:
        raise InputError("a share above 0 and at most 1", f"{share:g}", "Correct it.")
    folder = ChallengerFolder(context.settings.data_dir)
    with folder.taken():
        id = secrets.token_hex(8)
        command = [sys.executable, "-m", "web.challenger", release, id, str(mode), str(share)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            started = Challenger(process, id)
            try:
                started.wait_until_ready()
                yield started
            finally:
                started.end()
