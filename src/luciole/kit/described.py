"""The API in OpenAPI 3.1, as it answers: Litestar's description with our refusals in it."""

from __future__ import annotations

from typing import Any

from litestar import Litestar

NAME = "ErrorBody"
REFUSAL = {
    "description": "What was wrong and what to do next.",
    "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{NAME}"}}},
}
SCHEMA = {
    "type": "object",
    "title": NAME,
    "required": ["code", "sentence", "next_step"],
    "properties": {
        "code": {"type": "string", "description": "Stays the same; for programs."},
        "sentence": {"type": "string", "description": "What happened; for people."},
        "next_step": {"type": "string", "description": "What to do about it."},
    },
}


def describe(app: Litestar) -> dict[str, Any]:
    """The description as JSON values.

    Litestar writes down answers of its own that `kit.web` never lets out, and a body of `null`
    where there is none.
    """
    found: dict[str, Any] = app.openapi_schema.to_schema()
    found["components"]["schemas"][NAME] = SCHEMA
    for operations in found["paths"].values():
        for method, operation in operations.items():
            answers = operation["responses"]
            answers.pop("400", None)
            for answer in answers.values():
                if method == "head" or _is_empty(answer):
                    answer.pop("content", None)
                for content in answer.get("content", {}).values():
                    # Any bytes; an empty schema would call them a text.
                    if not content["schema"]:
                        del content["schema"]
            answers |= {"4XX": REFUSAL, "5XX": REFUSAL}
    return found


def _is_empty(answer: dict[str, Any]) -> bool:
    schemas = [content.get("schema", {}) for content in answer.get("content", {}).values()]
    return any(schema.get("type") == "null" for schema in schemas)
