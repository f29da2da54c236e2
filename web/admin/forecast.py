"""The admin API's forecast: the last hour beside what was expected, alerts, and the hours to come.

Reads a bearer token; produces an answer under ``/admin/api``. The expectation is that of the live release, made at
night by the stage ``forecast``; the clicks are those of the store, as they are now.
"""

from apiflask import APIBlueprint

from web.admin.forecast_schemas import AlertOut, ForecastOut, ForecastQuery, HourOut, SeriesOut
from web.admin.handlers import never_stored
from web.outlook import hours_to_come, outlook

blueprint = APIBlueprint("forecast", __name__, url_prefix="/admin/api", tag="admin")
blueprint.after_request(never_stored)


@blueprint.get("/forecast")
@blueprint.input(ForecastQuery, location="query", arg_name="query")
@blueprint.output(ForecastOut)
@blueprint.doc(security="bearer")
def read_forecast(query: ForecastQuery) -> ForecastOut:
    """Clicks of the last hour and those expected in it, by section; sections and articles out of the ordinary."""
    now = outlook()
    return ForecastOut(
        time=now.time,
        known_until=now.known_until,
        series=[SeriesOut(**one._asdict()) for one in now.series],
        alerts=[AlertOut(**one._asdict()) for one in now.alerts],
        hours=[HourOut(**one._asdict()) for one in hours_to_come(query.section, query.hours)],
    )
