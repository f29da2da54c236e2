"""A publisher's calls in the OpenAPI document: the bodies that their handlers read themselves, and conditions.

Reads nothing; produces schemas and examples.
"""

from typing import Any

from web.api.publisher_schemas import BULK_EXAMPLE, EXAMPLE, ArticleFields, BulkArticle

BULK = "/api/v1/articles:bulk"
ONE_ARTICLE = "/api/v1/articles/{article_id}"
_CHANGED = {"title": "Harbour bridge opens two weeks early", "category": None}
_EXAMPLES = {"put": EXAMPLE, "patch": _CHANGED}
_IF_MATCH = "version that may be changed, in quotes, as the ETag says it; 412 when another one is there"


def schemas() -> dict[str, Any]:
    """The schemas of bodies, by name."""
    template = "#/components/schemas/{model}"
    return {model.__name__: model.model_json_schema(ref_template=template) for model in (ArticleFields, BulkArticle)}


def complete(path: str, method: str, about: dict[str, Any]) -> None:
    """Add to one call its body and its headers, if it is one of a publisher.

    Args:
        path: of the call.
        method: of the call, in small letters.
        about: its description, which is added to.
    """
    if path == BULK:
        body = {"schema": {"$ref": "#/components/schemas/BulkArticle"}, "example": BULK_EXAMPLE}
        about["requestBody"] = {"required": True, "content": {"application/x-ndjson": body}}
    if not path.startswith(ONE_ARTICLE) or about.get("tags") != ["publisher"]:
        return
    if method in _EXAMPLES:
        body = {"schema": {"$ref": "#/components/schemas/ArticleFields"}, "example": _EXAMPLES[method]}
        about["requestBody"] = {"required": True, "content": {"application/json": body}}
    if method != "get":
        about.setdefault("parameters", []).append(_header("If-Match", _IF_MATCH))
    if method == "put":
        about["responses"]["201"] = about["responses"]["200"] | {"description": "made: it was not there before"}
        about["parameters"].append(_header("If-None-Match", "*: only an article that is not there yet"))


def _header(name: str, meaning: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": False, "description": meaning, "schema": {"type": "string"}}
