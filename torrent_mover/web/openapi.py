"""The OpenAPI document, made from the endpoints."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

from torrent_mover.domain.paths import ClientPath, HostPath, LocalPath, RelativePath
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.web.endpoints import API, Endpoint

_TEXTS: Final = (ClientPath, HostPath, LocalPath)
_PLAIN: Final[dict[Any, dict[str, Any]]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": ["number", "null"], "description": "null: without an end"},
    bool: {"type": "boolean"},
    type(None): {"type": "null"},
    InfoHash: {"type": "string", "pattern": "^[0-9a-f]{40}$"},
}


def document(endpoints: Iterable[Endpoint], version: str, base: str = "") -> dict[str, Any]:
    """OpenAPI 3.1."""
    shapes: dict[str, dict[str, Any]] = {}
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        paths.setdefault(API + endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, shapes)
    shapes["Refusal"] = {
        "type": "object",
        "properties": {name: {"type": "string"} for name in ("code", "what", "kept", "remedy")},
        "required": ["code", "what", "kept", "remedy"],
    }
    schemes = {
        "bearer": {"type": "http", "scheme": "bearer"},
        "token": {"type": "apiKey", "in": "header", "name": "X-API-Token"},
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "torrent_mover", "version": version},
        "servers": [{"url": base or "/"}],
        "security": [{"bearer": []}, {"token": []}],
        "paths": paths,
        "components": {"schemas": shapes, "securitySchemes": schemes},
    }


def _operation(endpoint: Endpoint, shapes: dict[str, dict[str, Any]]) -> dict[str, Any]:
    names = re.findall(r"\{(\w+)\}", endpoint.path)
    inside = [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]
    asked = [
        {"name": name, "in": "query", "schema": {**schema_of(kind, shapes), "default": default}}
        for name, (kind, default) in endpoint.query.items()
    ]
    refusal = {"description": "Refused.", "content": _json({"$ref": "#/components/schemas/Refusal"})}
    operation: dict[str, Any] = {
        "operationId": f"{endpoint.method.lower()}{re.sub(r'[^a-z]+', '_', endpoint.path)}".rstrip("_"),
        "summary": endpoint.summary,
        "parameters": [*inside, *asked],
        "responses": {
            "200": {"description": "Done.", "content": _json(schema_of(endpoint.answers, shapes))},
            "default": refusal,
        },
    }
    if endpoint.takes is not None:
        operation["requestBody"] = {"required": True, "content": _json(schema_of(endpoint.takes, shapes))}
    return operation


def _json(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def schema_of(hint: Any, shapes: dict[str, dict[str, Any]]) -> dict[str, Any]:  # noqa: ANN401, PLR0911  one kind of value a line
    """The JSON schema of what `to_plain` makes of a value of that type. Dataclasses go into `shapes`, by name."""
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        return {"anyOf": [schema_of(each, shapes) for each in get_args(hint)]}
    if origin is tuple:
        inner = get_args(hint)
        if len(inner) == 2 and inner[1] is Ellipsis:  # noqa: PLR2004  tuple[X, ...]
            return {"type": "array", "items": schema_of(inner[0], shapes)}
        fixed = [schema_of(each, shapes) for each in inner]
        return {"type": "array", "prefixItems": fixed, "minItems": len(fixed), "maxItems": len(fixed)}
    if origin is Mapping:
        return {"type": "object", "additionalProperties": schema_of(get_args(hint)[1], shapes)}
    if origin is Sequence:
        return {"type": "array", "items": schema_of(get_args(hint)[0], shapes)}
    if hint is None:
        hint = NoneType
    if hint in _PLAIN:
        return _PLAIN[hint]
    if hint is RelativePath:
        return {"type": "array", "items": {"type": "string"}}
    if hint in _TEXTS:
        return {"type": "string"}
    if isinstance(hint, type) and issubclass(hint, Enum):
        return {"enum": [member.value for member in hint]}
    return _shape(hint, shapes)


def _shape(hint: type[Any], shapes: dict[str, dict[str, Any]]) -> dict[str, Any]:
    name = hint.__name__
    if name not in shapes:
        shapes[name] = {}  # one that holds itself
        hints = get_type_hints(hint)
        fields = dataclasses.fields(hint)
        missing = dataclasses.MISSING
        shapes[name] = {
            "type": "object",
            "description": (hint.__doc__ or "").strip().partition("\n\n")[0],
            "properties": {field.name: schema_of(hints[field.name], shapes) for field in fields},
            "required": [each.name for each in fields if each.default is missing and each.default_factory is missing],
        }
    return {"$ref": f"#/components/schemas/{name}"}
