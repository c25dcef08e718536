"""The schemas of what --json prints, as they are shipped in docs/schemas."""

from __future__ import annotations

import json

from jsonschema import Draft202012Validator

from tests.e2e.command import ROOT

SCHEMAS = ROOT / "docs" / "schemas"


def fits(name: str, data):
    """The data, once it is known to be what the schema says."""
    schema = json.loads((SCHEMAS / f"{name}.json").read_text())
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(data)
    return data
