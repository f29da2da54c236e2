"""The console as one blueprint: its pages, how their errors are said, and what templates may call."""

from flask import Blueprint, redirect
from flask.blueprints import BlueprintSetupState
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from recsys.errors import RecsysError
from web.api.problem_details import Refused
from web.console import (
    articles,
    data,
    experiments,
    front,
    openid,
    overview,
    pages,
    people,
    pipeline,
    releases,
    runs,
    signing,
    stories,
    tracing,
    vocabulary,
)
from web.console.figures import TrafficWindow
from web.console.recent import RecentCounter
from web.console.tables import spark

blueprint = Blueprint("console", __name__, url_prefix="/console")
for part in (
    signing,
    openid,
    overview,
    front,
    articles,
    stories,
    vocabulary,
    tracing,
    runs,
    pipeline,
    releases,
    experiments,
    data,
    people,
):
    blueprint.register_blueprint(part.blueprint)
blueprint.register_error_handler(Refused, pages.refused)
blueprint.register_error_handler(RecsysError, pages.failed)
blueprint.register_error_handler(NotFound, pages.missing)
blueprint.add_app_template_filter(pages.moment, "moment")
blueprint.add_app_template_filter(pages.seconds, "seconds")
blueprint.add_app_template_filter(pages.tongue, "tongue")
blueprint.add_app_template_filter(pages.stored, "stored")
blueprint.add_app_template_filter(pages.counted, "counted")
blueprint.add_app_template_filter(pages.actor, "actor")
blueprint.add_app_template_global(spark, "spark")
blueprint.add_app_template_global(pages.root, "root")


@blueprint.get("")
def door() -> Response:
    """The address without its slash."""
    return redirect(f"{pages.root()}/console/")


@blueprint.record_once
def share(state: BlueprintSetupState) -> None:
    """Give an application what its pages share."""
    state.app.extensions |= {"console.recent": RecentCounter(), "console.traffic": TrafficWindow()}
