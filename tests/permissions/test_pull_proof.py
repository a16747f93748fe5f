"""Which downloads prove which action, step by step."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from ecr_feed.facts.aws import Answer, Failure, Trouble
from ecr_feed.findings import OutcomeWord
from ecr_feed.oci import PackageWalk, Step, StepResult, StepState, WantedImage
from ecr_feed.permissions.needs import PULL
from ecr_feed.permissions.permission_rules import (
    NO_AUDITOR,
    judge_agreement,
    judge_permission,
    judge_pull_permission,
)
from ecr_feed.permissions.pull_proof import Walked, proof
from tests.field.helpers import ALL, FOUR, allow, repository, table, user
from tests.support.feeds import ACCOUNT, APP, arn, opened

AT = datetime(2026, 11, 25, 1, 2, 3, tzinfo=UTC)
HOST, STORAGE = f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com", "prod-bucket.s3.amazonaws.com"
MANIFEST, LAYER = PULL


def step(kind: Step, status: int | None = 200, trouble: Trouble | None = None) -> StepResult:
    host = STORAGE if kind in (Step.LAYER, Step.CONFIG) and trouble is None else HOST
    if trouble is None:
        return StepResult(kind, StepState.OK, "read", "sha256:1", host, status)
    failure = Failure(trouble, "registry", kind.value, "")
    return StepResult(kind, StepState.FAILED, "no", "sha256:1", host, status, failure)


def proved(*steps: StepResult, tag: str = "1.0.0") -> set[str]:
    walk = PackageWalk(WantedImage(APP, tag), True, steps)
    return {action for action in PULL if proof(Walked(walk, AT), action, arn()) is not None}


HEAD, MANI, CHILD = step(Step.HEAD), step(Step.MANIFEST), step(Step.PLATFORM)
CONFIG, WHOLE, RANGE = step(Step.CONFIG), step(Step.LAYER), step(Step.LAYER, 206)


@pytest.mark.parametrize(
    ("steps", "actions"),
    [
        ([], set()),
        ([HEAD], set()),
        ([HEAD, MANI], {MANIFEST}),
        ([HEAD, MANI, CONFIG], {MANIFEST}),
        ([HEAD, MANI, CONFIG, RANGE], set(PULL)),
        ([HEAD, MANI, CHILD, CONFIG, WHOLE], set(PULL)),
        # A GET that failed is no download; nor is an answer without its status.
        ([HEAD, step(Step.MANIFEST, 404, Trouble.NOT_FOUND)], set()),
        ([HEAD, step(Step.MANIFEST, None, Trouble.TIMEOUT)], set()),
        ([HEAD, step(Step.MANIFEST, None)], set()),
        ([HEAD, MANI, step(Step.LAYER, 307)], {MANIFEST}),
        ([HEAD, MANI, step(Step.LAYER, None, Trouble.TLS)], {MANIFEST}),
        # One layer that downloads beside one that the registry denies: it is not proved.
        ([HEAD, MANI, CONFIG, RANGE, step(Step.LAYER, 403, Trouble.DENIED)], {MANIFEST}),
        ([HEAD, MANI, step(Step.CONFIG, 403, Trouble.DENIED), RANGE], {MANIFEST}),
        ([HEAD, MANI, step(Step.PLATFORM, 403, Trouble.DENIED)], set()),
        # What a HEAD and a GET say is not weighed.
        ([step(Step.HEAD, 401, Trouble.LOGIN_REFUSED), MANI, RANGE], {LAYER}),
        ([step(Step.HEAD, 403, Trouble.DENIED), MANI, RANGE], {LAYER}),
        ([step(Step.HEAD, None, Trouble.CONTRADICTION), MANI, RANGE], {LAYER}),
        # Another layer that is broken or far does not take it back.
        ([HEAD, MANI, CONFIG, RANGE, step(Step.LAYER, None, Trouble.TIMEOUT)], set(PULL)),
    ],
)
def test_what_the_steps_prove(steps: list[StepResult], actions: set[str]) -> None:
    assert proved(*steps) == actions


def test_the_proof_says_from_where_which_image_and_when() -> None:
    walk = PackageWalk(WantedImage(APP, "1.0.0"), True, (HEAD, MANI, RANGE), digest="sha256:ab")
    found = proof(Walked(walk, AT), LAYER, arn())
    assert found is not None
    assert (found.answer, found.witness, found.action) == (Answer.ALLOWED, "probe", LAYER)
    for text in ("this machine", f"{APP}:1.0.0", HOST, STORAGE, "2026-11-25T01:02:03Z"):
        assert text in found.because
    told: Any = found.evidence["downloaded"]
    assert told["registry"] == HOST
    assert (told["host"], told["status"], told["digest"]) == (STORAGE, 206, "sha256:ab")


def outcomes(at: Any) -> dict[str, OutcomeWord]:
    return {action: judge_pull_permission(at.rights, action, APP).outcome for action in PULL}


MET, NOT_MET = OutcomeWord.MET, OutcomeWord.NOT_MET
NOT_ASSESSED, NOT_APPLICABLE = OutcomeWord.NOT_ASSESSED, OutcomeWord.NOT_APPLICABLE
NETWORK = table("network", vpce="vpce-0123", vpc="vpc-1").replace("[[network]]", "[network]")
HERE = {"StringNotEquals": {"aws:SourceVpce": "vpce-0123"}}
LIMITED = repository(APP, policy=[{"deny": list(PULL), "to": "*", "when": HERE, "sid": "OnlyHere"}])
FEED = user("feed", allow(ALL))


def test_a_repository_limited_to_a_vpc_endpoint_is_proved_by_the_pull() -> None:
    with opened(NETWORK, LIMITED, FEED, pulls=True) as at:
        assert outcomes(at) == dict.fromkeys(PULL, NOT_ASSESSED)
        judged = judge_pull_permission(at.rights, MANIFEST, APP)
        assert "aws:SourceVpce" in judged.message
        assert "--deep" in (judged.fix or "")
    with opened(NETWORK, LIMITED, FEED, pulls=True, deep=True) as at:
        assert outcomes(at) == dict.fromkeys(PULL, MET)
        judged = judge_pull_permission(at.rights, MANIFEST, APP)
        assert "this machine" in judged.because
        assert judged.evidence["downloaded"]
        assert judge_agreement(at.rights).outcome is MET
        assert at.view.registry.pull(APP).ok


def test_without_an_auditor_a_pull_is_enough() -> None:
    with opened(repository(APP), FEED, auditor=None, pulls=True, deep=True) as at:
        assert outcomes(at) == dict.fromkeys(PULL, MET)
        assert judge_agreement(at.rights).message == NO_AUDITOR


def test_a_registry_that_denies_proves_nothing() -> None:
    mine = user("feed", allow((*FOUR, MANIFEST)))
    with opened(repository(APP), mine, auditor=None, pulls=True, deep=True) as at:
        assert outcomes(at) == {MANIFEST: MET, LAYER: NOT_APPLICABLE}
        # The run has downloaded: a hint to do so would not help.
        assert judge_pull_permission(at.rights, LAYER, APP).message == NO_AUDITOR
    with opened(repository(APP), mine, pulls=True, deep=True) as at:
        assert outcomes(at) == {MANIFEST: MET, LAYER: NOT_MET}
        assert judge_agreement(at.rights).outcome is MET


def test_a_pull_that_the_policies_deny_is_a_disagreement() -> None:
    stated = {"aws:SourceVpce": "vpce-9"}
    with opened(NETWORK, LIMITED, FEED, pulls=True, deep=True, context=stated) as at:
        assert outcomes(at) == dict.fromkeys(PULL, MET)
        assert "assumed" not in judge_permission(at.rights, MANIFEST, APP).evidence
        judged = judge_agreement(at.rights)
    assert judged.outcome is NOT_MET
    assert "aws:SourceVpce = vpce-9" in str(judged.found)
    assert judged.evidence["assumed"] == {"aws:SourceVpce": ["vpce-9"]}
    assert (judged.fix or "").startswith("Correct the stated aws:SourceVpce = vpce-9")


def test_a_pull_that_the_documents_deny_for_certain_is_a_disagreement_too() -> None:
    denies = {"Effect": "Deny", "Principal": "*", "Action": list(PULL)}
    text = json.dumps({"Version": "2012-10-17", "Statement": [denies]})
    answer = {"registryId": ACCOUNT, "repositoryName": APP, "policyText": text}
    read = table(
        "fault",
        operation="GetRepositoryPolicy",
        content_type="application/x-amz-json-1.1",
        body=json.dumps(answer),
    )
    with opened(repository(APP), FEED, read, pulls=True, deep=True) as at:
        assert outcomes(at) == dict.fromkeys(PULL, MET)
        judged = judge_agreement(at.rights)
    assert judged.outcome is NOT_MET
    assert judged.message == "The answers disagree about 2 permissions."
    for said in ("probe allowed", "evaluation denied", "this machine downloaded a layer"):
        assert said in str(judged.found)


def test_a_stated_denial_gives_way_to_what_the_registry_answered() -> None:
    stated = {"aws:SourceVpce": "vpce-9"}
    with opened(NETWORK, LIMITED, FEED, pulls=True, context=stated) as at:
        assert outcomes(at) == dict.fromkeys(PULL, NOT_MET)
        assert at.view.registry.pull(APP).ok


def test_stated_as_it_is_both_permissions_are_met_without_a_pull() -> None:
    stated = {"aws:SourceVpce": "vpce-0123"}
    with opened(NETWORK, LIMITED, FEED, pulls=True, context=stated) as at:
        assert outcomes(at) == dict.fromkeys(PULL, MET)
        judged = judge_permission(at.rights, MANIFEST, APP)
        assert judged.evidence["assumed"] == {"aws:SourceVpce": ["vpce-0123"]}
        said = at.rights.answers(MANIFEST, APP)
        assert {each.witness: each.answer for each in said.witnesses} == dict.fromkeys(
            ("simulation", "evaluation"), Answer.ALLOWED
        )
        assert judge_agreement(at.rights).evidence["assumed"] == {"aws:SourceVpce": ["vpce-0123"]}


NO_PROOF: dict[str, tuple[str, dict[str, Any], str]] = {
    "no repository": (FEED, {"packages": ("shop/gone",)}, "shop/gone"),
    "cache rule": (
        "\n".join((repository(APP), user("feed", allow("*")), table("cache_rule", prefix="shop"))),
        {},
        APP,
    ),
    "no image": ("\n".join((repository(APP, images=[]), FEED)), {}, APP),
    "no token": ("\n".join((repository(APP), user("feed", allow(ALL[1:])))), {}, APP),
    "another registry's token": (
        "\n".join((repository(APP), FEED)),
        {"account": "210987654321"},
        APP,
    ),
    "test endpoint": ("\n".join((repository(APP), FEED)), {"at_aws": False}, APP),
}


@pytest.mark.parametrize("name", NO_PROOF)
def test_where_nothing_was_downloaded_nothing_is_proved(name: str) -> None:
    account, more, package = NO_PROOF[name]
    with opened(account, auditor=None, pulls=True, deep=True, **more) as at:
        judged = judge_pull_permission(at.rights, MANIFEST, package)
    assert judged.outcome is NOT_APPLICABLE


def test_a_registry_that_takes_any_password_proves_nothing() -> None:
    anyone = table(
        "fault",
        service="registry",
        operation="ping",
        content_type="application/json",
        body="{}",
    )
    with opened(repository(APP), FEED, anyone, auditor=None, pulls=True, deep=True) as at:
        assert not at.view.registry.login().wrong_password.ok
        assert outcomes(at) == dict.fromkeys(PULL, NOT_APPLICABLE)
