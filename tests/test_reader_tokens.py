"""Reader tokens: what is taken, what is not, and that a site's own five lines make one."""

import base64
import hashlib
import hmac
import re
import time
from pathlib import Path

import pytest

from recsys.keys import rotate
from recsys.serving.reader_tokens import DAY_SECONDS, MAX_TOKEN, MAX_TOKEN_DAYS, READERS_KEY, ReaderTokens, TokenState
from recsys.store import is_made_here, new_reader_id

SITE = "daily"
NOW = 1_800_000_000.5
DOCS = Path(__file__).parents[1] / "docs" / "readers-rights.md"


class Clock:
    """Seconds that stand still until they are moved."""

    now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tokens(tmp_path: Path, clock: Clock) -> ReaderTokens:
    return ReaderTokens(tmp_path, SITE, clock)


def made(tokens: ReaderTokens, reader: str, seconds: int = 60) -> str:
    token = tokens.make(reader, seconds)
    assert token is not None
    return token


MADE_HERE = pytest.param(new_reader_id(), id="made here")


@pytest.mark.parametrize("reader", ["ann", "-4110354420726924665", "读者 7", "a.b/c?d#e", "x" * 256, MADE_HERE])
def test_a_token_proves_its_reader_until_it_expires(tokens: ReaderTokens, clock: Clock, reader: str) -> None:
    token = made(tokens, reader)
    assert re.fullmatch(r"[A-Za-z0-9._-]+", token), "it passes in a header and in an address"
    assert tokens.check(token) == (TokenState.VALID, reader, int(NOW) + 60)
    clock.now = int(NOW) + 59.9
    assert tokens.check(token).reader == reader
    clock.now = int(NOW) + 60
    assert tokens.check(token) == (TokenState.EXPIRED, None, int(NOW) + 60)


def test_no_part_of_a_token_can_be_changed(tokens: ReaderTokens) -> None:
    token = made(tokens, "ann")
    for place, letter in enumerate(token):
        for other in "0A-z.":
            if other != letter:
                changed = token[:place] + other + token[place + 1 :]
                assert tokens.check(changed).reader is None, (place, other)
    for cut in range(len(token)):
        assert tokens.check(token[:cut]).state is TokenState.INVALID


def test_a_token_of_another_site_or_key_proves_nothing(tokens: ReaderTokens, tmp_path: Path, clock: Clock) -> None:
    other_site = ReaderTokens(tmp_path, "weekly", clock)
    assert tokens.check(made(other_site, "ann")).state is TokenState.INVALID
    other_key = ReaderTokens(tmp_path / "elsewhere", SITE, clock)
    assert tokens.check(made(other_key, "ann")).state is TokenState.INVALID


@pytest.mark.parametrize("text", ["", "1", "a" * 10_000, "1.0000.1.YQ.x", "\x00", "é" * 40, "1.1.1.1.1", "Bearer x"])
def test_whatever_else_comes_as_a_token_proves_nothing(tokens: ReaderTokens, text: str) -> None:
    assert tokens.check(text) == (TokenState.INVALID, None, 0)


def test_a_name_for_nothing_is_no_reader_however_well_it_is_signed(tokens: ReaderTokens) -> None:
    for reader in ("null", " ", "a\nb"):
        assert tokens.check(made(tokens, reader)).state is TokenState.INVALID
    assert tokens.check(made(tokens, " 12.0 ")).reader == "12", "the same form as in the events"


def test_a_clock_a_day_ahead_signs_what_is_taken_and_no_token_is_for_ever(tokens: ReaderTokens, clock: Clock) -> None:
    whole = MAX_TOKEN_DAYS * DAY_SECONDS
    signer_ahead = made(tokens, "ann", whole + DAY_SECONDS - 1)
    assert tokens.check(signer_ahead).state is TokenState.VALID
    assert tokens.check(made(tokens, "ann", whole + DAY_SECONDS + 1)).state is TokenState.INVALID
    signer_behind = made(tokens, "ann", -DAY_SECONDS + 3600)  # signed for an hour by a clock a day behind
    assert tokens.check(signer_behind).state is TokenState.EXPIRED, "this machine's clock decides"


def test_a_token_of_yesterdays_key_is_taken_while_that_key_is(tmp_path: Path, clock: Clock) -> None:
    token = made(ReaderTokens(tmp_path, SITE, clock), "ann", 10 * DAY_SECONDS)
    rotate(tmp_path / READERS_KEY, 2, clock)
    tokens = ReaderTokens(tmp_path, SITE, clock)
    assert made(tokens, "ann") != token
    clock.now = NOW + DAY_SECONDS
    assert ReaderTokens(tmp_path, SITE, clock).check(token).reader == "ann"
    clock.now = NOW + 2 * DAY_SECONDS
    assert ReaderTokens(tmp_path, SITE, clock).check(token).state is TokenState.INVALID


def test_without_a_key_nothing_is_signed_and_nothing_proven(tokens: ReaderTokens, tmp_path: Path) -> None:
    token = made(tokens, "ann")
    (tmp_path / READERS_KEY).write_bytes(b"")
    lame = ReaderTokens(tmp_path, SITE)
    assert lame.make("ann", 60) is None
    assert lame.check(token).state is TokenState.INVALID


def test_the_five_lines_of_the_docs_make_a_token(tmp_path: Path) -> None:
    tokens = ReaderTokens(tmp_path, SITE)
    made(tokens, "ann")
    code = re.search(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert code is not None
    given = {"key": (tmp_path / READERS_KEY).read_bytes(), "site": SITE, "reader": "读者 7"}
    names = {"base64": base64, "hashlib": hashlib, "hmac": hmac, "time": time} | given
    exec(code[1], names)
    assert len([line for line in code[1].splitlines() if line.strip() and not line.startswith("import")]) == 5
    assert tokens.check(str(names["token"])).reader == "读者 7"


def test_ids_that_are_made_here_are_known_by_their_form_and_nobody_guesses_one() -> None:
    ids = {new_reader_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert all(map(is_made_here, ids))
    for other in ("ann", "gyl-", "gyl-" + "a" * 21, "gyl-" + "a" * 23, "xgyl-" + "a" * 22, "gyl-" + "a" * 21 + "!"):
        assert not is_made_here(other)


def test_checking_costs_less_than_a_fiftieth_of_a_list(tokens: ReaderTokens) -> None:
    token = made(tokens, new_reader_id())
    best = float("inf")
    for _ in range(20):
        began = time.perf_counter()
        for _ in range(100):
            tokens.check(token)
        best = min(best, (time.perf_counter() - began) / 100)
    assert best < 40e-6, f"{best * 1e6:.1f} µs"
    assert len(token) < MAX_TOKEN
