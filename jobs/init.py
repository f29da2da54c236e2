"""A site's first configuration: five questions, each with a default, and a file of ten lines.

Reads answers from the options or a terminal; produces ``site.yaml``, whose keys win over those of ``config.yaml``, and
says which commands come next.
"""

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from zoneinfo import available_timezones

import typer
import yaml
from pydantic import ValidationError

from recsys.errors import ConfigError, InputError
from recsys.languages import language_code
from recsys.names import CONFIG_VARIABLE, nearest
from recsys.settings import SITE_FILE
from recsys.settings.config import SiteConfig

_DEMO = "demo"
_FORMATS = {"csv": "csv", "tsv": "csv", "json": "jsonl", "jsonl": "jsonl", "ndjson": "jsonl", "parquet": "parquet"}
_FEED_FORMATS = ("xml", "rss", "atom")
_COMPRESSED = (".gz", ".bz2", ".xz", ".zst")
_DATASETS = {"news.tsv": "mind", "articles.parquet": "ebnerd"}  # the file by which a folder is recognised
_HEAD = (
    "# What this site decides, over config.yaml; docs/settings.md lists every key. Written by `python -m jobs init`."
)


class Question(NamedTuple):
    """One question.

    Attributes:
        name: of the command line's option.
        text: what is asked.
        default: taken when the answer is empty.
        check: answer -> value; raises ``InputError``.
    """

    name: str
    text: str
    default: str
    check: Callable[[str], str]


def command(answers: Mapping[str, str | None], *, file: Path | None, take_defaults: bool, force: bool) -> None:
    """Ask what the options leave open, and write the file.

    Args:
        answers: by the name of the question; None: not given.
        file: where it is written; None: ``$RECSYS_CONFIG``, else ``site.yaml`` in the current folder.
        take_defaults: ask nothing.
        force: overwrite the file if it is there.

    Raises:
        InputError: an option is not valid, the file is there already, or nobody can be asked.
    """
    target = file or Path(os.environ.get(CONFIG_VARIABLE) or SITE_FILE)
    if target.exists() and not force:
        raise ConfigError("no configuration yet", f"{target}", "Edit it, or write it anew with --force.")
    values: dict[str, str] = {}
    for question in questions():
        given = answers[question.name]
        if given is None and not take_defaults:
            values[question.name] = _ask(question)
        else:
            values[question.name] = question.check(question.default if given is None else given)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(as_yaml(values), encoding="utf-8")
    config = "" if file is None else f" --config {file}"
    typer.echo(f"\nWritten: {target}. Next:\n\n  python -m jobs {import_command(values['source'])}{config}")
    typer.echo(f"  python -m jobs all{config}\n  python -m web{config}")


def questions() -> list[Question]:
    """The five, in the order in which they are asked."""
    return [
        Question("name", "Name of the site", "My news site", _name),
        Question("address", "Its address, such as https://www.example.org (empty: none yet)", "", _address),
        Question("language", "Language of its articles, such as zh, en, da or pt-BR", own_language(), _language),
        Question("timezone", "Its time zone, such as Europe/Berlin", own_timezone(), _timezone),
        Question("source", "Articles: a feed's address, a file, a folder, or demo", _DEMO, _source),
    ]


def own_language() -> str:
    """The language of the machine's locale; English where it says none."""
    locale = next((os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), "")
    return language_code(locale.partition(".")[0].replace("_", "-")) or "en"


def own_timezone(clock: Path = Path("/etc/localtime")) -> str:
    """The machine's time zone; UTC where it says none.

    Args:
        clock: link into the zone database.
    """
    linked = str(clock.resolve()).partition("zoneinfo/")[2]
    zones = available_timezones()
    return next((zone for zone in (os.environ.get("TZ", "").lstrip(":"), linked) if zone in zones), "UTC")


def as_yaml(values: Mapping[str, str]) -> str:
    """The file's text."""
    address = values["address"]
    site = {
        "id": (urlsplit(address).hostname or "default").removeprefix("www.")[:64],
        "name": values["name"],
        "timezone": values["timezone"],
        "language": values["language"],
        "base_url": address,
    }
    body = yaml.safe_dump({"site": site}, allow_unicode=True, sort_keys=False, width=1_000)
    return f"{_HEAD}\n# Articles: python -m jobs {import_command(values['source'])}\n\n{body}"


def import_command(source: str) -> str:
    """The job that takes in the articles of a source."""
    if source == _DEMO:
        return "simulate"
    if _is_address(source):
        return f"import feed {source}"
    path = Path(source)
    if path.is_dir():
        return f"import {_dataset(path) or 'adressa'} {source}"
    extension = _extension(path)
    return f"import {'feed' if extension in _FEED_FORMATS else _FORMATS[extension]} {source}"


def _dataset(folder: Path) -> str | None:
    """The data set of research that a folder holds, where its files say it; those of Adressa have no ending."""
    return next((name for file, name in _DATASETS.items() if any(folder.rglob(file))), None)


def _ask(question: Question) -> str:
    if not sys.stdin.isatty():
        raise InputError(
            "an answer to every question",
            f"none to {question.text!r}, and no terminal to ask on",
            f"Give --{question.name}, or --yes to take the default of what is not given.",
        )
    while True:
        answer: str = typer.prompt(question.text, default=question.default, show_default=bool(question.default))
        try:
            return question.check(answer)
        except InputError as error:
            typer.echo(f"  Expected {error.expected}; got {error.got}. {error.remedy}", err=True)


def _site(remedy: str, **values: Any) -> SiteConfig:
    try:
        return SiteConfig(**values)
    except ValidationError:
        key, value = next(iter(values.items()))
        raise ConfigError(f"a {key.replace('_', ' ')} of the site", repr(value), remedy) from None


def _name(text: str) -> str:
    if not text.strip():
        raise ConfigError("a name", "nothing", "It stands at the head of the pages and of the report.")
    return text.strip()


def _address(text: str) -> str:
    text = text.strip().rstrip("/")
    if text and "://" not in text:
        text = f"https://{text}"
    if text and "." not in (urlsplit(text).hostname or ""):
        raise ConfigError("an address such as https://www.example.org", repr(text), "Leave it empty if there is none.")
    return _site("For example: https://www.example.org", base_url=text).base_url


def _language(text: str) -> str:
    return _site("Give its code: zh, en, da, pt-BR …", language=text.strip()).language


def _timezone(text: str) -> str:
    zones = available_timezones()
    if text.strip() not in zones:
        raise ConfigError("an IANA time zone such as Europe/Berlin", repr(text), nearest(text, zones)[:200])
    return text.strip()


def _source(text: str) -> str:
    text = text.strip()
    if text == _DEMO or _is_address(text):
        return text
    path = Path(text)
    if not path.exists():
        raise ConfigError("the address of a feed, a file, a folder, or demo", f"no file at {text!r}", "Check the path.")
    if path.is_file() and _extension(path) not in (*_FORMATS, *_FEED_FORMATS):
        raise ConfigError(f"a file of {', '.join([*_FORMATS, *_FEED_FORMATS])}", text, "Rename it by what it holds.")
    if path.is_dir() and _dataset(path) is None and any(_extension(file) in _FORMATS for file in path.iterdir()):
        raise ConfigError("a file, or a folder of MIND, EB-NeRD or Adressa", text, "Name one of the files in it.")
    return text


def _is_address(text: str) -> bool:
    return text.startswith(("http://", "https://"))


def _extension(path: Path) -> str:
    name = path.name.lower()
    for ending in _COMPRESSED:
        name = name.removesuffix(ending)
    return name.rpartition(".")[2]
