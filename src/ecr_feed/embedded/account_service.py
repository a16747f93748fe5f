"""AWS Account Management, as far as it tells which regions are enabled."""

from __future__ import annotations

from typing import Any

from ecr_feed.embedded.protocol import Call
from ecr_feed.embedded.regions import Regions
from ecr_feed.embedded.wire import ServiceError

_WORDS = ("ENABLED", "ENABLED_BY_DEFAULT", "DISABLED", "ENABLING", "DISABLING")


def answer_account(regions: Regions, call: Call) -> dict[str, Any]:
    """GetRegionOptStatus and ListRegions; nothing else is stood in for."""
    if call.operation == "GetRegionOptStatus":
        name = call.params["RegionName"]
        if name not in regions.all():
            raise ServiceError("ValidationException", f"Region Name {name} is invalid.")
        return {"RegionName": name, "RegionOptStatus": regions.status(name)}
    if call.operation == "ListRegions":
        wanted = call.params.get("RegionOptStatusContains") or _WORDS
        rows = [{"RegionName": n, "RegionOptStatus": regions.status(n)} for n in regions.all()]
        return {"Regions": [row for row in rows if row["RegionOptStatus"] in wanted]}
    text = f"The embedded account does not stand in for account:{call.operation}."
    raise ServiceError("ValidationException", text)
