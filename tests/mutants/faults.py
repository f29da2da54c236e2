"""The faults that ``make mutants`` plants, one at a time, each with the tests that should notice it.

They stand in what is easily wrong and hardly seen: thresholds, locks, lifecycles, freshness, gates and guards.
"""

from typing import NamedTuple


class Fault(NamedTuple):
    """One planted fault.

    Attributes:
        name: what goes wrong, in a few words.
        file: where, as a path below the project's root.
        text: the source that is replaced; it stands in the file exactly once.
        instead: the source that is wrong.
        tests: files that should notice.
    """

    name: str
    file: str
    text: str
    instead: str
    tests: tuple[str, ...]


RUNS = ("tests/test_runs.py", "tests/test_jobs.py")
RELEASES = ("tests/test_releases.py", "tests/test_publish.py")
STATES = ("tests/test_release_states.py",)
CANDIDATES = ("tests/test_gate.py",)
EXPERIMENTS = ("tests/test_experiments.py",)
AUDIENCES = ("tests/test_audiences.py", "tests/test_served_offline.py")
STORE = ("tests/test_store.py", "tests/test_store_articles.py", "tests/test_operators.py", "tests/test_forgetting.py")
PUBLISHING = ("tests/test_store_publishing.py", "tests/test_publisher.py")
PEOPLE = ("tests/test_people.py", "tests/test_live_state.py")
VISITS = ("tests/test_visits.py", "tests/test_reader_memory.py")
READERS = ("tests/test_reader_memory.py",)
LIVE = ("tests/test_live_state.py", "tests/test_serving.py", "tests/test_serving_live.py", "tests/test_forgetting.py")
MEMORY = (
    "tests/test_reader_memory.py",
    "tests/test_live_state.py",
    "tests/test_serving.py",
    "tests/test_forgetting.py",
)
CATALOGUE = ("tests/test_catalogue.py", "tests/test_live_state.py", "tests/test_recommend.py")
LISTS = ("tests/test_recommend.py", "tests/test_recommend_reasons.py", "tests/test_recommend_rank.py")
EVENTS = ("tests/test_api_events.py",)
GATE = ("tests/test_ctr_release.py", "tests/test_publish.py")
TRAINING = ("tests/test_ctr_training.py", "tests/test_ctr_release.py")
CTR_DATA = ("tests/test_ctr_data.py", "tests/test_ctr_training.py")
GATEWAY = ("tests/test_gateway.py",)
PROCESS = ("tests/test_process.py",)
SUCCESSION = ("tests/test_succession.py",)
RELEASED = ("tests/test_released_catalogue.py",)
CHECKPOINTS = ("tests/test_checkpoints.py",)
CALIBRATION = ("tests/test_ctr_release.py", "tests/test_ctr.py")
OFF_POLICY = ("tests/test_off_policy.py",)
EXPLORE = ("tests/test_explore.py",)
OUTCOMES = ("tests/test_outcomes.py",)
WIDGET = ("tests/test_widget_elsewhere.py", "tests/test_widget.py", "tests/test_payloads.py")
EDITORIAL = ("tests/test_recommend_editorial.py", "tests/test_store_editorial.py", "tests/test_editorial.py")
CHALLENGERS = ("tests/test_challenger.py",)
WRITTEN = ("tests/test_written_form.py",)
SLOT = ("tests/test_exploration.py",)
READER_TOKENS = ("tests/test_reader_tokens.py",)
KEYS = ("tests/test_keys.py",)
RIGHTS = ("tests/test_reader_rights.py",)
CHOSEN = ("tests/test_chosen.py",)
CHOICES = ("tests/test_choices.py",)
STORY_EDITS = ("tests/test_story_labels.py", "tests/test_story_edits.py", "tests/test_story_index.py")
STORIES = ("tests/test_recommend_stories.py",)
ACCESS = ("tests/test_access.py", "tests/test_roles.py")
SESSIONS = ("tests/test_sessions.py",)
LOGS = ("tests/test_logs.py",)
BACKUP = ("tests/test_backup.py",)
AUDIT = ("tests/test_audit.py",)
CONSOLE = ("tests/test_console.py",)
LOOKS = ("tests/test_console_experiments.py",)
PIPELINE = ("tests/test_console_pipeline.py",)
CONSOLE_WORDS = ("tests/test_console_words.py",)
CONSOLE_PEOPLE = ("tests/test_console_people.py",)
CONSOLE_STORIES = ("tests/test_console_stories.py",)
FILING = ("tests/test_filing.py",)
RETENTION = ("tests/test_retention.py",)
FORWARDING = ("tests/test_forwarding.py",)
TRUST = ("tests/test_trust.py",)
VOUCHING = ("tests/test_vouching.py", "tests/test_trust.py")
COUNTED_PAST = ("tests/test_counted_past.py",)
CELLS = ("tests/test_index_cells.py", "tests/test_index.py")
ENTITIES = ("tests/test_entities.py",)
FORECAST = ("tests/test_forecast.py",)
FORECAST_ARTICLES = ("tests/test_forecast_articles.py",)
ALERTS = ("tests/test_forecast_expected.py",)
OUTLOOK = ("tests/test_outlook.py",)
SITE_NAMES = ("tests/test_site_names.py",)
FINDING = ("tests/test_entity_finding.py",)


def _in(file: str, tests: tuple[str, ...], *faults: tuple[str, str, str]) -> tuple[Fault, ...]:
    """Faults of one file: name, text, what stands there instead."""
    return tuple(Fault(name, file, text, instead, tests) for name, text, instead in faults)


FAULTS: tuple[Fault, ...] = (
    *_in(
        "recsys/runs/lifecycle.py",
        RUNS,
        ("a counter that stands is taken for one that moves", "since if beats == run.beats else now", "now"),
        ("a run that moves is given up", "since if beats == run.beats else now", "since"),
        (
            "a cancelled run is tried again",
            " or run.cancelled_by is not None:\n        return None",
            ":\n        return None",
        ),
        ("a run is tried for ever", "not 0 < run.attempt < MAX_ATTEMPTS", "not 0 < run.attempt"),
        ("a command is tried again behind its user's back", "not 0 < run.attempt <", "not 0 <= run.attempt <"),
        ("whoever holds the lock waits for the dead", "if other.workspace == workspace.id:", "if False:"),
        ("the lock of one workspace ends the runs of another", "if other.workspace == workspace.id:", "if True:"),
        (
            "a run that was told to end counts as failed",
            'state, error = "interrupted", f"its',
            'state, error = "failed", f"its',
        ),
        (
            "a run that lost its row goes on",
            "if row is None or row.cancelled_by is not None:",
            "if row is not None and row.cancelled_by:",
        ),
    ),
    *_in(
        "recsys/store/runs.py",
        RUNS,
        (
            "two workers take two runs of one workspace",
            "if connection.execute(select(runs.c.id).where(runs.c.holder == holder)).first() is not None:",
            "if False:",
        ),
        (
            "a run that was given up writes how it ended",
            '(runs.c.state == "running") & (runs.c.fence == run.fence)',
            "(runs.c.fence == run.fence)",
        ),
        ("numbers do not grow", '"fence": newest + 1', '"fence": newest or 1'),
        (
            "a counter that moved is given up all the same",
            "update(runs).where(_still(run), runs.c.beats == run.beats)",
            "update(runs).where(_still(run))",
        ),
        (
            "a request that is sent again makes a second run",
            "if run.key is not None and (same :=",
            "if False and (same :=",
        ),
    ),
    *_in(
        "recsys/runs/schedules.py",
        ("tests/test_schedules.py",),
        ("Sunday is Monday", '_DAYS = ("sun", "mon",', '_DAYS = ("mon", "sun",'),
        ("a time that comes twice is due twice", "return local.fold == 1 and", "return False and"),
        ("a week ends on Saturday for good", "end += 7 if end < begin else 0", "end += 0"),
    ),
    *_in(
        "recsys/store/schedules.py",
        ("tests/test_schedules.py",),
        ("each worker fires a schedule", "still = (schedules.c.next_at == schedule.next_at) &", "still ="),
        (
            "a run is queued behind one that waits",
            "if connection.execute(select(runs.c.id).where(same)).first() is not None:",
            "if False:",
        ),
    ),
    *_in(
        "recsys/runs/worker.py",
        ("tests/test_worker.py", "tests/test_schedules.py"),
        (
            "a run that ended well is ended on its way out",
            'row.state == "interrupted" or row.cancelled_by',
            'row.state != "running" or row.cancelled_by',
        ),
        ("a killed child's run is not tried again", "elif code < 0:", "elif code < -99:"),
        ("a schedule that a wrong clock put off stays so", "self._store.move_schedule(schedule, jittered)", "pass"),
        ("no limit of memory", "if memory and _resident_bytes", "if False and _resident_bytes"),
    ),
    *_in(
        "recsys/runs/commands.py",
        RUNS,
        ("a seed of 2^32 passes", "not 0 <= seed < _SEEDS", "not 0 <= seed <= _SEEDS"),
    ),
    *_in(
        "recsys/releases/__init__.py",
        RELEASES,
        (
            "a clock that was set back makes an older release",
            "return int(max(time.time() * 1000, newest + 1))",
            "return int(time.time() * 1000)",
        ),
        (
            "a release is live without being verified",
            "        self.open(name)\n        if not force",
            "        if not force",
        ),
        (
            "stages of different nights are published together",
            "if older := workspace.stale(served):",
            "if older := workspace.stale(served) * 0:",
        ),
    ),
    *_in(
        "recsys/releases/__init__.py",
        (*RELEASES, *STATES),
        (
            "rollback goes to the oldest",
            "self.activate(name or earlier[-1], by",
            "self.activate(name or earlier[0], by",
        ),
        ("a candidate is rolled back to", "if self.state(old).state is ReleaseState.RETIRED]", "if old]"),
        ("what was taken back is made anew", "is ReleaseState.CANDIDATE]", "is ReleaseState.SHADOW]"),
        (
            "a candidate that was made a moment ago counts as served",
            '        self._record({name: new_record(ReleaseState.CANDIDATE, by, "made")})',
            "        self._record({})",
        ),
    ),
    *_in(
        "recsys/releases/checks.py",
        (*RELEASES, *STATES),
        (
            "changed bytes pass when the size is right",
            ' or sha256_of(folder / file) != facts["sha256"]:\n            raise CorruptArtefact(f"the bytes',
            ':\n            raise CorruptArtefact(f"the bytes',
        ),
        ("files that were added pass", 'if present != set(manifest["files"]):', 'if set(manifest["files"]) - present:'),
        (
            "a release of another format passes",
            'if manifest.get("format") != RELEASE_FORMAT:',
            'if manifest.get("format") is None:',
        ),
        ("a link counts as the file that it leads to", "entry.is_file(follow_symlinks=False)", "entry.is_file()"),
        ("a release passes under any name", 'if values.get("name") != folder.name:', 'if not values.get("name"):'),
    ),
    *_in(
        "recsys/releases/signing.py",
        STATES,
        (
            "a manifest that was changed passes",
            "if not hmac.compare_digest(signature, _line(key.id, key.secret, manifest)):",
            "if not signature:",
        ),
        ("a release without a signature passes", "if not signature:\n", "if not manifest:\n"),
    ),
    *_in(
        "recsys/releases/states.py",
        STATES,
        ("what was taken back is forgotten", "reason=reason), taken_back=back)", "reason=reason))"),
    ),
    *_in(
        "recsys/releases/retention.py",
        (*RELEASES, *STATES),
        ("one release too many goes", "*served[:-keep]", "*served[: 1 - keep]"),
        (
            "pruning removes the live release",
            "if name in gone and states[name] is not ReleaseState.LIVE]",
            "if name in gone]",
        ),
        ("none is left to roll back to", "[*retired[:-1], *waiting]", "[*retired, *waiting]"),
    ),
    *_in(
        "recsys/releases/writing.py",
        RELEASES,
        (
            "a release carries every file of a stage",
            "if any(fnmatchcase(name, pattern) for pattern in patterns):",
            "if patterns or any(fnmatchcase(name, pattern) for pattern in patterns):",
        ),
    ),
    *_in(
        "recsys/gate/interval.py",
        CANDIDATES,
        ("lists count, and not readers", "np.bincount(cluster, difference - mean)", "difference - mean"),
        ("worse by the margin need not be excluded", "self.low > -margin if", "self.high > -margin if"),
        ("a small site keeps its first release", "else self.high >= 0)", "else self.low >= 0)"),
    ),
    *_in(
        "recsys/gate/judging.py",
        CANDIDATES,
        (
            "lists judge that the live release has learned from",
            "new = lists.time > live.newest",
            "new = lists.time > 0",
        ),
        ("what is foreseen passes", "found.low <= FORESEEN", "found.high <= 1"),
        ("NaN passes", "if not (np.isfinite(served).all() and", "if not (served.size and"),
        ("the live release's knowledge is held against a candidate", "lacks = HANDICAP if", "lacks = 0.0 if"),
    ),
    *_in(
        "recsys/gate/layout.py",
        CANDIDATES,
        (
            "what came later counts as a release's own",
            "tuple(artefacts.catalogue.ids)  # before",
            "artefacts.catalogue.ids  # before",
        ),
    ),
    *_in(
        "recsys/gate/moved.py",
        ("tests/test_compare.py",),
        ("a word is its own neighbour", "cosine[np.arange(len(here)), here] = -np.inf", "pass"),
        ("long words are near", "(vectors[here] @ vectors.T) / length", "vectors[here] @ vectors.T"),
    ),
    *_in(
        "recsys/gate/plausibility.py",
        CANDIDATES,
        ("last week's counts pass", "mine.counted_through >= at_least", "mine.counted_through >= 0"),
        ("half of the catalogue may go", "LEAST_OF_LIVE = 0.8", "LEAST_OF_LIVE = 0.4"),
        ("vectors of others pass", "kept > least", "kept >= 0"),
        ("what lies ahead passes", "mine.newest <= log_newest", "mine.newest >= 0"),
    ),
    *_in(
        "recsys/experiments/sequential.py",
        EXPERIMENTS,
        ("the boundary does not know how many looked", "math.log(math.sqrt(spread) / alpha)", "math.log(1 / alpha)"),
    ),
    *_in(
        "recsys/store/experiments.py",
        ("tests/test_experiments_store.py",),
        ("a window before counts as the one after", "for part in (after, ~after)", "for part in (~after, after)"),
        ("strangers' events count in an experiment", "events.c.proof.is_(None) |", "events.c.site.is_not(None) |"),
        ("who was forgotten is exposed again", "if row.reader not in gone", "if row.reader"),
        (
            "two experiments run at once",
            "experiments.c.stopped_at.is_(None)\n            if (other",
            "experiments.c.stopped_at.is_not(None)\n            if (other",
        ),
    ),
    *_in(
        "recsys/serving/live_experiments.py",
        ("tests/test_experiments_live.py",),
        ("every arm is served as the site is", "other.config = served.sections[arm]", "other.config = self._base"),
        ("a stranger takes part", "if served is None or reader is None:", "if served is None:"),
    ),
    *_in(
        "recsys/experiments/report.py",
        ("tests/test_experiments_live.py",),
        ("a broken exposure has figures", "if ratio < SUSPICIOUS_RATIO:", "if ratio < 0:"),
        ("a guardrail stands the wrong way", '"click_rate": -1', '"click_rate": 1'),
    ),
    *_in(
        "recsys/experiments/effects.py",
        EXPERIMENTS,
        ("the past is added", "control.mean - theta * past", "control.mean + theta * past"),
        ("few readers decide", "FEWEST_READERS = 50", "FEWEST_READERS = 2"),
        ("a ratio that is off is chance", "return chi_square_tail(distance, ", "return 1 - chi_square_tail(distance, "),
    ),
    *_in(
        "recsys/experiments/assignment.py",
        EXPERIMENTS,
        ("every experiment divides the readers alike", 'f"{salt}\\0{reader}"', 'f"{reader}"'),
        ("a bucket too many", "if bucket < round(", "if bucket <= round("),
    ),
    *_in(
        "jobs/publish.py",
        ("tests/test_gate_publish.py",),
        ("a refused candidate goes live", "    if not verdict.passed:\n", "    if not verdict.release:\n"),
    ),
    *_in(
        "recsys/releases/__init__.py",
        ("tests/test_gate_publish.py",),
        ("what was refused is promoted without force", "if not force and (said", "if force and (said"),
    ),
    *_in(
        "recsys/serving/artefacts.py",
        ("tests/test_config.py",),
        ("a release of before is refused for a setting", 'if f"{name}.{key}" not in REMOVED})', "})"),
    ),
    *_in(
        "recsys/releases/sharing.py",
        ("tests/test_shared_releases.py",),
        ("what is fetched is served unverified", "        self.verified(folder)\n", ""),
        ("the row names what is not there", "        self._address.put(self.root / name)\n", ""),
        ("the live one goes from the address", "if other != name][: -self.config.keep]", "][: -self.config.keep]"),
        ("a host that fetched serves the one before", "                self.name_live(", "                str("),
    ),
    *_in(
        "recsys/releases/address.py",
        ("tests/test_shared_releases.py",),
        ("a manifest of the address names files outside", "if not target.resolve().is_relative_to", "if not str"),
        ("what is here is fetched again", "if same := here.get(facts", "if same := {}.get(facts"),
    ),
    *_in(
        "recsys/parallel/task.py",
        ("tests/test_parallel.py",),
        ("a task makes any function", "if not module.startswith(_OURS):", "if not module:"),
        ("files of a task stay behind", "target.write_bytes(content)", "target.write_bytes(b'')"),
    ),
    *_in(
        "recsys/parallel/processes.py",
        ("tests/test_parallel.py",),
        (
            "results come as they are ready",
            "yield waiting.popleft().result()\n        while",
            "yield waiting.pop().result()\n        while",
        ),
        ("processes stay when one was killed", "            worker.end()\n", "            pass\n"),
    ),
    *_in(
        "jobs/publish.py",
        ("tests/test_jobs.py",),
        (
            "the next night publishes what was rolled back",
            "if before and releases.state(name).taken_back:",
            "if not before:",
        ),
    ),
    *_in(
        "recsys/store/operators.py",
        STORE,
        (
            "an import's hiding counts as an editor's",
            "if row.hidden and row.hidden_by not in (None, IMPORT):",
            "if row.hidden:",
        ),
        (
            "a take-down is no change that others see",
            'values["change"] = next_change(connection, site)\n    connection.execute(update',
            "connection.execute(update",
        ),
    ),
    *_in(
        "recsys/store/merging.py",
        STORE,
        ("a nightly export shows again what an editor hid", 'if hidden != self.row["declared_hidden"]:', "if True:"),
        (
            "an empty title empties the title",
            "            elif value:  # no article",
            "            elif True:  # no article",
        ),
        ("an import brings a deleted article back", "        if key in deleted:\n            continue\n", ""),
    ),
    *_in(
        "recsys/store/forgetting.py",
        STORE,
        (
            "who was forgotten again is noted as cleared",
            "same = this & (forgotten.c.change == record.change)",
            "same = this",
        ),
        (
            "the last one forgotten hides the first",
            'facts = {"forgotten_at": now_ms(), "through": max(through, before)',
            'facts = {"forgotten_at": now_ms(), "through": min(through, before)',
        ),
    ),
    *_in(
        "recsys/store/publishing.py",
        PUBLISHING,
        ("two editors overwrite each other", "if not edit.allows(version):", "if version is None:"),
        ("a put brings a deleted article back", "if key in self.deleted:", "if False:"),
        (
            "a patch makes an article",
            "if old is None and edit.verb is EditVerb.PATCH:",
            "if old is None and edit.verb is None:",
        ),
        ("no change is in the audit", "if desk.audited:", "if not desk.audited:"),
        (
            "an edit twice in a bulk is made from the first",
            "        self.rows[key] = row\n        self.noted",
            "        self.noted",
        ),
    ),
    *_in(
        "recsys/store/bounds.py",
        PUBLISHING,
        (
            "a title has no bound",
            "lambda text: len(text) > most, lambda text: _cut",
            "lambda text: False, lambda text: _cut",
        ),
        (
            "a cut address is kept",
            "lambda text: len(text) > most, _left_out",
            "lambda text: len(text) > most, lambda text: text[:most]",
        ),
    ),
    *_in(
        "recsys/store/lost.py",
        ("tests/test_store.py",),
        ("a lost database is made anew", "if not evidence or file.exists():", "if True:"),
        ("only the marker says that there was a database", "if folder.is_dir() and any(folder.iterdir())", "if False"),
    ),
    *_in(
        "recsys/store/event_writer.py",
        ("tests/test_event_writer.py",),
        ("events wait for ever", "self._changed.wait(deadline - time.monotonic())", "self._changed.wait()"),
        ("nobody shares a transaction", "< MAX_GROUP_EVENTS:", "< 0:"),
        ("the queue has no bound", "> MAX_WAITING_EVENTS:", "> MAX_WAITING_EVENTS * 1000:"),
        ("who gave up is written all the same", "            self._waiting.remove(ticket)\n", ""),
    ),
    *_in(
        "recsys/store/events.py",
        ("tests/test_event_writer.py", "tests/test_store.py"),
        (
            "one caller's error is everybody's",
            "with as_store_error(self._engine.url), connection.begin_nested():",
            "with as_store_error(self._engine.url):",
        ),
        (
            "the same event of two callers is counted twice",
            "                known.add((event.site, event.event_id))\n",
            "",
        ),
    ),
    *_in(
        "recsys/events/people.py",
        PEOPLE,
        (
            "the busiest hour of a person is odd",
            "> MAX_CLICKS_AN_HOUR:\n        return",
            ">= MAX_CLICKS_AN_HOUR:\n        return",
        ),
        (
            "the busiest day of a person is odd",
            "> MAX_CLICKS_A_DAY:\n        return",
            ">= MAX_CLICKS_A_DAY:\n        return",
        ),
        (
            "a robot may stay up one hour longer",
            "if len(clicks) >= SLEEPLESS_HOURS else",
            "if len(clicks) > SLEEPLESS_HOURS else",
        ),
        ("the newest event that counts is held back", "events.before(newest + 1)", "events.before(newest)"),
    ),
    *_in(
        "recsys/events/visitors.py",
        VOUCHING,
        ("any list vouches", "if signed and kind == IMPRESSION and", "if signed and"),
    ),
    *_in(
        "recsys/events/visitors.py",
        PEOPLE,
        (
            "a click repeats one of exactly a day ago",
            "abs(time - click.time) < REPEAT_MS for click in past)",
            "abs(time - click.time) <= REPEAT_MS for click in past)",
        ),
        (
            "a robot's clicks stay counted",
            "            return self._left_out(visitor, past[:-1])",
            "            return self._left_out(visitor, [])",
        ),
        (
            "what was never counted is taken back",
            "if click.counted and click.time != UNDATED))",
            "if click.time != UNDATED))",
        ),
        (
            "one impression too many is still a person's",
            "> MAX_SHOWN_AN_HOUR\n\n    def _left_out",
            ">= MAX_SHOWN_AN_HOUR\n\n    def _left_out",
        ),
        (
            "who is odd is counted again at the next click",
            "        if visitor is not None and visitor in self.odd:\n            return CountedEvent(None)\n",
            "",
        ),
        (
            "one visitor too many is remembered",
            "if len(self._clicks) > self.size:",
            "if len(self._clicks) > self.size + 1:",
        ),
    ),
    *_in(
        "recsys/events/visits.py",
        VISITS,
        ("a pause of exactly the gap ends a visit", "(later - earlier <= gap_ms)", "(later - earlier < gap_ms)"),
        ("visits of two visitors run into each other", "(np.diff(visitor) != 0) | ~same_visit(", "~same_visit("),
        ("an undated click is in a visit", "(earlier != UNDATED) & (later", "(later"),
    ),
    *_in(
        "recsys/readers/state.py",
        READERS,
        (
            "one click too many is kept",
            "_followed(self.clicks, row, self.history)",
            "_followed(self.clicks, row, self.history + 1)",
        ),
        (
            "one click too few is kept",
            "_followed(self.clicks, row, self.history)",
            "_followed(self.clicks, row, self.history - 1)",
        ),
        (
            "one impression too many is kept",
            "_followed(self.rows, row, self.size)",
            "_followed(self.rows, row, self.size + 1)",
        ),
        ("an impression of this very moment is known", "past = self.times < now", "past = self.times <= now"),
        (
            "seen articles are forgotten one too early",
            "        if len(seen) > MAX_SEEN:\n            forgotten",
            "        if len(seen) >= MAX_SEEN:\n            forgotten",
        ),
        (
            "the newest seen articles are forgotten",
            "forgotten, seen = np.split(seen,",
            "seen, forgotten = np.split(seen,",
        ),
        (
            "a dismissed article is not seen",
            "                self.dismissed = np.append(self.dismissed, np.int32(row))\n",
            "                self.dismissed = np.append(self.dismissed, np.int32(row))\n                return\n",
        ),
        (
            "a reader made at once keeps one click too many",
            "times, config.max_history, MAX_IMPRESSIONS",
            "times, config.max_history + 1, MAX_IMPRESSIONS",
        ),
        (
            "what was dismissed returns after a new release",
            "dismissed[dismissed != UNKNOWN_ROW]",
            "dismissed[:0]",
        ),
        (
            "a click of exactly a day later repeats",
            "abs(time - clicked_at) < REPEAT_MS",
            "abs(time - clicked_at) <= REPEAT_MS",
        ),
    ),
    *_in(
        "recsys/serving/reader_memory.py",
        MEMORY,
        ("an event counts twice", "if event.seq <= one.through:", "if event.seq < one.through:"),
        (
            "a reader is loaded and learns the same events again",
            "max(past.seqs, default=0))",
            "0)",
        ),
        (
            "one reader too many is remembered",
            "        if len(held) > self.size:",
            "        if len(held) > self.size + 1:",
        ),
        (
            "whoever was seen last goes first",
            "            held.move_to_end(key)\n    return one",
            "            pass\n    return one",
        ),
        (
            "two readers share a session's reading",
            "self.shared = self.shared or self.owner != reader",
            "self.shared = False",
        ),
        (
            "a forgotten reader's sessions stay",
            "            if one.began in left:",
            "            if one.began in ():",
        ),
    ),
    *_in(
        "recsys/serving/feed.py",
        ("tests/test_restart.py",),
        ("a session is over too early", "time >= now - trends.visits.gap_ms}", "time > now - trends.visits.gap_ms}"),
        ("sessions that are over come back", "if event.session in running else None", "if running else None"),
    ),
    *_in(
        "recsys/serving/day_clicks.py",
        ("tests/test_today.py",),
        (
            "a click of the first millisecond of the day is yesterday's",
            "return self.day.since <= click.time",
            "return self.day.since < click.time",
        ),
        ("the day ends a millisecond late", "if click.time >= self.day.until:", "if click.time > self.day.until:"),
        ("people count as often as they click", " or not self._pairs.add(hash((click.who, click.article)))", ""),
        (
            "people who clicked before are counted again",
            "first[self._pairs.add_all(pairs)]",
            "first[self._pairs.add_all(pairs) | True]",
        ),
        ("what was dated after midnight is lost", "self._early.append(click)", "pass"),
        ("a number that waits to be sorted in is not there", "if number in self._recent:", "if False:"),
    ),
    *_in(
        "recsys/serving/feed.py",
        LIVE,
        (
            "events of the next batch are lost",
            "state.through = events[-1].seq\n\n    def replay",
            "state.through = events[-1].seq + 1\n\n    def replay",
        ),
        ("a new release counts beyond where the old one stands", "if event.seq <= until]", "if event.seq < until]"),
        (
            "hidden articles stay until their texts are read",
            "        take_down()\n        looked = time.monotonic()\n        for",
            "        looked = time.monotonic()\n        for",
        ),
        ("a take-down is seen and forgotten", "        state.catalogue.take_down(*hidden)\n", ""),
        (
            "an article that was read before its take-down is shown again",
            "if article.hidden or state.down.get(article.id, 0) <= newest:",
            "if True:",
        ),
        (
            "an event from ahead of the clock is counted",
            "    if not ahead:\n        counted = ",
            "    if True:\n        counted = ",
        ),
        (
            "articles after the last look are skipped",
            "        state.changed = newest\n        state.down",
            "        state.changed = newest + 1\n        state.down",
        ),
        (
            "a robot's clicks stay in the counts",
            "        state.recommender.trends.uncount(click.row, click.time)",
            "        pass",
        ),
    ),
    *_in(
        "recsys/serving/live.py",
        LIVE,
        ("a clock by which nothing is out empties all lists", "        return counted\n", "        return now\n"),
        (
            "a clock that is behind shows what is not out yet",
            "if counted <= now or state.catalogue.eligible(now).listed:",
            "if counted <= now:",
        ),
        (
            "a new release is taken over without the last events",
            "            self._feed.replay(state, old.state.through)\n",
            "",
        ),
        (
            "a new release shows what was hidden meanwhile",
            "            self._feed.apply_articles(state, functools.partial(self._feed.take_down, state))\n"
            "            rows,",
            "            rows,",
        ),
        (
            "readers keep the rows of the old release",
            "Frame(state, old.memory.moved(old.state.catalogue.ids, rows, readers), today)",
            "Frame(state, old.memory, today)",
        ),
        ("forgotten readers stay in memory", "            self._frame.memory.forget(gone)\n", ""),
        (
            "one trouble ends the polling",
            "except Exception as error:  # the thread that polls must live on",
            "except ZeroDivisionError as error:",
        ),
    ),
    *_in(
        "recsys/serving/release_loader.py",
        LIVE,
        (
            "a refused release is tried again at once",
            "waiting = name == self._refused and self._timer() < self._retry_at",
            "waiting = False",
        ),
        (
            "a refused release is never tried again",
            "waiting = name == self._refused and self._timer() < self._retry_at",
            "waiting = name == self._refused",
        ),
        (
            "a bad live release stops the service",
            "except Exception as error:  # whatever is wrong with it, an older one may serve",
            "except ZeroDivisionError as error:",
        ),
    ),
    *_in(
        "recsys/catalogue/eligibility.py",
        CATALOGUE,
        (
            "an article is shown at the moment of its expiry",
            "(published <= now) & (expires > now)",
            "(published <= now) & (expires >= now)",
        ),
        (
            "an article is not shown at the moment of its publication",
            "(published <= now) & (expires > now)",
            "(published < now) & (expires > now)",
        ),
        ("what comes out next is not waited for", "int(time[time > now].min(", "int(time[time > now].max("),
        ("the best copy is in no list", "listed[best.rows[~first]] = False", "listed[best.rows] = False"),
    ),
    *_in(
        "recsys/catalogue/catalogue.py",
        CATALOGUE,
        (
            "what is hidden stays in the lists",
            "                    self.columns.shown[row] = False",
            "                    self.columns.shown[row] = True",
        ),
        ("a change makes no new list", "            self._version += 1", "            self._version += 0"),
    ),
    *_in(
        "recsys/catalogue/copies.py",
        CATALOGUE,
        (
            "copies of what was read are shown",
            "        return [*wanted.tolist(), *copies.tolist()]",
            "        return wanted.tolist()",
        ),
    ),
    *_in(
        "recsys/recommend/rerank.py",
        LISTS,
        (
            "one article too many of a category",
            "taken[code] < limits[code]",
            "taken[code] <= limits[code]",
        ),
        ("one article too many of a source", "= have < most_of_source", "= have <= most_of_source"),
        (
            "a source with half of its list is offered on",
            "held >= most_of_source(self._shares, code, self.k)",
            "held > most_of_source(self._shares, code, self.k)",
        ),
        ("the largest share of a category is forgotten", "max(least, min(n, int(most * k)))", "max(least, n)"),
    ),
    *_in(
        "recsys/catalogue/eligibility.py",
        LISTS,
        (
            "a source has half of a list though it writes all",
            "minlength=len(shares)) / len(spoken)",
            "minlength=len(shares)) * 0",
        ),
    ),
    *_in(
        "recsys/evaluate/list_figures.py",
        ("tests/test_list_figures.py",),
        ("cards like those above are not kept off", "(1 - MMR_WEIGHT) * nearest", "0 * nearest"),
        ("the limits are not those of the reader", "_limited(shown, k, own, ", "_limited(shown, k, {}, "),
    ),
    *_in(
        "recsys/ctr/scoring.py",
        ("tests/test_ctr_scoring.py",),
        ("the reader's own click rate is left out", "np.float32(self.saved.reader_rate_share) *", "np.float32(0) *"),
    ),
    *_in(
        "recsys/recommend/candidates.py",
        LISTS,
        (
            "one visit too few is enough to speak of",
            "self.visits >= _MIN_VISITS",
            "self.visits > _MIN_VISITS",
        ),
        (
            "what may not be shown comes by co-visits",
            "                if not _is_allowed(allowed, row):\n                    continue\n                strength",
            "                strength",
        ),
        ("of equal candidates the last one goes first", "keys[one] < keys[other]", "keys[one] > keys[other]"),
    ),
    *_in(
        "recsys/recommend/reasons.py",
        LISTS,
        ("a small part of a similarity is enough to be named", "(strongest.share >= _READ_SHARE) & ", ""),
        ("what was taken down is quoted", " & eligible.showable[strongest.rows]", ""),
        (
            "what is alike in nothing that can be seen is said to be",
            "if both and (",
            "if (",
        ),
        ("a town is a likeness across sections", "(not differ or ", "(True or "),
        ("one article makes a liking", "opened[code] >= _LIKED_ARTICLES", "opened[code]"),
        ("an article read is named again and again", "if other in named:", "if False:"),
        ("everything is popular", "_POPULAR if row in popular else Reason", "_POPULAR or Reason"),
    ),
    *_in(
        "recsys/recommend/story_updates.py",
        STORIES,
        ("a story is over with all that comes after", "if published[row] <= moment:", "if True:"),
        ("everything of a read story is an update", "if published[row] <= moment:", "if False:"),
        ("an update is shown for ever", "if was_shown:", "if False:"),
        ("stories joined by mistake hide", "and not _share(tags[row], tags[clicks[p]])", "and False"),
        ("an undated click has read nothing", "now if times[p] == UNDATED else times[p]", "times[p]"),
    ),
    *_in(
        "recsys/recommend/fatigue.py",
        STORIES,
        ("once is often", "shown >= TIRED_AFTER", "shown >= 1"),
        ("what was opened makes room", " and not opened", ""),
    ),
    *_in(
        "recsys/recommend/rerank.py",
        STORIES,
        ("a story has as many cards as it has articles", "ranked = stories.one_of_each(ranked, taken)", "pass"),
    ),
    *_in(
        "recsys/recommend/similar.py",
        LISTS,
        ("anything is similar", "if reason.category or len(reason.keywords) >= needed or cosine >= least:", "if True:"),
    ),
    *_in(
        "recsys/recommend/context.py",
        LISTS,
        ("what everybody reads all day breaks", "& (lately >= _BREAKING_SHARE * clicks[:, _DAY])", ""),
        ("trending is what was clicked some day", "clicks(top, now)[:, _HOURS]", "clicks(top, now)[:, -1]"),
        ("keywords of before are claimed", "if kept is None or kept[0] is not changed:", "if kept is None:"),
    ),
    *_in(
        "recsys/recommend/exploration.py",
        SLOT,
        ("what many have seen is tried", "fresh[np.maximum(clicks, shown) < budget]", "fresh"),
        ("the propensity of all articles", "SHARE * float(left[place] / total)", "SHARE * float(left[place])"),
        ("the slot's share is forgotten", "SHARE * float(left[place] / total)", "float(left[place] / total)"),
        ("what may not be shown is tried", "may = allowed.has(tried.rows) & ", "may = "),
        ("every request draws anew", "{now // MINUTE_MS} {who}", "{now} {who}"),
        ("a source fills the slot beyond its share", "held[code] < most_of_source(", "held[code] <= most_of_source("),
        ("a category's rate says nothing", "clicked + PRIOR_IMPRESSIONS * rate", "clicked + PRIOR_IMPRESSIONS"),
    ),
    *_in(
        "recsys/recommend/impressions.py",
        SLOT,
        (
            "anybody makes tokens",
            "if not any(hmac.compare_digest(mac, _mac(key, body)) for key in self._keys):",
            "if False:",
        ),
    ),
    *_in(
        "recsys/recommend/impressions.py",
        TRUST,
        ("a token is good for ever", "return now - self.made_at >= EXPIRY_HOURS * HOUR_MS", "return False"),
        ("a token is good for whoever has it", "if facts.audience == ANYBODY or (", "if True or ("),
        ("an article counts at any place", "facts.names[place : place + 1]", "facts.names"),
        (
            "another site's token is good",
            "blake2b(site.encode(), digest_size=KEY_BYTES",
            "blake2b(b'', digest_size=KEY_BYTES",
        ),
    ),
    *_in(
        "web/api/evidence.py",
        TRUST,
        ("a forged token is no token", "        return FORGED\n", "        return _unsigned(event, unsigned, now)\n"),
        ("a token counts as often as it is sent", "    if event.kind is Kind.DWELL:", "    if True:"),
        ("an identifier is whose who claims it", 'return f"{event_id}~{owner}"', "return event_id"),
        (
            "a browser's clock is believed",
            "facts.made_at - FUTURE_MS <= event.time <= now + FUTURE_MS else now",
            "True else now",
        ),
        ("the past is open to strangers", "        return TOO_OLD\n", "        pass\n"),
    ),
    *_in(
        "recsys/events/vouching.py",
        VOUCHING,
        (
            "training counts a ring",
            "shown | (stranger & (events.kind == _CLICK)), crowded",
            "shown, crowded",
        ),
        (
            "a stranger's click of a day counts",
            "else click.reader in vouched",
            "else True",
        ),
        (
            "a ring asks for lists first",
            "((events.proof == Evidence.UNSIGNED) | signed) &",
            "(events.proof == Evidence.UNSIGNED) &",
        ),
        ("what is held never counts", "return tuple(self._held.pop(visitor, ()))", "return ()"),
        ("forged impressions bury", "    shown = (stranger | crowded) & ", "    shown = crowded & "),
        ("what is held grows", "[-HELD_CLICKS:], MAX_WAITING)", "[-HELD_CLICKS:], 10**9)"),
    ),
    *_in(
        "web/api/rates.py",
        TRUST,
        ("a crowd breaks news", "        return event._replace(proof=Evidence.CROWDED.value)", "        return event"),
        ("an address floods", "self._addresses.take(address, cost) if", "0.0 if"),
        ("strangers fill the disk", ' or self._strangers.take("") > 0', ""),
        ("one address takes what is kept of strangers", "self._strange_addresses.take(address) > 0 or ", ""),
        ("a list brings strangers nothing", 'self._strangers.give_back("", LIST_EVENTS)', "pass"),
    ),
    *_in(
        "web/api/newcomers.py",
        TRUST,
        (
            "a ring that saw cards counts",
            "if seen.newcomers[held] + 1.0 > self._few + self.usual * seen.others:",
            "if False:",
        ),
        ("company is nothing", "self._few + self.usual * seen.others", "self._few"),
        (
            "a flood makes itself usual",
            "return min(max(TIMES * ratio, AT_LEAST), AT_MOST)",
            "return max(TIMES * ratio, AT_LEAST)",
        ),
        ("strangers take the places of newcomers", "seen.newcomers[held] += 1.0", "seen.newcomers[False] += 1.0"),
    ),
    *_in(
        "recsys/serving/live.py",
        TRUST,
        ("everybody is new", "return not any(len(one) and one[0] < before for one in times)", "return True"),
    ),
    *_in(
        "web/addresses.py",
        TRUST,
        ("whoever writes a header is somebody else", "    hops = proxies or int(is_here)", "    hops = proxies or 1"),
    ),
    *_in(
        "recsys/dataset/counted_past.py",
        COUNTED_PAST,
        ("a day of late events is none", "for day in {*then, *now} if", "for day in then if"),
        ("audiences by vectors of before", "tables.published, vectors)\n", "tables.published)\n"),
        ("a forgotten reader stays counted", '"forgotten": terms.forgotten}', '"forgotten": 0}'),
    ),
    *_in(
        "recsys/dataset/log_counts.py",
        COUNTED_PAST,
        ("the past is counted twice", "NO_ITEMS, log, len(before), len(part)", "NO_ITEMS, log, 0, len(part)"),
        ("a visit ends at midnight", "before = self._tail[np.isin(tail_keys, here)]", "before = self._tail[:0]"),
        ("a day that goes on has ended", "(int(events.time[-1]) - SETTLED_MS)", "int(events.time[-1])"),
    ),
    *_in(
        "recsys/index/cells.py",
        CELLS,
        ("a row that moved is met twice", "if rows[p] >= 0 and place[rows[p]] >= number:", "if rows[p] >= 0:"),
        ("a row that moved is lost", "    if number:", "    if False:"),
        ("what is not allowed is found", " and _is_allowed(row, allowed):", ":"),
        ("the list of what moved is as long as it likes", "place == MOVED and self._number == MOVED", "False"),
        ("a moved row is found in every cell", "is_probed[moved_cells[m]] and ", ""),
        ("what moved goes before what lay there", "if n > last and n > k:", "if False:"),
    ),
    *_in(
        "recsys/features/logarithms.py",
        ("tests/test_log_replay.py", "tests/test_finite.py"),
        ("what is no number becomes one", "+ series + (x - x)", "+ series"),
        ("a logarithm by three terms", "(_THIRD + z * (_FIFTH + z * (_SEVENTH + z * _NINTH)))", "_THIRD"),
    ),
    *_in(
        "recsys/telemetry.py",
        ("tests/test_telemetry.py",),
        ("a worker counts under its parent's place", "if process != self._process:", "if not self._process:"),
    ),
    *_in(
        "web/api/serialisers.py",
        ("tests/test_api.py", "tests/test_serialisers.py"),
        (
            "an article is shown as it was before it changed",
            "if card is None or card.source is not source:",
            "if card is None:",
        ),
        (
            "a reason quotes a title of before",
            "if reason is None or reason.source is not named:",
            "if reason is None:",
        ),
        (
            "an update has the name that its story had",
            "catalogue.columns.stories.name_of(claim.row) or changed",
            "changed",
        ),
    ),
    *_in(
        "web/widget/parts/keeping.js",
        WIDGET,
        ("an id before consent", 'if (choice(host) !== "yes") return {};', ""),
        ("a browser that asks not to be tracked is", "if (signal() || host", "if (host"),
        ("off leaves the number there", "forget({ yes:", "({ yes:"),
        ("an id that comes too late is kept", "reader && mine === asking &&", "reader &&"),
    ),
    *_in(
        "web/widget/parts/list.js",
        WIDGET,
        ("a list that comes after its widget went", "if (turn !== this.turn || !this.gone) return;", ""),
        ("a token that is never taken is tried for ever", "found.refused && !again", "found.refused"),
        ("two widgets show one article", "items?.forEach(({ id }) => found.add(id))", "items"),
        ("fewer cards let the page jump", "while (seen && this.list", "while (false && this.list"),
    ),
    *_in(
        "web/widget/parts/cards.js",
        WIDGET,
        ("a card opened in a new tab is not counted", "link.onclick = link.onauxclick =", "link.onclick ="),
        ("what was taken back is sent", "this.pending = null;\n    this.unwanted.delete", "this.unwanted.delete"),
    ),
    *_in(
        "web/widget/parts/making.js",
        WIDGET,
        ("any scheme is a link", 'test(url.protocol) ? url.href : ""', 'test(url.protocol) || 1 ? url.href : ""'),
    ),
    *_in(
        "web/widget/handlers.py",
        ("tests/test_site.py",),
        ("another version is kept for ever", '"Cache-Control": "no-cache"', '"Cache-Control": FOREVER'),
    ),
    *_in(
        "recsys/serving/asker.py",
        ("tests/test_api.py",),
        ("what a browser says is believed of a known session", "if self.is_nobody else self", ""),
    ),
    *_in(
        "recsys/serving/asker.py",
        RIGHTS,
        (
            "personalisation that is off changes no list",
            "if choices is not None and not choices.personal:",
            "if False:",
        ),
    ),
    *_in(
        "recsys/serving/reader_tokens.py",
        READER_TOKENS,
        ("a token is taken when it has expired", "if expires <= now:", "if expires < 0:"),
        ("a token is of every site", 'f"{self._site}\\n{head}".encode()', "head.encode()"),
        ("a token may be valid for ever", "if expires > now + (MAX_TOKEN_DAYS + 1) * DAY_SECONDS:", "if expires < 0:"),
        ("a forged token is taken", "or not hmac.compare_digest(", "or False and hmac.compare_digest("),
    ),
    *_in(
        "recsys/keys.py",
        KEYS,
        ("an old key is taken for ever", "self._clock() >= key.until", "False"),
        ("a key that was cut off signs", "key if len(key) == KEY_BYTES else None", "key"),
    ),
    *_in(
        "web/api/identity.py",
        RIGHTS,
        ("who has any token is every reader", "if named is not None and named != proven:", "if named is None:"),
        (
            "events are believed without a token",
            "if event.reader is None or event.reader == proven or not",
            "if True or not",
        ),
        (
            "the session of an event tells whose it is",
            "event._replace(reader=None, session=None)",
            "event._replace(reader=None)",
        ),
    ),
    *_in(
        "recsys/recommend/chosen.py",
        CHOSEN,
        ("a removed tag still counts", "kept[place] = _share(", "kept[place] = True or _share("),
    ),
    *_in(
        "recsys/store/events.py",
        CHOICES,
        ("a forgotten id that was made here comes back", "_NEVER_AGAIN if is_made_here(name[1]) else row", "row"),
        ("off, events are kept with the reader", "choices.c.personal.is_(False)", "choices.c.personal.is_(None)"),
    ),
    *_in(
        "web/api/direct.py",
        ("tests/test_api.py",),
        ("of a name given twice the last one counts", "if name in values or ", "if "),
        ("a worker without time asks the click model", "cheap=cheap,", "cheap=False,"),
    ),
    *_in(
        "recsys/recommend/context.py",
        LISTS,
        (
            "fresh is whatever is not old for its category, however old",
            "since >= max(0, now - most) and",
            "since >= 0 and",
        ),
        ("what was clicked since is not popular", "        self._popular.clicked(row)\n", "        pass\n"),
        ("clicks that fell out of the queue are forgotten", "best is not None and all_known", "best is not None"),
        ("lists are kept although somebody clicked", "self.totals == totals and ", ""),
    ),
    *_in(
        "recsys/recommend/answer.py",
        LISTS,
        ("copies of what was read are offered", "part.without(seen_copies)", "part"),
        ("a language leaves the others out", "else eligible.spoken(code)", "else eligible.spoken(code)[:1]"),
    ),
    *_in(
        "recsys/serving/reader_memory.py",
        ("tests/test_reader_memory.py", "tests/test_live_state.py"),
        (
            "what comes while a reader is loaded is lost",
            "            arriving.events.append(event)\n",
            "            pass\n",
        ),
        ("who was forgotten comes back", "if arriving.forgotten or reader in", "if reader in"),
        ("an answer sees a state change under it", "else state.copied()", "else state"),
    ),
    *_in(
        "web/api/event_ingestion.py",
        EVENTS,
        (
            "an event at the limit ahead is refused",
            "event.time > now + FUTURE_MS:",
            "event.time >= now + FUTURE_MS:",
        ),
        ("one event too many is taken", "if len(sent) > MAX_EVENTS:", "if len(sent) > MAX_EVENTS + 1:"),
    ),
    *_in(
        "recsys/ctr/training.py",
        GATE,
        (
            "the gate lets a model pass at its limit",
            'if judged["auc"] <= RANDOM_AUC - GATE_ERRORS * error:',
            'if judged["auc"] < RANDOM_AUC - GATE_ERRORS * error:',
        ),
        (
            "the gate is at the wrong side of chance",
            "RANDOM_AUC - GATE_ERRORS * error",
            "RANDOM_AUC + GATE_ERRORS * error",
        ),
        ("too few clicks judge", 'judged["clicks"] < GATE_CLICKS', 'judged["clicks"] < GATE_CLICKS - 1'),
        (
            "yesterday's model judges lists that it has seen",
            "0 < last.learned_until < since",
            "0 < last.learned_until <= since",
        ),
        (
            "yesterday's model judges whatever it has seen",
            "start = last if last is not None and 0 < last.learned_until < since else None",
            "start = last",
        ),
        (
            "the calibration is learned on rows that the model has seen",
            "scored(stopped.raw, later), labels(later))",
            "scored(model.raw, later), labels(later))",
        ),
        (
            "the held-out rows are learned from",
            "before = blocks.of_parts(FIT, VALIDATION)",
            "before = blocks.of_parts(FIT, VALIDATION, HOLDOUT)",
        ),
    ),
    *_in(
        "recsys/ctr/loop.py",
        TRAINING,
        (
            "patience ends one epoch late",
            "best_epoch >= self._trainer.config.patience",
            "best_epoch > self._trainer.config.patience",
        ),
        (
            "the last weights are kept instead of the best",
            "self._trainer.model.parts.load_state_dict(self._best)",
            "pass",
        ),
        ("the worst epoch is the best", "losses[-1] <= min(losses)", "losses[-1] >= min(losses)"),
    ),
    *_in(
        "recsys/ctr/losses.py",
        ("tests/test_ctr.py",),
        ("cross-entropy is not told how long a list is", "    if length_exponent:\n", "    if False:\n"),
        (
            "longer lists are taken to be clicked more",
            "logit - length_exponent * length.log()",
            "logit + length_exponent * length.log()",
        ),
    ),
    *_in(
        "recsys/ctr/list_length.py",
        ("tests/test_ctr.py",),
        ("numbers that no row has are lists", "        lists[0] = 0  # numbers that no row has\n", ""),
        ("two lists are evidence enough", "_PRIOR = 1.0 ", "_PRIOR = 1e6 "),
    ),
    *_in(
        "recsys/ctr/warm_start.py",
        CTR_DATA,
        ("an id is forgotten a day early", "day - seen > expire_days", "day - seen >= expire_days"),
        ("an id needs one sight more", "(occurrences >= min_count)", "(occurrences > min_count)"),
        (
            "a new id takes over the vector of the old one",
            "    kept[torch.from_numpy(changed[changed < len(kept)])] = False\n",
            "",
        ),
    ),
    *_in(
        "recsys/ctr/loop.py",
        TRAINING,
        (
            "another training's checkpoint is gone on with",
            '                if metadata["fingerprint"] != self._fingerprint:\n                    return None\n',
            "",
        ),
    ),
    *_in(
        "recsys/ctr/calibration.py",
        CALIBRATION,
        (
            "one click too few is enough to calibrate",
            "rarer < CALIBRATION_CLICKS or",
            "rarer < CALIBRATION_CLICKS - 1 or",
        ),
        ("pools are made of one click too few", "rarer >= ISOTONIC_CLICKS else", "rarer >= ISOTONIC_CLICKS - 1 else"),
    ),
    *_in(
        "web/gateway/admission.py",
        GATEWAY,
        (
            "who comes to a free thread is refused",
            "ahead = self.inside - self.threads + 1",
            "ahead = self.inside - self.threads + 2",
        ),
        (
            "threads do not shorten the wait",
            "* self.seconds / self.threads",
            "* self.seconds",
        ),
        (
            "who is refused stays inside",
            "            return Verdict.REFUSED\n        self.inside += 1",
            "            self.inside += 1\n            return Verdict.REFUSED",
        ),
        (
            "who was refused late counts as a quick answer",
            "if seconds is not None:",
            "if True:\n            seconds = seconds or 0.0",
        ),
    ),
    *_in(
        "web/gateway/lanes.py",
        GATEWAY,
        ("what nobody waits for any more is answered", "if began - came > STALE_SECONDS:", "if False:"),
        (
            "who is refused late stays inside",
            "                self._refuse(work)\n                self._left(None)",
            "                self._refuse(work)",
        ),
    ),
    *_in(
        "web/gateway/bodies.py",
        GATEWAY,
        ("a body in chunks has no limit", "                    if size > limit:\n", "                    if False:\n"),
        ("a body at its limit is too large", "if size > limit:", "if size >= limit:"),
        ("what was read is held for ever", "            self.held -= size\n", "            pass\n"),
        ("a broken body in chunks passes for a whole one", "if empty > 1 or (", "if ("),
        ("a broken body with a length passes for a whole one", "or (length is not None and size != length)", ""),
    ),
    *_in(
        "web/gateway/wsgi.py",
        GATEWAY,
        ("a header with an underscore passes for another", '        if "_" in name:\n            continue\n', ""),
        (
            "of two headers the last one counts",
            "        if key in environ:\n            value =",
            "        if False:\n            value =",
        ),
    ),
    *_in(
        "web/gateway/entry.py",
        GATEWAY,
        (
            "what waits for the database delays lists",
            "            self._database.offer(request)",
            "            self._memory.offer(request)",
        ),
        ("half a body keeps the service from ending", "            task.cancel()", "            pass"),
    ),
    *_in(
        "web/gateway/compression.py",
        GATEWAY,
        (
            "who forbids gzip gets it",
            'return weight.replace(" ", "") not in',
            'return weight not in ("-",) or weight.replace(" ", "") not in',
        ),
        ("caches are not told that the answer varies", '    headers.append(("Vary"', '    _ = (("Vary"'),
    ),
    *_in(
        "web/process/supervisor.py",
        PROCESS,
        (
            "the pauses have no end",
            "min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(waited, 10))",
            "FIRST_PAUSE * 2.0 ** waited",
        ),
        (
            "nobody answers when the last worker has died",
            "        if not self._ready:\n            await self._doorkeeper.open()\n        self",
            "        self",
        ),
        (
            "the parent goes on answering beside its workers",
            "            self._doorkeeper.close()\n",
            "            pass\n",
        ),
    ),
    *_in(
        "web/process/life.py",
        PROCESS,
        (
            "a stuck worker stays",
            '            self.child.send_signal(signal.SIGKILL)\n            return b""',
            "            return await said.readline()",
        ),
    ),
    *_in(
        "web/process/supervisor.py",
        SUCCESSION,
        ("a worker and its successor count in one place", "else self._workers + 1 + place", "else place"),
        (
            "all workers lay a release out at once",
            "asyncio.create_task(self._succession.acquire())",
            "asyncio.create_task(asyncio.sleep(0, True))",
        ),
        (
            "a successor that cannot start is tried again at once",
            "self._refused, self._retry_at = release, monotonic() + RETRY_SECONDS",
            "self._refused, self._retry_at = release, monotonic()",
        ),
        (
            "a worker stays beside its successor",
            "            old.child.send_signal(LEAVE)\n",
            "            pass\n",
        ),
        (
            "a worker that has died waits for its successor",
            "await heir.until(heir.ready, old.end, seconds",
            "await heir.until(heir.ready, seconds",
        ),
    ),
    *_in(
        "web/worker.py",
        SUCCESSION,
        ("who is succeeded goes at once", "            while listener.connections():", "            while False:"),
        ("the last answers do not say that they are the last", "    gateway.leave()\n", ""),
        ("who is succeeded goes on accepting", "    listener.retire()\n", ""),
    ),
    *_in(
        "web/app.py",
        SUCCESSION,
        ("a worker lays a release out beside its answers", "    live.succeed = succeed\n", ""),
    ),
    *_in(
        "web/process/port.py",
        PROCESS,
        (
            "a second service starts on the port",
            "socket.SO_REUSEADDR, 1)  # a restart",
            "socket.SO_REUSEPORT, 1)  # a restart",
        ),
    ),
    *_in(
        "recsys/catalogue/released.py",
        RELEASED,
        ("a release shows what is hidden", '"shown": not article.hidden,', '"shown": True,'),
        ("a copy leads its own group", "rows.get(leader_of.get(article.id, article.id), row)", "row"),
        (
            "an address takes the place of an article of its own",
            "if (other := rows.get(alias)) is None or cards[other] is None:",
            "if True:",
        ),
        (
            "cards of other articles than the columns' pass",
            'if table.num_rows != len(columns["published"]):',
            "if False:",
        ),
    ),
    *_in(
        "recsys/catalogue/cards.py",
        RELEASED,
        (
            "a card is shown as it was before it changed",
            "if kept is None or kept[0] is not late:",
            "if kept is None:",
        ),
        ("cards stay unpacked without end", "if len(self._young) >= _UNPACKED:", "if False:"),
        ("a changed article has the keywords of before", " and row not in self._late:", ":"),
        ("what is known only from clicks is an article", "self._released.is_valid(row))", "True)"),
        ("the models' guess is lost beside a given category", "annotations is not None and article.given", "False"),
    ),
    *_in(
        "recsys/catalogue/identifiers.py",
        RELEASED,
        (
            "an unknown article is the next one by number",
            "if place < len(names) and names[place] == name else UNKNOWN_ROW",
            "if place < len(names) else UNKNOWN_ROW",
        ),
        ("what came later is looked for in the release alone", "row = self._late.get(article_id)", "row = None"),
    ),
    *_in(
        "recsys/tags/index.py",
        ("tests/test_tags.py", "tests/test_released_catalogue.py"),
        ("an article is found under the tags that it had", "        self._generation[row] += 1\n", ""),
        (
            "a merge keeps what is dead",
            "alive = self._generation[postings.rows] == postings.generations\n        return postings if",
            "alive = np.ones(len(postings.rows), np.bool_)\n        return postings if",
        ),
        ("a merge loses the release", "Layers(old.released, merged)", "Layers(Postings.room(0), merged)"),
    ),
    *_in(
        "recsys/serving/checkpoint.py",
        CHECKPOINTS,
        ("events of a checkpoint are counted again", "            through=self.through,\n", ""),
        (
            "articles of a checkpoint are read again",
            "state.changed = state.taken_down = self.changed",
            "state.changed = state.taken_down = 0",
        ),
        (
            "a checkpoint shows again what was hidden",
            "            state.catalogue.columns.shown[: len(shown)] = shown",
            "            pass",
        ),
        (
            "a checkpoint of other code is trusted",
            'if (facts["format"], facts["code"]) == (_FORMAT, __version__):',
            "if facts:",
        ),
        ("checkpoints pile up", "                if old.name != name:\n", "                if False:\n"),
        (
            "a checkpoint holds a change that was not read yet",
            '"changed": min(state.changed, state.taken_down)',
            '"changed": max(state.changed, state.taken_down)',
        ),
    ),
    *_in(
        "recsys/serving/release_loader.py",
        CHECKPOINTS,
        (
            "another database's checkpoint is trusted",
            "if checkpoint and last and (checkpoint.through",
            "if False and last and (checkpoint.through",
        ),
        (
            "a damaged checkpoint keeps a release from serving",
            "except (RecsysError, OSError, ValueError, KeyError) as error:",
            "except ZeroDivisionError as error:",
        ),
        ("without a database there is no start", "return self._laid_out(name, alone=True)", "raise"),
    ),
    *_in(
        "recsys/serving/feed.py",
        LIVE,
        ("an article that found no row is given up", "            state.full = True", "            pass"),
        ("clicks on what was put since the last poll are lost", "            self._bring(state, events)\n", ""),
        (
            "a click brings an article as it was before it changed",
            "if new and article.id in state.catalogue.row_of:",
            "if False:",
        ),
    ),
    *_in(
        "web/process/nursery.py",
        PROCESS,
        (
            "a worker is taken to live on though nobody sees its end",
            "            child.code.set_result(UNKNOWN_CODE)\n",
            "",
        ),
        (
            "a lost process is asked again",
            "        self._control.close()\n        self._control = None\n",
            "        self._control.close()\n",
        ),
        (
            "the end of a service waits for what it loads",
            "                self._process.kill()",
            "                pass",
        ),
        ("a start that fails is waited for", 'self._answer.set_exception(NotBorn(told["failed"]))', "pass"),
    ),
    *_in(
        "web/process/forking.py",
        PROCESS,
        (
            "the end of a worker is told nobody",
            "                _tell(control, pid=pid, code=code)",
            "                pass",
        ),
        (
            "workers hold the line to the parent open",
            "        for descriptor in own:\n            os.close(descriptor)\n",
            "",
        ),
        ("all workers count in one place", '= str(asked["place"])', '= "0"'),
    ),
    *_in(
        "recsys/metrics/off_policy.py",
        OFF_POLICY,
        (
            "clipped weights pass where unclipped ones are refused",
            "weight = target.probability / log.propensity\n    squares",
            "weight = np.minimum(target.probability / log.propensity, 10.0)\n    squares",
        ),
        (
            "the effective size is refused at the limit",
            "figures.effective_size >= min_effective_size",
            "figures.effective_size > min_effective_size",
        ),
        ("the self-normalised divides by the rows", "total = float(weight.sum())", "total = float(len(weight))"),
        (
            "an interval of the mean weight",
            "return float(np.sqrt((weight**3).sum() / weight.sum()))",
            "return float(weight.mean())",
        ),
        (
            "doubly robust forgets the logged estimate's weight",
            "target.reward_expected - weight * target.reward_logged",
            "target.reward_expected - target.reward_logged",
        ),
        (
            "no click leaves no upper end",
            "top, spread = value + one_more, variance + one_more**2",
            "top, spread = value + 1e-9, variance + 1e-18",
        ),
        ("a bad reward estimate does not widen", "max(of_both - of_clicks, 0.0)", "0.0"),
        (
            "a clip that is no limit",
            "return np.minimum(target.probability / log.propensity, clip)",
            "return target.probability / log.propensity",
        ),
    ),
    *_in(
        "recsys/metrics/logged_bandit.py",
        OFF_POLICY,
        ("a propensity of 0", "(self.propensity > 0)", "(self.propensity >= 0)"),
        ("a propensity above 1", "(self.propensity <= 1)", "(self.propensity <= 2)"),
        ("an unknown position is the last", "bad = column < 0 if whole", "bad = column < -1 if whole"),
        ("support without positions", "never[log.position, log.article] = False", "never[:, log.article] = False"),
        ("a policy with a negative share", "~(policy.min(axis=1) >= 0) | ", ""),
        ("clicks that are counts", "np.isin(self.click, (0, 1))", "(self.click >= 0)"),
    ),
    *_in(
        "recsys/recommend/explore.py",
        EXPLORE,
        ("no share further right", "below += _further(density @ weight)[:, :, None]", "pass"),
        ("panels are left out too early", "> NOWHERE", "> 1e-3"),
        ("a prior without skips", "impressions - clicks + prior[1]", "impressions + prior[1]"),
        ("the draw takes the best", "rng.random() * propensity.sum()", "0.5 * propensity.sum()"),
        ("more clicks than impressions", "(impressions >= clicks)", "(impressions >= 0)"),
        ("a rounded sum chooses what has no chance", "np.flatnonzero(propensity)[-1]", "len(propensity) - 1"),
    ),
    *_in(
        "recsys/store/editorial.py",
        EDITORIAL,
        ("an end that is now", "if until <= now:", "if until < now:"),
        ("an end after a month and more", "now + MAX_DAYS * DAY_MS:", "now + 2 * MAX_DAYS * DAY_MS:"),
        (
            "a bury leaves the pin",
            "DecisionKind.BURY: tuple(DecisionKind),",
            "DecisionKind.BURY: (DecisionKind.BURY,),",
        ),
        ("a hidden article is pinned", "row.hidden and kind is DecisionKind.PIN", "False"),
        ("a factor of 1", "1 < factor <= MAX_FACTOR", "1 <= factor <= MAX_FACTOR"),
        (
            "an end that nobody follows",
            "            next_change(connection, site)\n            write",
            "            write",
        ),
        ("what is over goes at once", "until < now - MAX_DAYS * DAY_MS", "until < now"),
    ),
    *_in(
        "recsys/store/operators.py",
        EDITORIAL,
        ("a deletion leaves the pin", "editorial.c.article == id", "editorial.c.article == site"),
    ),
    *_in(
        "recsys/catalogue/editorial.py",
        EDITORIAL,
        ("a decision holds a moment too long", "if one.until > now]", "if one.until >= now]"),
        ("the first pin of a place wins", "in reversed(by_row) if", "in by_row if"),
    ),
    *_in(
        "recsys/catalogue/eligibility.py",
        EDITORIAL,
        ("no end is looked for", "expires[content], editorial.ends)", "expires[content])"),
        (
            "a copy of what is buried stands in for it",
            "buried = standing[editorial.buried]",
            "buried = editorial.buried",
        ),
        ("today hides what is buried", "quoted=quoted,", "quoted=standing,"),
    ),
    *_in(
        "recsys/recommend/editorial.py",
        EDITORIAL,
        ("a pin stands in every slot", "pin.slot not in (None, slot) or ", ""),
        ("a hidden pin stands", "not eligible.showable[pin.row] or ", ""),
        ("a pin that was read stands", "shown & {pin.row, text}:", "False:"),
        ("a pin in another language stands", "if code is None or ", "if True or "),
        ("a copy of a pin stands, too", "            shown |= {pin.row, text}", "            shown |= set()  # "),
        ("a place too low", "cards.insert(place - 1,", "cards.insert(place,"),
        ("a similarity has odds", "(1 + chance) / 2 if is_similarity else chance", "chance"),
    ),
    *_in(
        "recsys/recommend/pin_cost.py",
        EDITORIAL,
        ("a pin that gains", "max(0.0, usual - at_place)", "(usual - at_place)"),
        ("a young log is a whole week", " / (1 - 2 ** (-hours / _HALF_LIFE_HOURS))", ""),
    ),
    *_in(
        "recsys/serving/feed.py",
        EDITORIAL,
        ("decisions are read at every look", "if newest == state.decided:", "if False:"),
        (
            "decisions wait for a poll",
            "self._decide(state, newest)\n        if newest == state.taken_down",
            "if newest == state.taken_down",
        ),
    ),
    *_in(
        "recsys/serving/checkpoint.py",
        EDITORIAL,
        ("a checkpoint without decisions", '"decisions": catalogue.decisions,', '"decisions": [],'),
    ),
    *_in(
        "recsys/store/tokens.py",
        ACCESS,
        ("a token is valid at its end", "now < row.expires_at)", "now <= row.expires_at)"),
        ("a revoked token is valid", "return row.revoked_at is None and (", "return ("),
        ("the last owner may be removed", ".limit(1)).first() is None:", ".limit(1)).first() is False:"),
        ("an owner that has ended counts", "valid &= tokens.c.expires_at.is_(None) | (", "valid |= ("),
        ("an owner of one site revokes another's", "if site is not None and row.site != site:", "if False:"),
        ("every use is written", "tokens.c.last_used_at <= at - MINUTE_MS", "tokens.c.last_used_at <= at"),
    ),
    *_in(
        "web/access.py",
        ACCESS,
        ("a token of another site", "if one.site not in (None, site):", "if False:"),
        ("any role will do", "if one.scope not in allowed:", "if False:"),
        ("a route that is forgotten is for anybody", "if missing := [", "if missing := [][:0] and ["),
    ),
    *_in(
        "web/access.py",
        SESSIONS,
        ("wrong tokens are looked at for ever", "bounds.tokens.take(address)\n", "pass\n"),
    ),
    *_in(
        "recsys/store/people.py",
        SESSIONS,
        (
            "a password changed meanwhile signs in",
            "if person is None or person.password != password:",
            "if not person:",
        ),
        ("a new password ends no session", "                _end_sessions(connection, name, now)\n", ""),
        ("a session without end", "& (sessions.c.expires_at > now_ms())", ""),
        (
            "an address is known for ever",
            "sessions.c.created_at > now_ms() - KNOWN_DAYS * DAY_MS",
            "sessions.c.created_at > 0",
        ),
    ),
    *_in(
        "web/sessions.py",
        SESSIONS,
        ("a cookie from any page", 'own = fetched == "same-origin"', "own = True"),
        ("any origin will do", "urlsplit(origin).netloc == request.host", "True"),
        ("a right password counts as a failure", "    _give_back(here, taken)\n    return begun", "    return begun"),
        ("who guesses locks the owner out", "([] if known else", "([] if False else"),
    ),
    *_in(
        "web/attempts.py",
        SESSIONS,
        ("an attempt more than may be", "self._clock() - self._most\n", "self._clock() - self._most - self._seconds\n"),
        ("each address of a household counts alone", "[: _V6_PREFIX // 4 + 3]", "[:]"),
    ),
    *_in(
        "recsys/store/passwords.py",
        SESSIONS,
        ("nobody signs in with an empty password", "return not none", "return True"),
    ),
    *_in(
        "web/addresses.py",
        SESSIONS,
        ("what the caller wrote is believed", "forwarded[-min(hops, len(forwarded))]", "forwarded[0]"),
    ),
    *_in("web/last_use.py", ACCESS, ("each worker has a minute of its own", ", token.last_used_at or 0)", ", 0)")),
    *_in(
        "web/admin/tokens.py",
        ACCESS,
        ("an owner of one site makes keys of all", "and caller().site is not None:", "and False:"),
        ("an owner may remove the last one", "last_owner=False):", "last_owner=True):"),
    ),
    *_in(
        "recsys/store/audit.py",
        AUDIT,
        ("an entry without its place", 'getattr(by, "origin", None)', "None"),
        ("a page repeats its last entry", "_audit.c.number < below", "_audit.c.number <= below"),
        ("what concerns every site is in no audit", "in_((site, EVERY_SITE))", "in_((site,))"),
    ),
    *_in(
        "recsys/entities/labels.py",
        ENTITIES,
        ("a span ends where another one begins or not at all", 'if letter in "ES":', 'if letter == "S":'),
        ("a span may begin in another one", "return inside == goes_on and", "return inside <= goes_on and"),
    ),
    *_in(
        "recsys/entities/label_files.py",
        ENTITIES,
        ("a label without a type is one", "parsed(label) else OUTSIDE", "label else OUTSIDE"),
        ("tokens without characters stay", "if word.strip()]", "if word is not None]"),
    ),
    *_in(
        "recsys/entities/training.py",
        ENTITIES,
        ("a long sentence is cut anywhere", "range(end, begin, -1)", "range(end, end - 1, -1)"),
        ("labels may follow each other as they like", "transitions[forbidden] = -np.inf", "pass"),
    ),
    *_in(
        "recsys/entities/features.py",
        ENTITIES,
        ("neighbours of another sentence", "if begin <= place < end else", "if 0 <= place < len(attributes) else"),
    ),
    *_in(
        "recsys/entities/attributes.py",
        ENTITIES,
        ("half a character stops the tagger", '.encode("utf-8", "replace").decode()', ""),
    ),
    *_in(
        "recsys/logs/__init__.py",
        LOGS,
        ("a reader is logged", '"cookie", "reader", "session"', '"cookie", "session"'),
        ("a bearer's secret is logged", "(bearer\\s+|", "("),
        ("keys as they come", "    return first | {", "    return {} | {"),
    ),
    *_in(
        "web/request_ids.py",
        LOGS,
        ("an address that may name a reader", "else request.url_rule.rule", "else request.path"),
    ),
    *_in(
        "recsys/store/forgetting.py",
        RETENTION,
        ("events of any age are kept", "events.c.time < before", "events.c.time < 0"),
        ("the numbers go back", " & (events.c.seq < last)", ""),
    ),
    *_in(
        "recsys/events/personal.py",
        RETENTION,
        ("the log keeps what the store has not", "    log.expire(before)\n", ""),
    ),
    *_in(
        "web/forwarding.py",
        FORWARDING,
        ("anybody says what the prefix is", "if said and is_proxy(environ, self._proxies) and", "if said and"),
        (
            "a prefix that is passed is kept",
            'without_prefix(environ.get("PATH_INFO", ""), prefix)',
            'environ["PATH_INFO"]',
        ),
        ("passwords are bounded by proxy", "environ[PROXIES] = self._proxies", "environ[PROXIES] = 0"),
        ("answers behind TLS say http", 'environ["wsgi.url_scheme"] = "https"', "pass"),
    ),
    *_in(
        "web/console/tables.py",
        CONSOLE,
        ("a spreadsheet calculates a cell", 'text.lstrip(" ").startswith(FORMULA_STARTS)', "False"),
    ),
    *_in(
        "web/console/calls.py",
        CONSOLE,
        ("a page of another site acts", '    "Sec-Fetch-Site",\n', ""),
        ("the audit does not say from where", '{"REMOTE_ADDR": request.remote_addr or ""}', "{}"),
    ),
    *_in(
        "web/console/signing.py",
        CONSOLE,
        ("a sign-in ends on another site", "return address if inside else OVERVIEW", "return address"),
    ),
    *_in(
        "web/console/releases.py",
        CONSOLE,
        (
            "everything of a report's folder is shown",
            "file_name(one, lang) for lang in LANGUAGES for one in _report_pages(name, lang)",
            "file,",
        ),
    ),
    *_in(
        "web/console/releases.py",
        CONSOLE,
        ("a report of before is not shown", 'if _report_pages(name, wished) else "en"', ""),
        (
            "everybody gets the English report",
            "return lang, {page: file_name(page, lang)",
            'return lang, {page: file_name(page, "en")',
        ),
    ),
    *_in(
        "recsys/report/chinese.py",
        ("tests/test_report_chinese.py",),
        (
            "a word of the site is said in Chinese",
            "if not ours or not isinstance(value, str)",
            "if not isinstance(value, str)",
        ),
        (
            "all names of bars are said in Chinese",
            "self._name(one.name) if block.said else one.name",
            "self._name(one.name)",
        ),
        ("any text of a picture is said in Chinese", "said.get(text, text)", "self._name(text)"),
        (
            "a picture's text is no longer escaped",
            "html.escape(said.get(text, text), quote=False)",
            "said.get(text, text)",
        ),
        ("of several sentences the first decides", "for n in ends if", "for n in (1, len(parts)) if"),
    ),
    *_in(
        "recsys/report/page.py",
        ("tests/test_report_chinese.py",),
        (
            "Chinese pages lead to English ones",
            "file_name(page.name, language) for page",
            'file_name(page.name, "en") for page',
        ),
    ),
    *_in(
        "web/console/verdicts.py",
        LOOKS,
        ("an effect is said where none is shown", "if low > 0 or high < 0:", "if low >= 0 or high <= 0:"),
    ),
    *_in(
        "recsys/runs/pipeline.py",
        PIPELINE,
        ("what was made again since is not seen", "made.digest != digest:", "made.stage != name:"),
        ("what stands behind is up to date", "        if stale.get(name) and", "        if False and"),
    ),
    *_in(
        "recsys/store/shown_lists.py",
        ("tests/test_shown_lists.py",),
        ("the list of this moment is that of an hour ago", " & (events.c.time <= until)", ""),
    ),
    *_in(
        "recsys/tokens/editors_words.py",
        CONSOLE_WORDS,
        ("what was refused is joined again", "if key not in said or said[key].accepted}", "if True}"),
    ),
    *_in(
        "recsys/words/nearest.py",
        CONSOLE_WORDS,
        ("an analogy adds what it should subtract", "[-1.0] * len(unlike)", "[1.0] * len(unlike)"),
    ),
    *_in(
        "recsys/store/people.py",
        CONSOLE_PEOPLE,
        ("an owner of one site changes those of another", "if within is not None and site != within:", "if False:"),
    ),
    *_in(
        "recsys/store/stories.py",
        CONSOLE_STORIES,
        ("the later editor overwrites the earlier", "if row.one in of or row.other in of:", "if False:"),
        ("a name is no decision", "        if row.article in of:\n", "        if False:\n"),
    ),
    *_in(
        "recsys/store/merging.py",
        FILING,
        ("an import turns back what an editor said", 'if category != self.row["declared_category"]:', "if True:"),
    ),
    *_in(
        "recsys/store/filing.py",
        FILING,
        (
            "the first editor's word is taken for the file's",
            "row.category if row.filed_by is None else",
            "row.category if True else",
        ),
        ("tags that are said again are a change", "if said == old.tags:", "if False:"),
        ("thirteen tags", "if len(tags) > MAX_ARTICLE_TAGS:", "if len(tags) > MAX_ARTICLE_TAGS + 1:"),
    ),
    *_in(
        "recsys/keywords/editors_tags.py",
        FILING,
        ("a tag loses the words that the models gave it", "words.get(tag.casefold(), ", "str("),
    ),
    *_in(
        "recsys/serving/snapshot.py",
        FILING,
        ("tags of editors wait for the night", "if article.tags is not None:", "if False:"),
    ),
    *_in(
        "recsys/recommend/answer.py",
        EDITORIAL,
        ("a guarantee stands for nobody", "if not len(guaranteed):", "if True:"),
    ),
    *_in(
        "recsys/recommend/editorial.py",
        EDITORIAL,
        ("one guarantee takes the place of another", "kept = {*kept, *wanted}", "kept = {*kept}"),
        ("a guarantee beside its own story", "if alike:", "if False:"),
    ),
    *_in(
        "jobs/challenge.py",
        ("tests/test_challenger.py",),
        ("a canary of another host is ended", "(of is None or arm.release in of)", "True"),
    ),
    *_in(
        "web/console/recent.py",
        CONSOLE,
        ("a click that is to come counts", "at is None or at > now:", "at is None:"),
        ("the hour's oldest step is the newest", "STEPS - 1 - (now - at)", "(now - at)"),
    ),
    *_in(
        "web/console/figures.py",
        CONSOLE,
        ("figures that were lost are negative", " or now.requests < old.requests:", ":"),
    ),
    *_in(
        "jobs/backup.py",
        BACKUP,
        ("a changed file is put back", "or sha256_of(folder / name) != sha256:", "or False:"),
        ("a half-written release is backed up", 'if path.name.startswith("."):', "if False:"),
        (
            "a backup over what is there",
            "        if path.exists():\n            remedy",
            "        if False:\n            remedy",
        ),
    ),
    *_in(
        "web/figures.py",
        ("tests/test_figures.py",),
        ("figures end with the database", "with suppress(StoreError):", "with suppress(KeyError):"),
    ),
    *_in(
        "recsys/entities/capitals.py",
        FINDING,
        ("a first word is a name", "or words[first] in inside)", "or True)"),
        ("new begins no name", "and (begin == 0 or end == begin + 1)", "and True"),
        ("title case tells names", "small <= _COMMON | _CONNECTORS", "False"),
    ),
    *_in(
        "recsys/languages/phrases.py",
        ("tests/test_phrases.py",),
        (
            "several sentences are read as one",
            "(*range(1, min(len(parts), _MOST_PARTS + 1)), len(parts))",
            "(len(parts),)",
        ),
        ("a sentence around a long verdict stays English", "_MOST_PARTS + 1)), len(parts))", "_MOST_PARTS + 1)),)"),
        ("anything is the name of a check", 'or values["name"] in self._plain', "or True"),
        ("a sentence inside another stays English", "self._read(value, read) or value", "value"),
        ("the sentence that says least comes first", "key=lambda one: -one.says", "key=lambda one: one.says"),
        ("a text of any length is looked at", "len(text) <= _MOST_LETTERS", "len(text) > 0"),
        ("a text is divided in every way", "min(len(parts), _MOST_PARTS + 1)", "len(parts)"),
    ),
    *_in(
        "web/admin/front.py",
        ("tests/test_console_front.py",),
        ("a card's age does not shorten its life", "round(hours - (now - published) / HOUR_MS, 1)", "round(hours, 1)"),
        (
            "all sections have one shelf life",
            "shelf[code if 0 <= code < CATEGORIES else CATEGORIES]",
            "shelf[CATEGORIES]",
        ),
    ),
    *_in(
        "recsys/gate/canary.py",
        CHALLENGERS,
        ("a canary that clicks less goes on", "if high < 0:", "if high < -1:"),
        ("failures decide nothing", "if failed > _MOST_FAILED:", "if failed > 1:"),
        ("a good canary is better", "if low > -margin * found.control:", "if low > 0:"),
    ),
    *_in(
        "web/api/challenging.py",
        CHALLENGERS,
        ("a failed canary is asked again", "self._rest_until = time.monotonic() + REST_SECONDS", "pass"),
        ("readers of a failed canary are lost", "        self._live.exposed(reader)", "        ..."),
        ("a shadow answers", "note.mode is not ChallengerMode.CANARY or", "False or"),
        ("it looks once more before it stops", "            self._queue.put_nowait(None)", "            ..."),
    ),
    *_in(
        "recsys/serving/live_experiments.py",
        CHALLENGERS,
        ("a host that serves no canary exposes its readers", "self._tried != self.beside", "False"),
    ),
    *_in(
        "recsys/store/experiments.py",
        CHALLENGERS,
        ("who is left out counts all the same", ".where(of, exposures.c.arm != LEFT_OUT, first", ".where(of, first"),
    ),
    *_in(
        "recsys/runs/worker.py",
        CHALLENGERS,
        ("a trial is begun where its release is not", "not all(map(slot.ready, runs))", "False"),
    ),
    *_in(
        "web/openid_provider.py",
        ("tests/test_openid.py",),
        (
            "anybody's answer is taken",
            'if not compare_digest(answer.get("state", "").encode(), way.state.encode()):',
            "if False:",
        ),
        (
            "a public key is a password",
            "algorithms=ALGORITHMS)\n        except",
            'algorithms=[*ALGORITHMS, "HS256"])\n        except',
        ),
        (
            "a token for another service is taken",
            'wanted["aud"] = {"essential": True, "value": config.client_id}',
            "pass",
        ),
        ("another person's particulars are taken", 'if more.get("sub") == claims["sub"]:', "if True:"),
    ),
    *_in(
        "web/console/openid.py",
        ("tests/test_openid.py",),
        ("an address that nobody verified is a name", 'claims.get("email_verified") is not True', "False"),
        ("a role stays when the group is gone", "store.remove_person(name, actor, last_owner=False)", "..."),
    ),
    *_in(
        "jobs/challenge.py",
        CHALLENGERS,
        ("a killed canary goes on", "    _end_those_left(context, store)\n    experiment", "    experiment"),
        ("a canary that was stopped is watched", ".stopped_by) is not None:", ".stopped_by) == 0:"),
    ),
    *_in(
        "recsys/tags/written_form.py",
        WRITTEN,
        ("a sentence's first capital tells", "not _begins_sentence(before))", "True)"),
        ("a headline tells", "or self._in_headline(begin):", "or False:"),
        ("names are cut", "return names.pop()", "return mentions[0].form"),
        ("a part of a word is a mention", "or _LETTER.match(self._small[begin - 1 : begin])", "or False"),
        ("titles belong to names", 'front[0].lower().rstrip(".") in _NO_NAME or', "False or"),
    ),
    *_in(
        "recsys/catalogue/blobs.py",
        ("tests/test_blobs.py",),
        ("a row of the file is read elsewhere", "self._file.read(self._place + begin,", "self._file.read(begin,"),
    ),
    *_in(
        "web/api/direct_events.py",
        ("tests/test_api_events.py",),
        ("a key of the site is not looked at", 'and "HTTP_AUTHORIZATION" not in environ', ""),
        ("a refusal is counted again", "except Refused as error:", "except StoreError as error:"),
        ("another character set is read as UTF-8", "and rest.strip() in _UTF8", ""),
    ),
    *_in(
        "recsys/entities/dictionary.py",
        SITE_NAMES,
        ("the shorter name of the dictionary wins", "key=len, reverse=True)", "key=len)"),
        ("a name ends within a word", "begin + len(name) in ends and ", ""),
    ),
    *_in(
        "recsys/entities/site_names.py",
        SITE_NAMES,
        ("names lie over each other", "if begin >= after:", "if True:"),
        (
            "a tagger reads every language",
            "if self._trained and language == self._trained.language:",
            "if self._trained:",
        ),
    ),
    *_in(
        "recsys/tags/named.py",
        SITE_NAMES,
        ("what stands alone is called by a name", "text.count(keyword) <= 2 * text.count(name)", "True"),
        (
            "a tagger's names are tags",
            "for name in names.given if fold",
            "for name in (*names.given, *names.found) if fold",
        ),
        ("a name stays when it was taken back", "if parts != NOT_RANKED]", "]"),
        ("a name is called by a longer one", "[] if keyword in of_article else ", ""),
    ),
    *_in(
        "recsys/tags/__init__.py",
        SITE_NAMES,
        ("the features know an article by names", " if keyword != NOT_RANKED)", ")"),
        (
            "a name is not found by its words",
            'parts if parts != NOT_RANKED else " ".join(name.lower().split())',
            "parts",
        ),
    ),
    *_in(
        "recsys/serving/memory.py",
        ("tests/test_memory.py",),
        ("what one thread lays out is collected when another one is done", "if not _collector.layers:", "if True:"),
    ),
    *_in(
        "recsys/stories/evidence.py",
        ("tests/test_story_index.py",),
        ("a story that has enough is not looked at", ".size >= size]", ".size > 3 * size]"),
        ("a large story that may have enough is given up", "so_far + _LARGEST >= lacking", "so_far >= lacking"),
        (
            "a pair of terms that may be enough is left out",
            "if parts[place] + left[other] < needed:",
            "if left[other] < needed:",
        ),
        ("a story of one headline needs two terms", "            rows |= term.single\n", ""),
    ),
    *_in(
        "recsys/stories/postings.py",
        ("tests/test_story_index.py",),
        ("a story that grows loses its first headline", "self._counts.setdefault(word, {})[row] = 1", "pass"),
        (
            "a story that grows stays among those of one headline",
            "                self._leave_single(word, row)\n                self._counts",
            "                self._counts",
        ),
        (
            "a story that is over is found",
            "            self._leave_single(word, row)\n            self._leave_counts(word, row)",
            "            self._leave_counts(word, row)",
        ),
    ),
    *_in(
        "recsys/entities/finding.py",
        FINDING,
        ("names lie over each other", "if taken.isdisjoint(", "if taken or not taken.isdisjoint("),
    ),
    *_in(
        "recsys/stories/decisions.py",
        ("tests/test_story_labels.py", "tests/test_story_index.py"),
        (
            "who was parted from a part is not from the whole",
            "                elsewhere.apart[large] = large",
            "                large.apart[elsewhere] = large",
        ),
        (
            "who leaves a group forgets from whom it stood apart",
            "elsewhere.apart[alone] = alone.apart[elsewhere] = None",
            "pass",
        ),
        ("a join of what was parted leaves it parted", "            del elsewhere.apart[small]\n", ""),
    ),
    *_in(
        "recsys/stories/labels.py",
        ("tests/test_story_labels.py",),
        ("two stories of one name", "        self._give_name(row)\n", ""),
        ("only the pair is held together, not the story", "labels.join(other, first)", "pass"),
    ),
    *_in(
        "recsys/stories/story_index.py",
        ("tests/test_story_index.py",),
        ("a name that is taken is used again", "self._free(article_id)", "pass"),
        ("the index joins the wrong way", "self.merge(other, one)", "self.merge(one, other)"),
    ),
    *_in(
        "recsys/stories/leads.py",
        ("tests/test_story_leads.py",),
        ("bodies that share little agree", "return any(cosine >= AGREE", "return any(cosine >= 0"),
        ("bodies that agree are not compared", "if shared >= _LEAST_SHARED * total:", "if shared >= AGREE * total:"),
        ("a body too short to compare is compared", "if len(keys) >= LEAST_LEAD_TERMS else ()", ""),
    ),
    *_in(
        "recsys/stories/story_index.py",
        ("tests/test_story_leads.py",),
        ("bodies are not asked", "if self._agrees(weighed, time, self.stories[best.row]):", "if True:"),
        ("a headline without a time is believed", "unknown=dated", "unknown=True"),
        ("an article with a time is believed in a story without one", " and story.first <= story.last", ""),
        ("one story alone is tried", "_TRIES = 3", "_TRIES = 1"),
    ),
    *_in(
        "recsys/catalogue/stories.py",
        STORY_EDITS,
        ("an article that begins another story stays", "if other == row and (", "if False and ("),
        ("the first name holds", "names[of_story[-1]]", "names[of_story[0]]"),
    ),
    *_in(
        "recsys/store/stories.py",
        ("tests/test_store_stories.py", "tests/test_story_edits.py"),
        (
            "a decision that nobody follows",
            "change, now = next_change(connection, site), now_ms()",
            "change, now = 1, now_ms()",
        ),
        (
            "what stays is not kept together",
            "pairs = [(id, rest, True, False) for id in others]\n            pairs.append",
            "pairs = []\n            pairs.append",
        ),
        ("a name that is taken back stays", "StoryName(id, None, change", 'StoryName(id, "x", change'),
    ),
    *_in(
        "recsys/serving/state.py",
        STORY_EDITS,
        (
            "a changed text undoes an editor's word",
            "story = None if prepared.id in self.catalogue.row_of else held",
            "story = story",
        ),
    ),
    *_in(
        "recsys/serving/live_stories.py",
        STORY_EDITS,
        (
            "an index that comes later knows no decision",
            "                for decision in self._later:\n                    index.decide(decision)\n",
            "",
        ),
        ("a running index is not told", "self._loaded.decide(decision)", "pass"),
    ),
    *_in(
        "recsys/serving/live_stories.py",
        LIVE,
        (
            "stories are read twice",
            "            if self._loaded is None:\n                index",
            "            if True:\n                index",
        ),
    ),
    *_in(
        "recsys/serving/snapshot.py",
        LIVE,
        ("the first article waits for the stories", "        self.stories.read_ahead()\n", ""),
        (
            "the first article waits for the words",
            "            self._encoder.read_ahead(self._home)\n",
            "            pass\n",
        ),
    ),
    *_in(
        "recsys/serving/checkpoint.py",
        STORY_EDITS,
        (
            "a checkpoint without stories' decisions",
            '"story_decisions": state.later_decisions,',
            '"story_decisions": [],',
        ),
    ),
    *_in(
        "jobs/stories.py",
        STORY_EDITS,
        ("the night forgets who said what", "    word.save(job.out)\n", ""),
        ("a small site's night asks no editor", "else held(leaders.leader_of, decisions)", "else leaders.leader_of"),
    ),
    Fault(
        "strangers are shown what was popular a click ago",
        "recsys/recommend/shared_lists.py",
        "self.eligible is now.eligible and self.clicks == now.clicks",
        "self.eligible is now.eligible",
        ("tests/test_shared_lists.py",),
    ),
    Fault(
        "what was taken down stays in the list that strangers share",
        "recsys/recommend/shared_lists.py",
        "self.eligible is now.eligible and self.clicks == now.clicks",
        "self.clicks == now.clicks",
        ("tests/test_shared_lists.py",),
    ),
    Fault(
        "whoever was shown or has read something gets the list of strangers",
        "recsys/recommend/shared_lists.py",
        "state is None or not (len(state.seen) or len(state.impressions))",
        "state is None or not len(state.dismissed)",
        ("tests/test_shared_lists.py",),
    ),
    Fault(
        "a file damaged between two stages is read",
        "recsys/workspace/stages.py",
        '!= about["sha256"]:',
        '!= about["sha256"] and sha256 is None:',
        ("tests/test_workspace.py",),
    ),
    Fault(
        "a part of the log that was changed is read",
        "recsys/events/log.py",
        "if not now.fits(sha256 := self._hashes.of(self.root / name)):",
        "if (sha256 := self._hashes.of(self.root / name)) is None and not now.fits(sha256):",
        ("tests/test_events.py",),
    ),
    Fault(
        "a state of the log that was changed is believed",
        "recsys/events/log_state.py",
        "whole = told == _digest_of(values)",
        "whole = told is not None",
        ("tests/test_events.py",),
    ),
    Fault(
        "one odd row sets its half of the batch aside",
        "recsys/events/sound_rows.py",
        "if len(seqs) == 1:",
        "if len(seqs) <= 2:",
        ("tests/test_events.py",),
    ),
    Fault(
        "a release of another site is opened",
        "recsys/releases/checks.py",
        "if site is not None and made_for != site:",
        "if site is not None and made_for is None:",
        ("tests/test_releases.py",),
    ),
    Fault(
        "an address of IPv6's other ranges is taken for public",
        "recsys/imports/fetch.py",
        "return ip in _GLOBAL_UNICAST and ip.is_global",
        "return ip.is_global and not ip.is_multicast",
        ("tests/test_import_feed.py",),
    ),
    *_in(
        "recsys/forecast/structural.py",
        FORECAST,
        ("a gap is learned as silence", "        if series.observed[step]:\n", "        if True:\n"),
    ),
    *_in(
        "recsys/forecast/bands.py",
        FORECAST,
        ("a band knows outcomes that have not come", "known = at - delay", "known = at - 1"),
    ),
    *_in(
        "recsys/forecast/naive.py",
        FORECAST,
        ("a day ago is read before it was", "(row >= 0) & (row + STEPS_PER_HOUR <= origins[:, None])", "(row >= 0)"),
    ),
    *_in(
        "recsys/forecast/calendar.py",
        FORECAST,
        (
            "clocks that never change",
            "local = times.tz_convert(zone).tz_localize(None)",
            "local = times.tz_localize(None)",
        ),
    ),
    *_in(
        "recsys/forecast/article_columns.py",
        FORECAST_ARTICLES,
        ("a section tells of days that have not ended", "+ window - DAY_MS, side=", "+ window, side="),
    ),
    *_in(
        "recsys/forecast/alerts.py",
        ALERTS,
        ("a silent site is said of every section", "return whole or found", "return found"),
        ("half a slow minute is an outage", "bound = SILENT_SHARE * max(", "bound = max("),
    ),
    *_in(
        "web/outlook.py",
        OUTLOOK,
        ("a release's forecast that is broken breaks the page", "except (RecsysError, OSError,", "except (OSError,"),
    ),
    *_in(
        "recsys/serving/audiences.py",
        AUDIENCES,
        ("a reader is what they clicked later", "(past.time < time) | ", "(past.time > 0) | "),
    ),
    *_in(
        "recsys/trends/covisits.py",
        AUDIENCES,
        ("an audience outlives its slot", "        clear_audience(state, slot)\n", ""),
    ),
    *_in(
        "recsys/dataset/log_arrays.py",
        AUDIENCES,
        ("a session joins an audience", "np.where(visitor < readers, first, row)", "first"),
        (
            "a click is in its own past",
            "clicks.article[log.reader_start[p] : p]",
            "clicks.article[log.reader_start[p] : p + 1]",
        ),
    ),
    *_in(
        "recsys/events/outcomes.py",
        OUTCOMES,
        ("a reader hides as often as they say so", "added[n] = now & ~known", "added[n] = now"),
        ("a dwell of thirty seconds is none", "READ * (total >= READ_MS)", "READ * (total > READ_MS)"),
        ("outcomes of strangers count in training", "(keys >= 0) & ~silent & ", "(keys >= 0) & "),
        ("outcomes are remembered for ever", "if len(self._pairs) > MAX_OUTCOMES", "if len(self._pairs) < 0"),
    ),
    *_in(
        "recsys/events/visitors.py",
        OUTCOMES,
        (
            "a crowd hides an article",
            "counted.kind is not None and proof != Evidence.CROWDED",
            "counted.kind is not None",
        ),
    ),
    *_in(
        "recsys/serving/feed.py",
        OUTCOMES,
        (
            "after a start outcomes count again",
            "for kind in (Kind.DWELL, Kind.DISMISS):",
            "for kind in ():",
        ),
    ),
    *_in(
        "recsys/trends/outcomes.py",
        OUTCOMES,
        ("short forms are punished", "if code < 0 or code >= CATEGORIES:", "if True:"),
        ("an outcome has no bound", "min(max(hidden, 1 / BOUND), BOUND)", "hidden"),
    ),
    *_in(
        "recsys/recommend/rank.py",
        OUTCOMES,
        ("what is hidden is raised", "ratios.hidden**-hidden", "ratios.hidden**hidden"),
    ),
)
