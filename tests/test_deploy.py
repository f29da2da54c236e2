"""Files to deploy with: they can be read, and every command, setting, address and figure that they name is there."""

import configparser
import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from jobs.__main__ import app as commands
from recsys.names import ENV_NESTING, ENV_PREFIX, setting_names
from recsys.telemetry import REGISTRY
from tests.service import four
from web import figures, metrics
from web.gateway.limits import HEAD_SECONDS
from web.process.supervisor import STOP_SECONDS

ROOT = Path(__file__).resolve().parents[1]
DEPLOY = ROOT / "deploy"
FILES = sorted(path for path in DEPLOY.rglob("*") if path.is_file())
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
SUFFIXES = ("_total", "_bucket", "_sum", "_count", "")
NO_SETTINGS = {"RECSYS_PASSWORD", "RECSYS_CONFIG"}


def text_of(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def loaded(name: str) -> Any:
    return yaml.safe_load(text_of(DEPLOY / name))


def is_known_metric(name: str) -> bool:
    """True for a name of a sample that ``/metrics`` can have."""
    families = {family.name for family in REGISTRY.collect()}
    return name == "up" or any(name.removesuffix(suffix) in families for suffix in SUFFIXES if name.endswith(suffix))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_setting_that_a_file_names_is_one(file: Path) -> None:
    known = {ENV_PREFIX + name.upper().replace(".", ENV_NESTING) for name in setting_names()}
    named = set(re.findall(r"\bRECSYS_[A-Z_]+", text_of(file))) - NO_SETTINGS
    assert named <= known, named - known


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_command_that_a_file_names_is_one(file: Path) -> None:
    names = set(typer.main.get_command(commands).commands)  # type: ignore[attr-defined]
    for command in re.findall(r"-m jobs ([a-z]+)", text_of(file)):
        assert command in names
    for module in re.findall(r"-m (jobs|web)\b", text_of(file)):
        assert (ROOT / module / "__main__.py").is_file()


def test_files_name_commands_and_settings_at_all() -> None:
    everything = "".join(text_of(file) for file in FILES)
    assert {"-m web", "-m jobs worker", "-m jobs backup"} <= set(re.findall(r"-m (?:web|jobs [a-z]+)", everything)) | {
        f"-m {word}" for word in re.findall(r"-m (web)\b", everything)
    }
    assert "RECSYS_STORE__URL" in everything


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_has_its_sections_restarts_and_ends_in_time(unit: Path) -> None:
    parser = configparser.RawConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string(text_of(unit))
    service = parser["Service"]
    assert service["User"] != "root"
    assert parser["Unit"]["Description"]
    if service.get("Type") == "oneshot":
        return
    assert (service["Restart"], service["RestartPreventExitStatus"]) == ("always", "2")
    assert int(service["TimeoutStopSec"]) > STOP_SECONDS
    assert parser["Install"]["WantedBy"] == "multi-user.target"


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_may_write_what_its_command_writes_and_waits_for_no_folder_that_it_makes_itself(unit: Path) -> None:
    written = re.findall(r"^ReadWritePaths=(.+)$", text_of(unit), re.MULTILINE)[0].split()
    assert {"/var/lib/recsys", "/opt/recsys/recsys"} <= set(written)  # data, and machine code beside the source
    for made in re.findall(r"install -d .* (/\S+)$", text_of(unit), re.MULTILINE):
        assert f"-{made}" in written


def test_the_image_is_of_the_python_and_torch_that_are_pinned() -> None:
    text = text_of(DEPLOY / "Dockerfile")
    wanted = tomllib.loads(text_of(ROOT / "pyproject.toml"))["project"]["requires-python"]
    assert "FROM python:3.11-slim" in text
    assert ">=3.11" in wanted
    (torch,) = re.findall(r"torch==([\d.]+)", text)
    assert f"torch=={torch}\n" in text_of(ROOT / "constraints.txt")
    for line in re.findall(r"^COPY (.+)$", text, re.MULTILINE):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists(), source
    assert "USER recsys" in text


def test_compose_starts_the_service_the_worker_and_a_database_that_is_waited_for() -> None:
    compose = loaded("compose.yaml")
    services = compose["services"]
    assert set(services) == {"web", "worker", "database"}
    for name in ("web", "worker"):
        assert services[name]["depends_on"]["database"]["condition"] == "service_healthy"
        assert services[name]["environment"]["RECSYS_STORE__URL"].startswith("postgresql://")
        assert (DEPLOY / services[name]["build"]["context"] / services[name]["build"]["dockerfile"]).is_file()
    assert services["web"]["ports"] == ["127.0.0.1:8080:8080"]
    volumes = {volume.split(":")[0] for service in services.values() for volume in service["volumes"]}
    assert volumes == set(compose["volumes"])


def test_nginx_closes_before_the_service_does_and_names_addresses_that_there_are(tmp_path: Path) -> None:
    text = text_of(DEPLOY / "nginx.conf")
    assert text.count("{") == text.count("}")
    (kept,) = re.findall(r"keepalive_timeout (\d+)s", text)
    assert int(kept) < HEAD_SECONDS
    assert "X-Forwarded-Proto $scheme" in text
    assert "X-Request-ID      $request_id" in text
    with four(tmp_path) as service:
        rules = [rule.rule for rule in service.client.application.url_map.iter_rules()]
        for address in re.findall(r"location (?:= )?(/\S*) \{", text):
            assert any(rule.startswith(address) for rule in rules), address
        assert "/admin/api/runs/<string:run_id>/log" in rules


def test_dashboard_and_alerts_ask_for_figures_that_there_are() -> None:
    assert figures.BEHIND
    assert metrics.REQUESTS
    board = json.loads(text_of(DEPLOY / "grafana.json"))
    rules = [rule for group in loaded("alerts.yaml")["groups"] for rule in group["rules"]]
    asked = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    asked += [rule["expr"] for rule in rules]
    names = {name for expression in asked for name in re.findall(r"\brecsys_[a-z_]+", expression)}
    assert len(names) >= 10
    assert [name for name in names if not is_known_metric(name)] == []
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    assert all(expression.count("(") == expression.count(")") for expression in asked)
    for rule in rules:
        assert rule["annotations"]["summary"]
        assert f"`{rule['alert']}`" in text_of(ROOT / "docs" / "operations.md")
    assert loaded("prometheus.yaml")["rule_files"] == ["alerts.yaml"]
