"""``python -m jobs promote|rollback|sign|releases``: what an operator does with releases, each move in the audit.

Reads and writes the folder of releases; every worker takes a new live one over by itself, within seconds.
"""

import json
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import typer

from jobs.runner import Context, open_store
from jobs.terminal import log, who
from recsys.errors import InputError, RecsysError, StoreError
from recsys.keys import rotate
from recsys.releases import ReleaseState
from recsys.releases.texts import MOVES

KEY_DAYS = 7.0  # for which the key before is taken: other hosts may have signed with it meanwhile


def audited(
    context: Context, verb: str, release: str, before: str | None = None, *, by: str | None = None, **details: Any
) -> None:
    """Write a move into the audit, with the live releases; without a database, ``states.json`` alone says it."""
    was, now = {"live": before}, {"live": context.releases.current()}
    try:
        with closing(open_store(context.settings)) as store:
            store.record(
                context.settings.site.id, by or who(), verb, f"release {release}", before=was, after=now, **details
            )
    except StoreError as error:
        log.warning("not in the audit", job=verb, release=release, error=str(error))


def promote(context: Context, name: str, reason: str, *, force: bool) -> None:
    """Make a release live by its name; with ``force`` one that the gate refused, too.

    Raises:
        RefusedRelease: the gate refused it.
        MissingArtefact: there is no such release.
        CorruptArtefact: it does not verify; the live one stays.
    """
    context.follow_live_release()
    releases, before = context.releases, context.releases.current()
    said = releases.state(name).refusal if force else ""
    releases.activate(name, who(), reason or MOVES("promoted"), force=force)
    audited(context, "promote", name, before=before, reason=reason, **({"forced": said} if said else {}))
    log.info("promoted", job="promote", release=name, before=before or "-")


def rollback(context: Context, name: str | None, reason: str) -> str:
    """Make an older release live again, by default the one before the live one.

    Returns:
        Its name.
    """
    context.follow_live_release()
    releases, before = context.releases, context.releases.current()
    back = releases.rollback(name, who(), reason)
    audited(context, "rollback", back, before=before, reason=reason)
    note = f"No night publishes {before} again: python -m jobs promote {before}"
    log.info("rolled back", job="rollback", release=back, before=before, note=note)
    return back


def sign(context: Context, names: list[str], *, new_key: bool) -> None:
    """Sign releases that were made here, and with ``new_key`` all that verify, by a new key.

    Raises:
        InputError: no release is named, and no new key is asked for.
        CorruptArtefact: the files of one are not its manifest's.
    """
    releases = context.releases
    if not (names or new_key):
        raise InputError("the names of releases that were made here", "none", "Run: python -m jobs releases")
    if new_key:
        names = list(dict.fromkeys([*names, *(name for name in releases.names() if not problem_of(context, name))]))
        key = rotate(releases.signatures.key_file, KEY_DAYS)
        audited(context, "new key", key.id, releases.current())
        log.info("new key", job="sign", key=key.id, taken_days=KEY_DAYS)
    for name in names:
        releases.sign(name)
        audited(context, "sign", name, releases.current())
        log.info("signed", job="sign", release=name)


def problem_of(context: Context, name: str) -> str:
    """The reason for which a release cannot be served, empty for a whole one; every byte is looked at."""
    try:
        context.releases.open(name)
    except (OSError, RecsysError) as error:
        return str(error)
    return ""


def listed(context: Context) -> list[dict[str, Any]]:
    """The releases, newest first: name, state, since, by, reason, made (ms UTC), files, bytes, parent."""
    releases, rows = context.releases, []
    for name in reversed(releases.names()):
        manifest, record = releases.manifest(name), releases.state(name)
        sizes = [file["bytes"] for file in manifest["files"].values()]
        facts = {"name": name, "state": str(record.state), "since": record.since, "by": record.by}
        facts |= {"reason": record.reason, "taken_back": record.taken_back, "made": manifest["created_at"]}
        rows.append({**facts, "files": len(sizes), "bytes": sum(sizes), "parent": manifest["parent"]})
    return rows


def show(context: Context, *, as_json: bool) -> None:
    """Print the releases, newest first, each with its state, and the reason of those that wait."""
    for name in context.releases.damaged():
        log.error("damaged: its manifest cannot be read, nobody serves it", release=name, remedy="Remove its folder.")
    rows = listed(context)
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    if not rows:
        log.info("none yet", job="releases", remedy="Run: python -m jobs all")
        return
    typer.echo(f"{'':9}  {'release':21}  {'made (UTC)':19}  {'files':>5}  {'MiB':>7}  parent")
    for row in rows:
        made, mib = datetime.fromtimestamp(row["made"] / 1000, UTC), row["bytes"] / 2**20
        line = f"{row['state']:9}  {row['name']:21}  {made:%Y-%m-%d %H:%M:%S}  {row['files']:5}  {mib:7.1f}"
        typer.echo(f"{line}  {row['parent'] or '-'}")
        if row["state"] == ReleaseState.CANDIDATE and row["reason"]:
            typer.echo(f"{'':11}{row['reason']}")
