"""The probe's word on a permission: the call was made, and this is how it was received."""

from __future__ import annotations

from ecr_feed.aws import denial
from ecr_feed.facts import Answer, Failure, Permission


def probed(action: str, resource: str) -> Permission:
    """The call was made and answered."""
    return Permission(action, resource, Answer.ALLOWED, "the call succeeded", "probe")


def denied(action: str, resource: str, failure: Failure) -> Permission:
    """The call was made and denied, in AWS's own words."""
    said = denial.parse(failure.message)
    return Permission(
        action,
        said.resource or resource,
        Answer.DENIED,
        failure.message or failure.code,
        "probe",
        evidence={
            "code": failure.code,
            "request_id": failure.request_id,
            "user": said.user,
            "resource": said.resource,
            "policy_type": said.layer,
            "explicit": said.explicit,
            "policy_arn": said.policy_arn,
        },
        failure=failure,
    )


def no_repository(action: str, resource: str, failure: Failure | None) -> Permission:
    """Nothing to probe on: the repository does not exist."""
    return Permission(
        action, resource, Answer.UNDETERMINED, "no repository to ask about", "probe", {}, failure
    )
