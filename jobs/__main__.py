"""``python -m jobs``: every job by name."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from jobs import admin_tokens, backup, challenge_commands, imports, operators, reader_tokens, run_commands
from jobs import editorial as editorial_job
from jobs import init as init_job
from jobs import labels as labels_job
from jobs import people as people_job
from jobs import releases as releases_job
from jobs import settings as settings_job
from jobs import simulate as simulate_job
from jobs import story_edits as story_job
from jobs.contexts import Cluster, Config, context_of
from jobs.runner import Context, check_made, run_stage, run_stages
from jobs.runs import exclusive_run
from jobs.stages import command_of, main_process, stage_of
from jobs.terminal import log, main
from recsys.runs.stages import STAGES
from recsys.serving.reader_tokens import MAX_TOKEN_DAYS, OLD_KEY_DAYS
from recsys.store import DecisionKind, Scope

Seed = Annotated[int | None, typer.Option(min=0, help="Seed of all randomness; default: jobs.seed")]
Fresh = Annotated[bool, typer.Option("--fresh", help="Make it anew even if nothing has changed")]
RunId = Annotated[str | None, typer.Option(hidden=True)]

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Import articles and clicks, train, judge and publish.",
    epilog="A usual night: import, then all. Every setting: docs/settings.md; RECSYS_DATA_DIR moves what is written.",
)
SETTINGS = "The site's settings"
IN, TRAIN, OUT = "What comes in", "Training, stage by stage", "What comes of it"
DESK = "What an operator does, each in the audit"
RIGHTS = "Who may do what, each change in the audit"
EDITORS = "What an editor does, each in the audit"
AN_ID = {"ignore_unknown_options": True}  # an id may begin with a dash: -4110354420726924665
ArticleId = Annotated[str, typer.Argument(metavar="ID", help="The article's id, as it was imported")]
Until = Annotated[str, typer.Option(help="The end: a span such as 90m, 2h or 3d, or a time; at most 30 days from now")]
StoryId = Annotated[str, typer.Argument(metavar="STORY", help="The story's id, or that of any article of it")]
ReaderId = Annotated[str, typer.Argument(metavar="READER", help="The reader's id, as in the events")]
Reason = Annotated[str, typer.Option(help="Why, for the audit")]


@app.command(rich_help_panel=SETTINGS)
def init(
    name: Annotated[str | None, typer.Option(help="Name of the site")] = None,
    address: Annotated[str | None, typer.Option(help="Its address, such as https://www.example.org")] = None,
    language: Annotated[str | None, typer.Option(help="Language of its articles, such as zh, en or pt-BR")] = None,
    timezone: Annotated[str | None, typer.Option(help="Its time zone, such as Europe/Berlin")] = None,
    source: Annotated[str | None, typer.Option(help="Articles: a feed's address, a file, a folder, or demo")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing: take the default of what is not given")] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file if it is there")] = False,
    config: Annotated[
        Path | None, typer.Option(help="File to write; default: $RECSYS_CONFIG, else ./site.yaml")
    ] = None,
) -> None:
    """Ask five questions, write the site's configuration and say what comes next."""
    answers = {"name": name, "address": address, "language": language, "timezone": timezone, "source": source}
    init_job.command(answers, file=config, take_defaults=yes, force=force)


@app.command(rich_help_panel=SETTINGS)
def settings(
    yaml: Annotated[bool, typer.Option("--yaml", help="Print config.yaml anew: its keys and their defaults")] = False,
    config: Annotated[Path | None, typer.Option(help="File whose keys a site decides; default: ./config.yaml")] = None,
) -> None:
    """Print every setting with its default, allowed values, unit and reason, as Markdown."""
    settings_job.command(as_yaml=yaml, config=config)


app.add_typer(imports.app, name="import", help="Import articles and events from files.", rich_help_panel=IN)


@app.command(rich_help_panel=IN)
def simulate(config: Config = None, seed: Seed = None) -> None:
    """Fill the store with the demo newsroom and simulated readers."""
    simulate_job.command(context_of(config, seed))


@app.command(rich_help_panel=IN)
def data(
    config: Config = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object instead of the table")] = False,
    page: Annotated[Path | None, typer.Option("--page", help="Write the report's page to this file, too")] = None,
) -> None:
    """Say what came in, when, what is missing in it and what was odd."""
    command_of("data")(context_of(config, None), as_json=json, page=page)


def _stage(name: str) -> Callable[..., None]:
    def command(
        config: Config = None,
        seed: Seed = None,
        fresh: Fresh = False,
        cluster: Cluster = None,
        run_id: RunId = None,
    ) -> None:
        _make(context_of(config, seed, fresh, cluster), name, run_id)

    return command


def _categories(name: str) -> Callable[..., None]:
    def command(
        labels: Annotated[Path | None, typer.Option(help="Labelled rows for a task: CSV, JSONL or Parquet")] = None,
        task: Annotated[str | None, typer.Option(help="The task's name: learn its labels, not categories")] = None,
        encoding: Annotated[str, typer.Option(help="Of a text file without a byte order mark")] = "utf-8",
        config: Config = None,
        seed: Seed = None,
        fresh: Fresh = False,
        cluster: Cluster = None,
        run_id: RunId = None,
    ) -> None:
        context = context_of(config, seed, fresh, cluster)
        stage = name if labels is None and task is None else "tasks"
        with exclusive_run(context, stage, run_id):
            if stage == "tasks":
                labels_job.take_over(context, labels, task, encoding)
            run_stage(context, *stage_of(stage))

    return command


def _items(name: str) -> Callable[..., None]:
    def command(
        search: Annotated[bool, typer.Option("--search", help="Tell what each setting is worth on this log")] = False,
        config: Config = None,
        seed: Seed = None,
        fresh: Fresh = False,
        run_id: RunId = None,
    ) -> None:
        _make(context_of(config, seed, fresh), "items_search" if search else name, run_id)

    return command


def _make(context: Context, stage: str, run_id: str | None) -> None:
    with main_process(context, stage) as leads:
        if leads:
            with exclusive_run(context, stage, run_id):
                run_stage(context, *stage_of(stage))


for _name, (_about, _served) in STAGES.items():
    _help = _about[0].upper() + _about[1:] + "."
    _command = {"categories": _categories, "items": _items}.get(_name, _stage)(_name)
    app.command(_name, help=_help, rich_help_panel=TRAIN)(_command)


@app.command(rich_help_panel=TRAIN)
def entities(
    labels: Annotated[list[Path], typer.Option(help="JSON lines or columns of labelled tokens; may be given again")],
    config: Config = None,
    seed: Seed = None,
    run_id: RunId = None,
) -> None:
    """Train a tagger of names on label files of the site's own."""
    context = context_of(config, seed)
    with exclusive_run(context, "entities", run_id):
        command_of("entities")(context, labels)


@app.command("all", rich_help_panel=OUT)
def all_stages(
    config: Config = None, seed: Seed = None, fresh: Fresh = False, cluster: Cluster = None, run_id: RunId = None
) -> None:
    """Make every stage that is not up to date, in order, and publish the release if the gate lets it."""
    context = context_of(config, seed, fresh, cluster)
    with main_process(context, "all") as leads:
        if leads:
            _make_all(context, run_id)


def _make_all(context: Context, run_id: str | None) -> None:
    began = time.monotonic()
    with exclusive_run(context, "all", run_id) as run:
        first, *others = [stage_of(name) for name in STAGES]
        made = run_stages(context, [first], left=others)
        check_made(context, first[0])  # a log that does not fit its articles is refused before it is trained on
        made += run_stages(context, others, done=[first])
        release = command_of("publish", "publish")(context, list(STAGES), run)
    seconds = round(time.monotonic() - began, 2)
    log.info("done", job="all", made=made, up_to_date=len(STAGES) - made, release=release, seconds=seconds)


app.add_typer(run_commands.app)
app.add_typer(backup.app)
app.add_typer(challenge_commands.app)


@app.command(rich_help_panel=OUT)
def publish(
    force: Annotated[bool, typer.Option("--force", help="Do not ask the gate; the audit says so")] = False,
    config: Config = None,
    seed: Seed = None,
    run_id: RunId = None,
) -> None:
    """Make a release of the finished stages and, if the gate lets it, let the service take it over."""
    context = context_of(config, seed)
    with exclusive_run(context, "publish", run_id) as run:
        command_of("publish", "publish")(context, list(STAGES), run, force=force)


@app.command(rich_help_panel=OUT)
def promote(
    name: Annotated[str, typer.Argument(help="The release, as `releases` lists it")],
    reason: Reason = "",
    force: Annotated[bool, typer.Option("--force", help="One that the gate refused, too; the audit says so")] = False,
    config: Config = None,
) -> None:
    """Make a release live by its name."""
    releases_job.promote(context_of(config, None), name, reason, force=force)


@app.command(rich_help_panel=OUT)
def rollback(
    name: Annotated[str | None, typer.Argument(help="An older release; default: the one before the live one")] = None,
    reason: Reason = "",
    config: Config = None,
) -> None:
    """Make an older release live again; no night publishes the one that was live, `promote` does."""
    releases_job.rollback(context_of(config, None), name, reason)


@app.command(rich_help_panel=OUT)
def sign(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Releases that were made here")] = None,
    new_key: Annotated[bool, typer.Option("--new-key", help="Sign all that verify with a new key")] = False,
    config: Config = None,
) -> None:
    """Vouch for releases: sign those that were made before there were signatures, or all with a new key."""
    releases_job.sign(context_of(config, None), names or [], new_key=new_key)


@app.command(rich_help_panel=OUT)
def releases(
    json: Annotated[bool, typer.Option("--json", help="One JSON array instead of the table")] = False,
    config: Config = None,
) -> None:
    """List the releases with their states, newest first."""
    releases_job.show(context_of(config, None), as_json=json)


@app.command(rich_help_panel=OUT)
def gate(
    name: Annotated[str | None, typer.Argument(help="A release; default: the newest candidate")] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object instead of the table")] = False,
    config: Config = None,
) -> None:
    """Judge a candidate beside the live release; nothing is moved. Exit code 2: it would not be served."""
    command_of("gate")(context_of(config, None), name, as_json=json)


@app.command(rich_help_panel=OUT)
def experiment(
    name: Annotated[str | None, typer.Argument(help="Its name; without one: list all")] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object instead of the table")] = False,
    config: Config = None,
) -> None:
    """Say what readers of each arm of an experiment did; or list the experiments."""
    command_of("experiment")(context_of(config, None), name, as_json=json)


@app.command(rich_help_panel=OUT)
def compare(
    before: Annotated[str, typer.Argument(help="A release, as `releases` lists it")],
    after: Annotated[str, typer.Argument(help="Another one")],
    json: Annotated[bool, typer.Option("--json", help="One JSON object instead of the tables")] = False,
    config: Config = None,
) -> None:
    """Say what differs between two releases: figures, settings, counts, words that moved, lists that changed."""
    command_of("compare")(context_of(config, None), before, after, as_json=json)


@app.command(rich_help_panel=OUT)
def evaluate(
    config: Config = None,
    seed: Seed = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object on the last line")] = False,
) -> None:
    """Judge every model on the impressions held out, the last ones in time."""
    command_of("evaluate")(context_of(config, seed), as_json=json)


@app.command(rich_help_panel=OUT)
def explored(
    config: Config = None,
    out: Annotated[Path | None, typer.Option(help="CSV file to write; default: print it")] = None,
) -> None:
    """Write what the exploration slot tried, with which probability, and whether it was opened."""
    command_of("explored")(context_of(config, None), out=out)


@app.command(rich_help_panel=RIGHTS)
def token(
    name: Annotated[str | None, typer.Argument(help="Who will hold it; without a name: list all")] = None,
    config: Config = None,
    role: Annotated[
        Scope | None, typer.Option("--role", "--scope", help="Its rights (docs/roles.md); write: a publisher's key")
    ] = None,
    site: Annotated[str | None, typer.Option(help="The only site that it is for, * for all; default: site.id")] = None,
    expires: Annotated[str | None, typer.Option(help="Its end: a span such as 90d, or a time; default: none")] = None,
    revoke: Annotated[bool, typer.Option("--revoke", help="Make it invalid instead")] = False,
) -> None:
    """Make a token for the admin API or a publisher, shown once and stored only as a hash; or list them."""
    context = context_of(config, None)
    if name is None:
        admin_tokens.show(context)
    elif revoke:
        admin_tokens.revoke(context, name)
    else:
        admin_tokens.make(context, name, role, site, expires)


@app.command(rich_help_panel=RIGHTS)
def person(
    name: Annotated[str, typer.Argument(help="Of the account")],
    config: Config = None,
    role: Annotated[Scope | None, typer.Option(help="What the person may do: docs/roles.md")] = None,
    site: Annotated[str | None, typer.Option(help="The only site that it is for, * for all; default: site.id")] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Remove the account instead")] = False,
    password: Annotated[
        bool, typer.Option("--password/--no-password", help="With none it signs in by the provider of web.oidc alone")
    ] = True,
    first: Annotated[
        bool, typer.Option("--first", help="An owner with an invented password, if nobody is there")
    ] = False,
) -> None:
    """Make an account, or change its role and password: asked for, or one line of the input."""
    context = context_of(config, None)
    if remove:
        people_job.remove(context, name)
    elif first:
        people_job.set_first_person(context, name)
    else:
        people_job.set_person(context, name, role, site, password=password)


@app.command(rich_help_panel=RIGHTS)
def people(config: Config = None) -> None:
    """List the people who may sign in."""
    people_job.show(context_of(config, None))


@app.command(rich_help_panel=DESK, context_settings=AN_ID)
def hide(id: ArticleId, config: Config = None) -> None:
    """Take an article out of every list and page, within a second."""
    operators.change_article(context_of(config, None), "hide", id)


@app.command(rich_help_panel=DESK, context_settings=AN_ID)
def show(id: ArticleId, config: Config = None) -> None:
    """Show a hidden article again; of a deleted one lift the tombstone, so that an import may bring it back."""
    operators.change_article(context_of(config, None), "show", id)


@app.command(rich_help_panel=DESK, context_settings=AN_ID)
def delete(id: ArticleId, config: Config = None) -> None:
    """Delete an article for good: no import brings it back."""
    operators.change_article(context_of(config, None), "delete", id)


@app.command(rich_help_panel=DESK, context_settings=AN_ID)
def forget(reader: ReaderId, config: Config = None) -> None:
    """Remove everything of one reader, and say when all is gone."""
    operators.forget_reader(context_of(config, None), reader)


@app.command(rich_help_panel=DESK, context_settings=AN_ID)
def reader(
    reader: ReaderId,
    config: Config = None,
    whole: Annotated[bool, typer.Option("--all", help="Every click, not only the newest")] = False,
) -> None:
    """Print what is kept of one reader, as JSON."""
    operators.show_reader(context_of(config, None), reader, whole=whole)


@app.command("reader-token", rich_help_panel=DESK, context_settings=AN_ID)
def reader_token(
    reader: ReaderId,
    config: Config = None,
    days: Annotated[float, typer.Option(min=0.001, max=MAX_TOKEN_DAYS, help="Until it expires")] = 1.0,
) -> None:
    """Print a signed token of a reader, as the site's server makes it (docs/readers-rights.md)."""
    reader_tokens.make(context_of(config, None), reader, days)


@app.command("rotate-reader-key", rich_help_panel=DESK)
def rotate_reader_key(
    config: Config = None,
    days: Annotated[
        float, typer.Option(min=0, max=MAX_TOKEN_DAYS, help="For which tokens of the old key are taken; 0 after a leak")
    ] = OLD_KEY_DAYS,
) -> None:
    """Make a new key for readers' tokens; those of the old one are taken for some days."""
    reader_tokens.rotate_key(context_of(config, None), days)


@app.command(rich_help_panel=EDITORS, context_settings=AN_ID)
def pin(
    id: ArticleId,
    until: Until,
    place: Annotated[
        int | None, typer.Option(min=1, help="In the list, from 1; default: wherever it is ranked, but in every list")
    ] = None,
    slot: Annotated[
        str | None, typer.Option(help="The only slot in whose lists it stands; default: every list")
    ] = None,
    config: Config = None,
) -> None:
    """Let an article stand at a place, or for sure where it is ranked, in every list or those of a slot."""
    editorial_job.pin(context_of(config, None), id, place, until, slot)


@app.command(rich_help_panel=EDITORS, context_settings=AN_ID)
def boost(
    id: ArticleId,
    factor: Annotated[float, typer.Option(help="By which the odds of a click are multiplied: above 1, at most 10")],
    until: Until,
    config: Config = None,
) -> None:
    """Let an article stand higher where it is ranked."""
    editorial_job.boost(context_of(config, None), id, factor, until)


@app.command(rich_help_panel=EDITORS, context_settings=AN_ID)
def bury(id: ArticleId, until: Until, config: Config = None) -> None:
    """Take an article out of all lists; its page, its tags and today's clicks still show it."""
    editorial_job.bury(context_of(config, None), id, until)


@app.command(rich_help_panel=EDITORS, context_settings=AN_ID)
def unpin(id: ArticleId, config: Config = None) -> None:
    """End a pin before its time."""
    editorial_job.end(context_of(config, None), id, DecisionKind.PIN)


@app.command(rich_help_panel=EDITORS, context_settings=AN_ID)
def unboost(id: ArticleId, config: Config = None) -> None:
    """End a boost before its time."""
    editorial_job.end(context_of(config, None), id, DecisionKind.BOOST)


@app.command(rich_help_panel=EDITORS, context_settings=AN_ID)
def unbury(id: ArticleId, config: Config = None) -> None:
    """End a bury before its time."""
    editorial_job.end(context_of(config, None), id, DecisionKind.BURY)


@app.command(rich_help_panel=EDITORS)
def editorial(config: Config = None) -> None:
    """Print the pins, boosts and buries that hold now."""
    editorial_job.show(context_of(config, None))


@app.command(rich_help_panel=EDITORS, context_settings=AN_ID)
def join(
    story: StoryId,
    other: Annotated[str, typer.Argument(metavar="OTHER", help="The other one, likewise")],
    config: Config = None,
) -> None:
    """Make two stories one."""
    story_job.join(context_of(config, None), story, other)


@app.command(rich_help_panel=EDITORS, context_settings=AN_ID)
def split(
    articles: Annotated[list[str], typer.Argument(metavar="ID...", help="Articles of one story, by their ids")],
    config: Config = None,
) -> None:
    """Let articles leave their story, together."""
    story_job.split(context_of(config, None), articles)


@app.command(rich_help_panel=EDITORS, context_settings=AN_ID)
def name_story(
    story: StoryId,
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="On one line")] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Take the name back instead")] = False,
    config: Config = None,
) -> None:
    """Call a story by a name, in place of a headline."""
    if clear == (name is not None):
        raise typer.BadParameter("Give a name, or --clear to take it back.")
    story_job.name(context_of(config, None), story, name)


@app.command(rich_help_panel=DESK)
def audit(
    config: Config = None,
    last: Annotated[int, typer.Option(min=1, max=10_000, help="How many entries, newest first")] = 50,
) -> None:
    """Print who did what to which article or reader, and when."""
    operators.show_audit(context_of(config, None), last)


if __name__ == "__main__":
    main(app)
