"""Generated requests over ``/openapi.json``: no 5xx, no status that is not described, no answer of another shape."""

import random
import string
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from recsys.store import Scope
from tests.newsroom import SITE
from tests.service import FOUR, Service, fill, plain_settings, serving

METHODS = ("get", "put", "patch", "post", "delete")
STREAMS = ("/admin/api/runs/{run_id}/log",)  # ends with its run
TYPES: Mapping[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}
ODD: tuple[Any, ...] = (
    "",
    "a1",
    "a2",
    "front",
    "en",
    "\x00",
    "中" * 300,
    "../x",
    "4.7e+299",
    -1,
    0,
    2**70,
    1.5,
    True,
    None,
    [],
    {},
    [{}],
)
QUICK, WHOLE = 6, 150  # requests per operation


class Spec:
    """The document of a service, which makes requests and judges answers."""

    def __init__(self, document: dict[str, Any], seed: int) -> None:
        self.document, self.rng = document, random.Random(seed)

    def operations(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        for path, methods in self.document["paths"].items():
            for method in METHODS:
                if method in methods and path not in STREAMS:
                    yield method.upper(), path, methods[method]

    def resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in schema:
            schema = self.document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
        return schema

    def value(self, schema: dict[str, Any], odd: float) -> Any:
        """A value of a schema, or with the chance of ``odd``, at each place, one that is none."""
        schema, rng = self.resolved(schema), self.rng
        if rng.random() < odd:
            return rng.choice(ODD)
        if several := schema.get("anyOf") or schema.get("oneOf"):
            return self.value(rng.choice(several), odd)
        if "enum" in schema:
            return rng.choice(schema["enum"])
        kind = schema.get("type", "string")
        if kind == "object":
            wanted = schema.get("required", [])
            named = schema.get("properties", {}).items()
            return {name: self.value(of, odd) for name, of in named if name in wanted or rng.random() < 0.5}
        if kind == "array":
            return [self.value(schema.get("items", {}), odd) for _ in range(rng.randrange(3))]
        if kind in ("integer", "number"):
            return rng.randint(int(schema.get("minimum", 0)), int(min(schema.get("maximum", 1_000), 2**31)))
        if kind == "boolean":
            return rng.random() < 0.5
        if kind == "null":
            return None
        least = schema.get("minLength", 1)
        return "".join(rng.choices(string.ascii_letters + "中é🦊 ", k=least + rng.randrange(8)))

    def request(self, path: str, about: dict[str, Any], odd: float) -> tuple[str, dict[str, Any], dict[str, Any]]:
        """Path, query and body (or nothing) of a request."""
        query = {}
        for one in about.get("parameters", []):
            given = self.value(one["schema"], odd)
            if one["in"] == "path":
                text = str(given) if self.rng.random() < 0.5 else self.rng.choice(("a1", "a2", "night", "none"))
                path = path.replace(f"{{{one['name']}}}", quote(text or "x", safe=""))
            elif one["in"] == "query" and given is not None and (one.get("required") or self.rng.random() < 0.4):
                query[one["name"]] = str(given)
        content = about.get("requestBody", {}).get("content", {})
        body = {"json": self.value(content["application/json"]["schema"], odd)} if "application/json" in content else {}
        return path, query, body

    def fault(self, value: Any, schema: dict[str, Any], at: str = "$") -> str:
        """The first place at which a value is not of a schema, empty where it is."""
        schema = self.resolved(schema)
        if several := schema.get("anyOf") or schema.get("oneOf"):
            faults = [self.fault(value, one, at) for one in several]
            return "" if "" in faults else faults[0]
        if "enum" in schema and value not in schema["enum"]:
            return f"{at}: {value!r:.60} is none of {schema['enum']}"
        kinds = schema.get("type", [])
        kinds = [kinds] if isinstance(kinds, str) else kinds
        fits = [
            kind
            for kind in kinds
            if isinstance(value, TYPES[kind]) and not (isinstance(value, bool) and kind != "boolean")
        ]
        if kinds and not fits and not (value is None and schema.get("nullable")):
            return f"{at}: {value!r:.60} is no {kinds}"
        if isinstance(value, dict):
            if lacking := set(schema.get("required", [])) - set(value):
                return f"{at}: lacks {sorted(lacking)}"
            known = schema.get("properties", {})
            inner = (self.fault(one, known[name], f"{at}.{name}") for name, one in value.items() if name in known)
            return next(filter(None, inner), "")
        if isinstance(value, list):
            inner = (self.fault(one, schema.get("items", {}), f"{at}[{n}]") for n, one in enumerate(value))
            return next(filter(None, inner), "")
        return ""


def faults_of(service: Service, each: int, seed: int) -> tuple[int, list[str]]:
    """The number of requests that were sent, and everything that was wrong with an answer."""
    spec, faults, sent = Spec(service.get("/openapi.json"), seed), list[str](), 0
    secret = service.store.add_token(f"generated {seed} {each}", Scope.OWNER, SITE)
    for method, path, about in spec.operations():
        for number in range(each):
            where, query, body = spec.request(path, about, odd=(0.0, 0.1, 0.5)[number % 3])
            headers = {"Authorization": f"Bearer {secret}"} if about.get("security") else {}
            answer = service.client.open(where, method=method, query_string=query, headers=headers, **body)
            sent += 1
            what = f"{method} {path} {where!r:.80} {query!r:.120} {body!r:.200}: {answer.status_code}"
            described = about["responses"].get(str(answer.status_code))
            if answer.status_code >= 500:
                faults.append(f"{what} {answer.text:.200}")
            elif answer.status_code >= 400 and answer.mimetype != "application/problem+json":
                faults.append(f"{what} is no problem")
            elif described is None and answer.status_code not in (404, 405, 308):
                faults.append(f"{what} is not described")
            elif described and answer.mimetype in (described.get("content") or {}):
                schema = described["content"][answer.mimetype].get("schema", {})
                if said := answer.is_json and spec.fault(answer.json, schema):
                    faults.append(f"{what}: {said}")
    return sent, faults


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    settings = plain_settings(tmp_path_factory.mktemp("openapi"))
    fill(settings, *FOUR)
    with serving(settings) as service:
        yield service


def test_no_generated_request_is_answered_otherwise_than_described(site: Service) -> None:
    sent, faults = faults_of(site, QUICK, seed=1)
    assert sent > 300
    assert not faults, "\n".join(faults)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 3])
def test_no_more_of_many_generated_requests(tmp_path: Path, seed: int) -> None:
    settings = plain_settings(tmp_path)
    fill(settings, *FOUR)
    with serving(settings) as service:
        sent, faults = faults_of(service, WHOLE, seed)
    print(f"{sent} generated requests")
    assert not faults, "\n".join(faults)


def test_the_judge_of_shapes_finds_what_is_wrong_with_an_answer() -> None:
    spec = Spec(
        {
            "components": {
                "schemas": {"One": {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}}
            }
        },
        1,
    )
    one = {"$ref": "#/components/schemas/One"}
    assert spec.fault({"id": "x"}, one) == ""
    assert "lacks ['id']" in spec.fault({}, one)
    assert "$.id" in spec.fault({"id": 3}, one)
    assert "[1]" in spec.fault([{"id": "x"}, {}], {"type": "array", "items": one})
    assert spec.fault(None, {"anyOf": [one, {"type": "null"}]}) == ""
    assert spec.fault(True, {"type": "integer"})
