"""The command line: exit codes, messages, resuming, locks, and the same bytes for the same seed."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from jobs.publish import publish
from jobs.releases import listed as listed_releases
from jobs.releases import sign
from jobs.runner import Context, Job, Stage, open_store, run_stages
from jobs.runs import exclusive_run
from jobs.stages import stage_of
from jobs.terminal import for_people
from recsys.errors import Busy, InputError, StaleArtefact
from recsys.runs.stages import STAGES
from recsys.settings import Settings
from recsys.store import AccessToken, AuditEntry, Run, Scope
from recsys.workspace import exclusive
from tests.commands import job
from tests.newsroom import QUICK, SITE, Toy, fill_toy, toy_settings, train
from tests.service import copy_of

ROOT = Path(__file__).resolve().parents[1]


def environment(folder: Path) -> dict[str, str]:
    """The environment of a command that has everything below ``folder``."""
    (folder / "config.yaml").write_text(yaml.safe_dump(QUICK))
    return {**os.environ, "RECSYS_DATA_DIR": str(folder), "RECSYS_CONFIG": str(folder / "config.yaml")}


def command(folder: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run ``python -m jobs …`` as a stranger would."""
    return job(*words, env=environment(folder) | more)


def unstyled(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def digests(settings: Settings) -> dict[str, str]:
    context = Context(settings, seed=1)
    return {name: context.workspace.record(name).digest for name in STAGES}


def test_the_same_seed_gives_the_same_bytes_whatever_the_threads_and_the_hashes(toy: Toy, tmp_path: Path) -> None:
    settings = toy_settings(tmp_path)
    fill_toy(settings)
    env = environment(tmp_path) | {"OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2", "PYTHONHASHSEED": "7"}
    line = [sys.executable, "-m", "jobs", "all"]  # a process of its own: the toy had one thread
    done = subprocess.run(line, cwd=ROOT, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert digests(settings) == digests(toy.settings)


def test_another_seed_gives_other_vectors_from_the_same_tokens(toy: Toy, tmp_path: Path) -> None:
    settings = toy_settings(tmp_path)
    fill_toy(settings)
    context = Context(settings, seed=2)
    run_stages(context, [stage_of(name) for name in ("events", "tokens", "words")])
    assert context.workspace.record("tokens").digest == digests(toy.settings)["tokens"]
    assert context.workspace.record("words").digest != digests(toy.settings)["words"]


def test_a_second_run_makes_nothing_new_and_a_changed_setting_only_what_hangs_on_it(toy: Toy, tmp_path: Path) -> None:
    copy_of(toy, tmp_path)
    settings, every = toy_settings(tmp_path), [stage_of(name) for name in STAGES]
    assert run_stages(Context(settings, seed=1), every) == 1  # events always looks into the store
    changed = settings.model_copy(update={"ctr": settings.ctr.model_copy(update={"epochs": 3})})
    before = digests(settings)
    run_stages(Context(changed, seed=1), every)
    moved = {name for name, digest in digests(settings).items() if digest != before[name]}
    assert moved == {"ctr", "report"}


def test_a_stage_alone_says_which_artefact_is_missing_and_what_makes_it(tmp_path: Path) -> None:
    settings = toy_settings(tmp_path)
    fill_toy(settings)
    done = command(tmp_path, "keywords")
    assert done.returncode == 1
    assert "python -m jobs tokens" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_key_is_refused_with_exit_code_2(tmp_path: Path) -> None:
    done = command(tmp_path, "events", RECSYS_ITEMS__WIDOW="3")
    assert done.returncode == 2
    assert "Did you mean 'RECSYS_ITEMS__WINDOW'" in done.stderr


def test_an_unknown_job_is_a_usage_error(tmp_path: Path) -> None:
    assert command(tmp_path, "item").returncode == 2


def test_help_lists_every_job_and_does_not_wait_for_torch(tmp_path: Path) -> None:
    done = command(tmp_path, "--help")
    assert done.returncode == 0
    assert all(
        name in done.stdout for name in [*STAGES, "all", "publish", "rollback", "releases", "evaluate", "import"]
    )
    probe = "import sys, jobs.__main__; print([m for m in ('torch', 'matplotlib', 'gensim') if m in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", probe], cwd=ROOT, capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"


def test_a_stage_says_one_line_at_the_start_and_one_at_the_end(tmp_path: Path) -> None:
    fill_toy(toy_settings(tmp_path))
    done = command(tmp_path, "events")
    assert done.returncode == 0, done.stderr
    start, end = done.stderr.strip().splitlines()
    for part in ("event=start", "stage=events", "seed=1", "not made yet"):
        assert part in start
    for part in ("event=done", "events=", "articles=16", "seconds=", "peak_mib="):
        assert part in end


def test_a_run_while_the_workspace_is_taken_is_refused_and_nothing_is_touched(tmp_path: Path) -> None:
    settings = toy_settings(tmp_path)
    fill_toy(settings)
    with exclusive(tmp_path / "work" / ".lock", "the workspace"):
        done = command(tmp_path, "events")
    assert done.returncode == 1
    assert "Busy" in done.stderr
    assert not (tmp_path / "work" / "events").exists()


def test_a_second_run_is_told_which_one_is_in_its_way(tmp_path: Path) -> None:
    context = Context(toy_settings(tmp_path), seed=1)
    with (
        exclusive_run(context, "all", None),
        pytest.raises(Busy, match="'all' running in process"),
        exclusive_run(context, "items", None),
    ):
        pass


def test_a_data_folder_that_cannot_be_is_one_line_and_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = command(tmp_path, "events", RECSYS_DATA_DIR=str(tmp_path / "file"))
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert "RECSYS_DATA_DIR" in done.stderr


def test_a_stage_ended_by_a_signal_is_interrupted_and_frees_the_workspace(tmp_path: Path) -> None:
    settings = toy_settings(tmp_path)
    fill_toy(settings)
    run_stages(Context(settings, seed=1), [stage_of(name) for name in ("events", "tokens")])
    slow = {**QUICK, "words": {**QUICK["words"], "epochs": 100_000}}
    (tmp_path / "slow.yaml").write_text(yaml.safe_dump(slow))
    env = {**os.environ, "RECSYS_DATA_DIR": str(tmp_path), "RECSYS_CONFIG": str(tmp_path / "slow.yaml")}
    line = [sys.executable, "-m", "jobs", "words"]
    with subprocess.Popen(line, cwd=ROOT, env=env, stderr=subprocess.PIPE, text=True) as child:
        assert child.stderr is not None
        assert "event=start" in child.stderr.readline()
        time.sleep(0.5)
        child.send_signal(signal.SIGTERM)
        assert child.wait(30) == 128 + signal.SIGTERM
    store = open_store(toy_settings(tmp_path))
    newest = store.runs(limit=1)[0]
    store.close()
    assert (newest.job, newest.state, newest.holder) == ("words", "interrupted", None)
    assert not list((tmp_path / "work").glob(".tmp-*"))


def test_a_signal_that_a_library_swallowed_ends_the_run_before_the_next_stage(tmp_path: Path) -> None:
    fill_toy(toy_settings(tmp_path))
    code = (
        "import os, signal\n"
        "from jobs import terminal\n"
        "from jobs.__main__ import app\n"
        "signal.signal(signal.SIGTERM, terminal._end)\n"
        "try:\n    os.kill(os.getpid(), signal.SIGTERM)\nexcept SystemExit:\n    pass\n"
        "terminal.main(lambda: app(['events']))\n"
    )
    env = {**os.environ, "RECSYS_DATA_DIR": str(tmp_path)}
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, check=False).returncode == 143
    assert not (tmp_path / "work" / "events").exists()


def test_a_signal_that_comes_when_a_command_has_done_its_work_leaves_no_traceback() -> None:
    code = (
        "import atexit, os, signal\n"
        "from jobs import terminal\n"
        "atexit.register(lambda: os.kill(os.getpid(), signal.SIGTERM))\n"
        "terminal.main(lambda: print('done'))\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "done\n", "")


def test_stages_of_other_settings_or_another_seed_are_not_published(toy: Toy) -> None:
    run = Run(id="stale", job="publish", created_at=0)
    changed = toy.settings.model_copy(update={"ctr": toy.settings.ctr.model_copy(update={"epochs": 3})})
    for context in (Context(changed, seed=1), Context(toy.settings, seed=2)):
        with pytest.raises(StaleArtefact, match="python -m jobs all"):
            publish(context, list(STAGES), run)


def test_an_event_is_laid_out_for_people_with_an_error_s_parts_below_each_other() -> None:
    event = {"at": "12:00:00", "level": "info", "event": "done", "stage": "words", "words": 5757, "dry_run": False}
    assert unstyled(for_people(None, "", event)) == "12:00:00  words       done        words 5,757  dry run no"
    error = {"at": "12:00:00", "level": "error", "event": "Busy", "expected": "a", "got": "b", "remedy": "c"}
    lines = unstyled(for_people(None, "", error)).splitlines()
    assert [line.split() for line in lines[1:]] == [["expected", "a"], ["got", "b"], ["remedy", "c"]]


def test_every_run_leaves_its_row_in_the_store(tmp_path: Path) -> None:
    settings = toy_settings(tmp_path)
    fill_toy(settings)
    assert command(tmp_path, "events").returncode == 0
    assert command(tmp_path, "keywords").returncode == 1
    store = open_store(settings)
    newest, oldest = store.runs(limit=10)
    store.close()
    assert (oldest.job, oldest.state, oldest.holder) == ("events", "succeeded", None)
    assert (newest.job, newest.state) == ("keywords", "failed")
    assert "python -m jobs tokens" in str(newest.error)


def test_a_killed_run_frees_the_workspace_and_all_goes_on_where_it_was(tmp_path: Path) -> None:
    settings = toy_settings(tmp_path, words={**QUICK["words"], "epochs": 20_000})
    fill_toy(settings)
    slow = {**QUICK, "words": {**QUICK["words"], "epochs": 20_000}}
    (tmp_path / "slow.yaml").write_text(yaml.safe_dump(slow))
    env = {**os.environ, "RECSYS_DATA_DIR": str(tmp_path), "RECSYS_CONFIG": str(tmp_path / "slow.yaml")}
    with subprocess.Popen([sys.executable, "-m", "jobs", "all"], cwd=ROOT, env=env, stderr=subprocess.DEVNULL) as child:
        deadline = time.monotonic() + 600
        while not list((tmp_path / "work").glob(".tmp-words-*")) and time.monotonic() < deadline:
            time.sleep(0.05)
        child.send_signal(signal.SIGKILL)
    assert (tmp_path / "work" / "tokens").is_dir()
    assert not (tmp_path / "work" / "words").exists()
    done = command(tmp_path, "all")
    assert done.returncode == 0, done.stderr
    assert 'event="up to date" stage=tokens' in done.stderr
    assert not list((tmp_path / "work").glob(".tmp-*"))
    store = open_store(settings)
    runs = store.runs(limit=10)
    store.close()
    assert [run.state for run in runs] == ["succeeded", "interrupted"]
    assert "without a word" in str(runs[1].error)


def moves(settings: Settings) -> list[AuditEntry]:
    """The audit, newest first."""
    store = open_store(settings)
    entries = store.audit(SITE, 99)
    store.close()
    return entries


def test_publish_rollback_and_releases_from_the_command_line(
    toy: Toy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings, first = copy_of(toy, tmp_path), toy.release().name
    assert command(tmp_path, "rollback").returncode == 1
    fewer = settings.model_copy(update={"ctr": settings.ctr.model_copy(update={"epochs": 5})})
    second = train(fewer)
    listed = command(tmp_path, "releases").stdout
    assert first in listed
    assert next(line for line in listed.splitlines() if "live" in line).split()[1] == second
    assert command(tmp_path, "rollback", "--reason", "all football").returncode == 0
    assert (tmp_path / "releases" / "CURRENT").read_text().strip() == first
    rows = listed_releases(Context(fewer, seed=1))
    assert [(row["name"], row["state"]) for row in rows] == [(second, "candidate"), (first, "live")]
    assert "all football" in rows[0]["reason"]
    capsys.readouterr()
    assert train(fewer) == first, "the next night"
    told = unstyled("".join(capsys.readouterr()))
    assert "the same inputs gave the release that was rolled back: it stays a candidate; promote it by name" in told
    assert command(tmp_path, "promote", second, "--reason", "it was the weather").returncode == 0
    assert (tmp_path / "releases" / "CURRENT").read_text().strip() == second
    wanted = [("promote", second), ("rollback", first), ("publish", second), ("publish", first)]
    assert [(entry.verb, entry.object) for entry in moves(settings)] == [(v, f"release {name}") for v, name in wanted]
    back = moves(settings)[1]
    assert (back.before, back.after, back.details) == ({"live": second}, {"live": first}, {"reason": "all football"})


def test_releases_are_signed_by_name_and_all_that_verify_with_a_new_key(toy: Toy, tmp_path: Path) -> None:
    copy_of(toy, tmp_path)
    context = Context(toy.settings.model_copy(update={"data_dir": tmp_path}), seed=1)
    name, key = toy.release().name, (tmp_path / "releases.key").read_bytes()
    (tmp_path / "releases" / name / "manifest.sig").unlink()
    refused = command(tmp_path, "promote", name)
    assert (refused.returncode, f"python -m jobs sign {name}" in unstyled(refused.stderr)) == (1, True)
    with pytest.raises(InputError, match="the names of releases"):
        sign(context, [], new_key=False)
    sign(context, [], new_key=True)
    assert not (tmp_path / "releases" / name / "manifest.sig").exists(), "nobody vouched for it"
    assert command(tmp_path, "sign", name, "--new-key").returncode == 0
    assert context.releases.open().name == name
    assert (tmp_path / "releases.key").read_bytes() != key
    assert [entry.verb for entry in moves(context.settings)] == ["sign", "new key", "new key", "publish"]


def test_a_token_is_shown_once_and_stored_only_as_a_hash(tmp_path: Path) -> None:
    made = command(tmp_path, "token", "desk", "--role", "owner")
    secret = made.stdout.strip()
    assert made.returncode == 0
    assert len(secret) >= 32
    assert secret.encode() not in (tmp_path / "store.db").read_bytes()
    store = open_store(toy_settings(tmp_path))
    assert store.token(secret) == AccessToken("desk", Scope.OWNER, SITE)
    key = command(tmp_path, "token", "cms", "--role", "write", "--site", "weekly").stdout.strip()
    assert store.token(key) == AccessToken("cms", Scope.WRITE, "weekly")
    assert command(tmp_path, "token", "desk", "--revoke").returncode == 0
    assert store.token(secret) is None
    store.close()
    assert command(tmp_path, "token", "desk", "--revoke").returncode == 2


def test_the_demo_newsroom_is_simulated_once(tmp_path: Path) -> None:
    few = {"RECSYS_SIMULATE__READERS": "20", "RECSYS_SIMULATE__DAYS": "1"}
    first = command(tmp_path, "simulate", **few)
    assert first.returncode == 0, first.stderr
    again = command(tmp_path, "simulate", **few)
    assert "nothing simulated" in again.stderr
    store = open_store(toy_settings(tmp_path))
    assert sum(1 for _ in store.articles(SITE)) > 150
    store.close()


@pytest.mark.parametrize("name", list(STAGES))
def test_every_stage_is_a_thin_file_of_its_name(name: str) -> None:
    source = (ROOT / "jobs" / f"{name}.py").read_text(encoding="utf-8")
    assert stage_of(name)[0].name == name
    assert source.startswith('"""')
    assert len(source.splitlines()) <= 115


def test_make_asks_the_one_list_of_stages() -> None:
    shown = subprocess.run(["make", "--silent", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert shown.stdout.splitlines()[-1].split() == ["stages:", *STAGES]


def test_progress_says_which_stage_of_how_many_and_how_long_those_left_took(tmp_path: Path) -> None:
    context, seen = Context(toy_settings(tmp_path), seed=1, fresh=True), list[dict[str, Any]]()

    def work(job: Job) -> dict[str, int | float]:
        seen.append(dict(context.progress))
        (job.out / "x.txt").write_text("x")
        time.sleep(0.8)
        return {}

    stages = [(Stage("a"), work), (Stage("b", ("a",)), work)]
    for _ in range(2):
        assert run_stages(context, stages) == 2
    told = [(one["stage"], one["stage_number"], one["stages"]) for one in seen]
    assert told == [("a", 1, 2), ("b", 2, 2)] * 2
    first, *_, last_but_one, last = [one["seconds_left"] for one in seen]
    assert (first, last_but_one > last > 0) == (0, True)
    seen.clear()
    run_stages(context, stages[:1], left=stages[1:])
    run_stages(context, stages[1:], done=stages[:1])
    assert [(one["stage"], one["stage_number"], one["stages"]) for one in seen] == [("a", 1, 2), ("b", 2, 2)]
