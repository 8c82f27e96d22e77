"""Where a record departs from its schema: as much of JSON Schema as ours use."""

KINDS = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}


def problems(value, schema, rule=None, place="record"):
    """Yield where ``value`` departs from ``rule``: wrong kinds, missing fields, fields that nobody documented."""
    rule = schema if rule is None else rule
    rule = schema["$defs"][rule["$ref"].rsplit("/", 1)[1]] if "$ref" in rule else rule
    kinds = rule.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    fits = [
        kind for kind in kinds if isinstance(value, KINDS[kind]) and (kind == "boolean" or not isinstance(value, bool))
    ]
    if kinds and not fits:
        yield f"{place}: {type(value).__name__} instead of {kinds}"
    if "enum" in rule and value not in rule["enum"]:
        yield f"{place}: {value!r} is none of {rule['enum']}"
    if "const" in rule and value != rule["const"]:
        yield f"{place}: {value!r} is not {rule['const']!r}"
    if isinstance(value, dict):
        yield from (f"{place}: {name} is missing" for name in rule.get("required", ()) if name not in value)
        known = rule.get("properties")
        for name, item in value.items():
            if known is not None and name in known:
                yield from problems(item, schema, known[name], f"{place}.{name}")
            elif known is not None and "additionalProperties" not in rule:
                yield f"{place}.{name} is not documented"
    if isinstance(value, list) and "items" in rule:
        for i, item in enumerate(value):
            yield from problems(item, schema, rule["items"], f"{place}[{i}]")
