"""The commands of a release beside the live one, by name."""

from typing import Annotated

import typer

from jobs.contexts import Config, context_of
from jobs.stages import command_of
from jobs.terminal import RUN_ID
from recsys.experiments.arms import LEAST_ARM_SHARE, MOST_CANARY_SHARE

PANEL = "What comes of it"
Name = Annotated[str, typer.Argument(metavar="RELEASE", help="The release, as `releases` lists it")]
RunId = Annotated[str | None, typer.Option(RUN_ID, hidden=True)]

app = typer.Typer()


@app.command(rich_help_panel=PANEL)
def shadow(
    release: Name,
    share: Annotated[float, typer.Option(help="Share of the lists that it makes, too, above 0 and at most 1")] = 0.05,
    minutes: Annotated[float, typer.Option(min=0.1, max=10_080, help="For so long")] = 10.0,
    json: Annotated[bool, typer.Option("--json", help="One JSON object instead of a line")] = False,
    config: Config = None,
    run_id: RunId = None,
) -> None:
    """Have a release make lists beside the live one, which nobody sees: how alike are they, how long do they take?"""
    command_of("challenge", "shadow")(context_of(config, None), release, share, minutes, as_json=json, run_id=run_id)


@app.command(rich_help_panel=PANEL)
def canary(
    release: Name,
    share: Annotated[
        float, typer.Option(min=LEAST_ARM_SHARE, max=MOST_CANARY_SHARE, help="Share of the readers that it serves")
    ] = 0.05,
    hours: Annotated[float, typer.Option(min=0.01, max=672, help="At most so long")] = 24.0,
    margin: Annotated[
        float, typer.Option(min=0.001, max=0.5, help="Share of the live click rate that it may be worse by")
    ] = 0.05,
    promote: Annotated[bool, typer.Option(help="Make it live when it is good; else it stays a candidate")] = True,
    force: Annotated[bool, typer.Option("--force", help="One that the gate refused, too")] = False,
    config: Config = None,
    run_id: RunId = None,
) -> None:
    """Serve a share of the readers by a release until their clicks decide. Exit code 2: it was taken back."""
    command_of("challenge", "canary")(
        context_of(config, None), release, share, hours, margin, promote=promote, force=force, run_id=run_id
    )
