"""What of two records must be the same."""


def but_for_the_machine(record):
    """Return a record without the seconds it took, and those and the bytes that were forecast for this process."""
    plan = {
        name: part
        for name, part in record["plan"].items()
        if name not in ("seconds", "most_seconds", "bytes", "least_bytes")
    }
    plan["candidates"] = [line | {"seconds": None} for line in plan["candidates"]]
    return {name: part for name, part in record.items() if name != "steps"} | {"plan": plan}
