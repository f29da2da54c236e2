"""Metrics: the HTTP side of ``/metrics``, and its address.

Labels are bounded: a route is a rule of the application, never an address that was asked for.
"""

from functools import lru_cache
from time import perf_counter

from flask import Blueprint, Response, request
from prometheus_client import Counter, Gauge, Histogram

from recsys.telemetry import REGISTRY, exposition
from web.gateway.wsgi import ROUTE

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
NO_ROUTE = "none"  # of requests that no rule fits

REQUESTS = Counter("recsys_requests", "Answered requests.", ["method", "route", "status"], registry=REGISTRY)
LATENCY = Histogram(
    "recsys_request_seconds",
    "Time from a complete request to its answer, the wait for a thread included.",
    ["route"],
    registry=REGISTRY,
    buckets=(0.001, 0.002, 0.004, 0.008, 0.015, 0.03, 0.06, 0.125, 0.25, 0.5, 1, 2, 5),
)
IN_FLIGHT = Gauge(
    "recsys_requests_in_flight", "Requests being read, waiting or being answered.", registry=REGISTRY,
    multiprocess_mode="livesum",
)  # fmt: skip
REFUSED = Counter("recsys_requests_refused", "Requests refused before the application.", ["code"], registry=REGISTRY)
CHEAPER = Counter("recsys_requests_cheaper", "Requests answered the cheaper way for want of time.", registry=REGISTRY)
EVENTS = Counter(
    "recsys_events", "Events posted, by their proof, or by the reason for which they are not stored.", ["outcome"],
    registry=REGISTRY,
)  # fmt: skip
STARTS = Counter("recsys_worker_starts", "Starts of workers, the first ones included.", registry=REGISTRY)

blueprint = Blueprint("metrics", __name__)


@lru_cache(maxsize=4_096)
def _children(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    return REQUESTS.labels(method, route, str(status)), LATENCY.labels(route)


def count_answer(method: str, route: str, status: int, came: float) -> None:
    """Count one answer.

    Args:
        method: of the request.
        route: rule of the application that answered.
        status: of the answer.
        came: when the request was complete, in seconds of ``perf_counter``.
    """
    answers, seconds = _children(method if method in METHODS else "other", route, status)
    answers.inc()
    seconds.observe(perf_counter() - came)


def name_route(response: Response) -> Response:
    """Leave the rule that answered where the gateway finds it."""
    request.environ[ROUTE] = NO_ROUTE if request.url_rule is None else request.url_rule.rule
    return response


@blueprint.get("/metrics")
def metrics() -> Response:
    """Figures of all workers in Prometheus's text format."""
    return Response(exposition(), content_type=CONTENT_TYPE, headers={"Cache-Control": "no-store"})
