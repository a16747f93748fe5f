"""Every IAM operation the embedded account answers."""

from __future__ import annotations

from ecr_feed.embedded.iam import operations, simulate
from ecr_feed.embedded.iam.documents import check_written
from ecr_feed.embedded.iam.operations import Answer, IamCall

_HANDLERS = {
    **operations.HANDLERS,
    "SimulatePrincipalPolicy": simulate.simulate_principal,
    "SimulateCustomPolicy": simulate.simulate_custom,
}


def answer_iam(asked: IamCall) -> Answer:
    """The whole answer of an IAM call; pages are cut later."""
    check_written(asked.call.operation, asked.params)
    handler = _HANDLERS.get(asked.call.operation, operations.forward)
    return handler(asked)
