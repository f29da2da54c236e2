"""The first page: what is served and how, what comes next, and what needs a person. It refreshes by itself."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import quote

from flask import Blueprint, Response

from recsys.forecast.expected import WHOLE_SITE
from recsys.units import HOUR_MS, MINUTE_MS, SECOND_MS, now_ms
from web import texts
from web.console.calls import ADMIN_API, read
from web.console.figures import Traffic
from web.console.pages import extension, language, moment, page, seconds, stored_text, zone
from web.console.recent import RecentEvents
from web.installation import installation
from web.outlook import TrafficOutlook, outlook

OLD_RELEASE_MS = 36 * HOUR_MS  # a night was left out
QUIET_MS = HOUR_MS  # without a click, where there were some
WAITING_MS = 2 * MINUTE_MS  # that a run may wait for a worker
BEHIND_SECONDS = 10.0
UNMATCHED_SHARE = 0.05  # from here on the site and the catalogue name articles differently
FLOODED = 100  # events within the minutes of the figures: more than a page with two widgets that is reloaded
LAST_RUNS = 30

blueprint = Blueprint("overview", __name__)


class Concern(NamedTuple):
    """A thing that needs a person: a word, its facts, and the page that helps."""

    word: str
    facts: dict[str, Any]
    page: str


@blueprint.get("/")
def overview() -> Response:
    """The state of the service, the next runs, and what needs a person."""
    here, now = installation(), now_ms()
    live = here.live
    releases = read(f"{ADMIN_API}/releases")["releases"]
    runs = read(f"{ADMIN_API}/runs", last=LAST_RUNS)["runs"]
    schedules = [one for one in read(f"{ADMIN_API}/schedules")["schedules"] if not one["paused"]]
    served = next((one for one in releases if one["name"] == live.release), None)
    recent, now_and_expected = recent_events(now), outlook()
    traffic: Traffic = extension("traffic").now()
    return page(
        "overview.html",
        release=served,
        release_name=live.release,
        articles=len(live.catalogue.ids),
        behind=live.behind_seconds,
        traffic=traffic,
        recent=recent,
        hour_clicks=sum(map(sum, recent.clicks.values())),
        active=[run for run in runs if run["state"] in ("queued", "running")],
        upcoming=sorted(schedules, key=lambda one: int(one["next_at"]))[:5],
        outlook=now_and_expected,
        rates=section_rates(recent, now_and_expected),
        concerns=[
            *_of_alerts(now_and_expected),
            *_of_release(served, live.release, now),
            *_of_runs(runs, now),
            *_of_events(recent, now),
            *_of_flood(traffic),
            *_of_feed(),
        ],
    )


def recent_events(now: int) -> RecentEvents:
    """The counts of the last events; see ``web.console.recent``."""
    here = installation()
    counts: RecentEvents = extension("recent").now(here.store, here.live.site, here.live.catalogue.row_of, now, zone())
    return counts


def section_rates(recent: RecentEvents, now_and_expected: TrafficOutlook) -> dict[str, float | None]:
    """The click rate of the last hour by section: clicks over impressions, of the newest events; None without any."""
    catalogue = installation().live.catalogue
    totals: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for counts, place in ((recent.shown, 0), ({name: sum(bins) for name, bins in recent.clicks.items()}, 1)):
        for article, count in counts.items():
            row = catalogue.row_of.get(article)
            section = None if row is None else catalogue.category(row)
            for name in {WHOLE_SITE, section or WHOLE_SITE}:
                totals[name][place] += count
    shares = {name: clicked / shown if shown else None for name, (shown, clicked) in totals.items()}
    return {one.section: shares.get(one.section) for one in now_and_expected.series}


def _of_alerts(now_and_expected: TrafficOutlook) -> Iterator[Concern]:
    for one in now_and_expected.alerts:
        facts = {"clicks": f"{one.clicks:,}", "minutes": one.minutes, "expected": f"{one.expected:,.0f}"}
        if one.kind == "silent":
            word = "silent_section" if one.name else "silent_site"
            yield Concern(word, facts | {"section": texts.category_name(one.name, language())}, "/console/")
        else:
            address = f"/console/articles/one?id={quote(one.name, safe='')}"
            yield Concern("rising_article", facts | {"title": now_and_expected.titles[one.name]}, address)


def _of_release(served: dict[str, Any] | None, name: str | None, now: int) -> Iterator[Concern]:
    if name is None:
        yield Concern("no_release", {}, "/console/runs")
    elif served and served["created_at"] and now - served["created_at"] > OLD_RELEASE_MS:
        yield Concern("old_release", {"span": seconds((now - served["created_at"]) / SECOND_MS)}, "/console/runs")


def _of_runs(runs: list[dict[str, Any]], now: int) -> Iterator[Concern]:
    """Of each job, newest first: the last one that ended, where it failed; and those that nobody takes."""
    looked: set[str] = set()
    for run in runs:
        if run["state"] == "queued" and now - run["created_at"] > WAITING_MS and not run["not_before"]:
            busy = any(other["state"] == "running" for other in runs)
            if not busy:
                yield Concern("nobody_takes", {"job": run["job"]}, "/console/runs")
        if run["finished_at"] is None or run["job"] in looked or run["state"] in ("cancelled", "interrupted"):
            continue
        looked.add(run["job"])
        if run["state"] == "failed":
            facts = {"job": run["job"], "time": moment(run["finished_at"]), "error": stored_text(run["error"] or "?")}
            yield Concern("run_failed", facts, f"/console/runs/{run['id']}")


def _of_events(recent: RecentEvents, now: int) -> Iterator[Concern]:
    if recent.clicked_at is not None and now - recent.clicked_at > QUIET_MS:
        yield Concern("no_clicks", {"time": moment(recent.clicked_at)}, "/console/")
    if recent.all_clicks and recent.unmatched / recent.all_clicks > UNMATCHED_SHARE:
        facts = {"share": f"{recent.unmatched / recent.all_clicks:.0%}", "clicks": f"{recent.all_clicks:,}"}
        yield Concern("unmatched", facts, "/console/articles")


def _of_flood(traffic: Traffic) -> Iterator[Concern]:
    if traffic.flooded >= FLOODED:
        yield Concern("flooded", {"number": f"{traffic.flooded:,}"}, "/console/data")


def _of_feed() -> Iterator[Concern]:
    live = installation().live
    if live.behind_seconds > BEHIND_SECONDS:
        yield Concern("behind", {"span": seconds(live.behind_seconds)}, "/console/")
    if live.set_aside:
        yield Concern("set_aside", {"number": len(live.set_aside), "first": live.set_aside[0]}, "/console/")
