"""What a walk's records mean for each rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from ecr_feed.embedded.protocol.wire import ConnectionFault, WireRequest, WireResponse
from ecr_feed.findings import OutcomeWord
from ecr_feed.oci import PackageWalk, Platform, WantedImage, manifests, pull_rules
from ecr_feed.outcomes import Judgement
from tests.oci.images import Image, image, index, schema_1
from tests.oci.shelf import HOST, NAME, STORAGE, Shop, error

REGION = "eu-west-1"
MET, NOT_MET = OutcomeWord.MET, OutcomeWord.NOT_MET
NOT_ASSESSED, NOT_APPLICABLE = OutcomeWord.NOT_ASSESSED, OutcomeWord.NOT_APPLICABLE
RULES: dict[str, Callable[[PackageWalk], Judgement]] = {
    "tag": pull_rules.tag_resolves,
    "type": pull_rules.media_type_usable,
    "platform": pull_rules.platform_available,
    "manifest": pull_rules.manifest_readable,
    "layers": lambda walk: pull_rules.layers_reachable(walk, REGION),
    "views": lambda walk: pull_rules.views_agree(walk, walk.tags or ()),
}


def words(walk: PackageWalk) -> dict[str, OutcomeWord]:
    return {name: rule(walk).outcome for name, rule in RULES.items()}


def walk(at: Shop, *, deep: bool = True, platform: str | None = "linux/amd64") -> PackageWalk:
    wanted = WantedImage(NAME, "1.0", Platform.parse(platform) if platform else None)
    return at.registry(read=0.3).walk(wanted, deep=deep)


ALL = dict.fromkeys(RULES, MET)


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (image(), ALL),
        (image(form=manifests.DOCKER_SCHEMA_2), ALL),
        (index("arm64", "amd64", attest=True), ALL),
        (index(None), ALL | {"platform": NOT_ASSESSED}),
        (index("arm64"), ALL | {"platform": NOT_MET, "layers": NOT_APPLICABLE}),
        (image(architecture="arm64"), ALL | {"platform": NOT_MET}),
        (image(architecture=None), ALL | {"platform": NOT_ASSESSED}),
        # The registry names no digest of it, so none can be verified.
        (schema_1(NAME, "1.0"), ALL | {"type": NOT_MET, "manifest": NOT_ASSESSED}),
        (
            image(config_type="application/vnd.cncf.helm.config.v1+json"),
            ALL | {"type": NOT_MET, "platform": NOT_APPLICABLE, "layers": NOT_APPLICABLE},
        ),
        (None, dict.fromkeys(RULES, NOT_APPLICABLE) | {"tag": NOT_MET, "views": MET}),
    ],
)
def test_what_is_stored(at: Shop, made: Image | None, expected: dict[str, OutcomeWord]) -> None:
    if made is not None:
        at.shelf.put("1.0", made)
    assert words(walk(at)) == expected


def test_without_deep_only_tags_and_head_are_judged(at: Shop) -> None:
    at.shelf.put("1.0", image())
    assert words(walk(at, deep=False)) == dict.fromkeys(RULES, NOT_APPLICABLE) | {
        "tag": MET,
        "type": MET,
        "views": MET,
    }


def test_without_a_platform_none_is_missed(at: Shop) -> None:
    at.shelf.put("1.0", index("s390x"))
    assert words(walk(at, platform=None)) == ALL | {"platform": NOT_APPLICABLE}


def test_an_index_of_nothing_leads_nowhere(at: Shop) -> None:
    at.shelf.put("1.0", index())
    found = words(walk(at, platform=None))
    assert (found["manifest"], found["layers"]) == (NOT_MET, NOT_ASSESSED)


def test_an_index_that_names_a_platform_its_image_is_not_for(at: Shop) -> None:
    right, wrong = index("amd64"), index("arm64")
    right.children[0].manifest, right.children[0].blobs = (
        wrong.children[0].manifest,
        wrong.children[0].blobs,
    )
    text = right.manifest.decode()
    pointed = wrong.manifest.decode().replace('"arm64"', '"amd64"')
    at.shelf.put("1.0", Image(right.media_type, pointed.encode(), children=right.children))
    assert text != pointed
    found = pull_rules.platform_available(walk(at))
    assert found.outcome is NOT_MET
    assert "linux/arm64" in found.message


def hooked(at: Shop, part: str, answer: WireResponse | str) -> None:
    at.shelf.put("1.0", image())

    def hook(request: WireRequest) -> WireResponse | None:
        if part not in request.url:
            return None
        if isinstance(answer, str):
            raise ConnectionFault(answer)
        return answer

    at.shelf.hooks.append(hook)


DENIED = error(
    "DENIED",
    403,
    "User: u is not authorized to perform: ecr:X on resource: r "
    "because no VPC endpoint policy allows the ecr:X action",
)
BUSY = error("TOOMANYREQUESTS", 429)


@pytest.mark.parametrize(
    ("part", "answer", "changed"),
    [
        ("/tags/", DENIED, {"views": NOT_MET}),
        ("/tags/", BUSY, {"views": NOT_ASSESSED}),
        ("/tags/", "reset", {"views": NOT_ASSESSED}),
        ("/blobs/", DENIED, {"layers": NOT_MET, "platform": NOT_ASSESSED}),
        ("/blobs/", BUSY, {"layers": NOT_ASSESSED, "platform": NOT_ASSESSED}),
        ("/blobs/", "read-timeout", {"layers": NOT_ASSESSED, "platform": NOT_ASSESSED}),
        (STORAGE, "read-timeout", {"layers": NOT_MET, "platform": NOT_ASSESSED}),
        (STORAGE, BUSY, {"layers": NOT_ASSESSED, "platform": NOT_ASSESSED}),
        (
            "/manifests/sha256:",
            DENIED,
            # HEAD of the tag says that it is there: two answers, of which neither is preferred.
            dict.fromkeys(RULES, NOT_ASSESSED) | {"views": MET},
        ),
        (
            "/manifests/sha256:",
            "reset",
            {"manifest": NOT_ASSESSED, "layers": NOT_ASSESSED, "platform": NOT_ASSESSED},
        ),
        (
            "/manifests/",
            DENIED,
            dict.fromkeys(RULES, NOT_ASSESSED) | {"tag": NOT_MET, "views": MET},
        ),
        ("/manifests/", BUSY, dict.fromkeys(RULES, NOT_ASSESSED) | {"views": MET}),
    ],
)
def test_what_is_answered(
    at: Shop, part: str, answer: WireResponse | str, changed: dict[str, OutcomeWord]
) -> None:
    hooked(at, part, answer)
    assert words(walk(at)) == ALL | changed


def test_every_word_but_met_says_why(at: Shop) -> None:
    hooked(at, "/manifests/", DENIED)
    refused = walk(at)
    for rule in RULES.values():
        found = rule(refused)
        assert found.message.endswith(".")
        if found.outcome is NOT_ASSESSED:
            assert found.failure is not None
            assert "VPC endpoint" in found.message


def test_what_was_not_asked_names_the_rule_that_says_why(at: Shop) -> None:
    hooked(at, "/manifests/", DENIED)
    found = pull_rules.media_type_usable(walk(at))
    assert found.message.endswith("(PULL-1).")
    refused = at.registry("no").walk(WantedImage(NAME, "1.0"), deep=True)
    for rule in RULES.values():
        if rule(refused).outcome is NOT_ASSESSED:
            assert rule(refused).message.endswith("(LOGIN-1).")


def test_a_list_of_tags_is_no_cause_of_what_came_later(at: Shop) -> None:
    hooked(at, "/tags/", DENIED)
    at.shelf.hooks.append(lambda request: BUSY if "/manifests/sha256:" in request.url else None)
    found = pull_rules.layers_reachable(walk(at), REGION)
    assert found.outcome is NOT_ASSESSED
    assert "(PULL-4)" in found.message


def test_digests_are_cut_and_kept_as_evidence(at: Shop) -> None:
    made = image()
    at.shelf.put("1.0", made)
    at.shelf.hooks.append(
        lambda request: WireResponse(200, {}, b"x") if "/manifests/sha256:" in request.url else None
    )
    wanted = WantedImage(NAME, made.digest)
    found = pull_rules.manifest_readable(at.registry().walk(wanted, deep=True))
    assert found.outcome is NOT_MET
    assert f"{NAME}@{made.digest[:19]}… " in found.message
    assert made.digest not in f"{found.message} {found.found} {found.fix}"
    assert found.evidence["subject"] == made.digest
    assert "proxy" in (found.fix or "")


def test_a_denial_names_action_and_policy(at: Shop) -> None:
    hooked(at, "/blobs/", DENIED)
    found = pull_rules.layers_reachable(walk(at), REGION)
    assert found.fix is not None
    assert "ecr:GetDownloadUrlForLayer" in found.fix
    assert "VPC endpoint" in found.fix


def test_a_denial_of_the_storage_is_not_the_registrys(at: Shop) -> None:
    body = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
    hooked(at, STORAGE, WireResponse(403, {"content-type": "application/xml"}, body))
    found = pull_rules.layers_reachable(walk(at), REGION)
    assert found.outcome is NOT_MET
    assert f"s3:GetObject on the bucket of {STORAGE}" in (found.fix or "")
    assert "GetDownloadUrlForLayer" not in (found.fix or "")


def test_a_registry_of_another_name_is_not_taken_for_its_storage(at: Shop) -> None:
    """A registry that falls silent is REACH-2's or LOGIN-1's, whatever its host is called."""
    hooked(at, "/blobs/", "reset")
    refused = walk(at)
    steps = tuple(replace(step, host="registry.example.com") for step in refused.steps)
    found = pull_rules.layers_reachable(replace(refused, steps=steps), REGION)
    assert found.outcome is NOT_ASSESSED


def test_downloads_are_evidence(at: Shop) -> None:
    at.shelf.put("1.0", image())
    walked = walk(at)
    manifests_read = pull_rules.manifest_readable(walked).evidence["downloads"]
    assert isinstance(manifests_read, list)
    (got,) = manifests_read
    assert (got["host"], got["digest_verified"]) == (HOST, True)
    blobs = pull_rules.layers_reachable(walked, REGION).evidence["downloads"]
    assert isinstance(blobs, list)
    assert [(each["host"], each["status"], each["digest_verified"]) for each in blobs] == [
        (STORAGE, 200, True)
    ] * 2
    assert all(each["bytes"] > 0 for each in blobs)


def test_a_silent_storage_names_the_gateway_endpoint(at: Shop) -> None:
    hooked(at, STORAGE, "read-timeout")
    found = pull_rules.layers_reachable(walk(at), REGION)
    assert found.fix is not None
    assert f"com.amazonaws.{REGION}.s3" in found.fix
    assert STORAGE in found.fix


def test_a_missing_tag_shows_those_that_are_there(at: Shop) -> None:
    for number in range(15):
        at.shelf.put(f"2.{number}", image())
    found = pull_rules.tag_resolves(walk(at))
    assert found.fix is not None
    assert "2.0, 2.1" in found.fix
    assert "5 more" in found.fix


def test_no_tag_at_all(at: Shop) -> None:
    found = at.registry().walk(WantedImage(NAME), deep=True)
    assert words(found) == dict.fromkeys(RULES, NOT_APPLICABLE) | {"views": MET}


def test_the_views_of_api_and_registry(at: Shop) -> None:
    at.shelf.put("1.0", image())
    at.shelf.put("1.1", image())
    found = pull_rules.views_agree(walk(at), ["1.0", "0.9"])
    assert found.outcome is NOT_MET
    assert found.evidence == {"only_api": ["0.9"], "only_registry": ["1.1"]}
    assert pull_rules.views_agree(walk(at), {"1.1", "1.0"}).outcome is MET


def test_logins(at: Shop) -> None:
    login = at.registry().login()
    assert pull_rules.login_accepted(login, REGION).outcome is MET
    assert pull_rules.wrong_password_refused(login).outcome is MET
    login = at.registry("no").login()
    found = pull_rules.login_accepted(login, REGION)
    assert found.outcome is NOT_MET
    assert HOST in (found.fix or "")
    assert pull_rules.wrong_password_refused(login).outcome is MET
    at.shelf.hooks.append(lambda request: WireResponse(200, {}, b"{}"))
    login = at.registry("no").login()
    assert pull_rules.login_accepted(login, REGION).outcome is MET
    assert pull_rules.wrong_password_refused(login).outcome is NOT_MET


def test_a_registry_that_is_down_is_not_assessed(at: Shop) -> None:
    hooked(at, "/v2/", "reset")
    login = at.registry().login()
    said = pull_rules.login_accepted(login, REGION).message
    told = f"Could not determine whether {HOST} accepts the token: the connection was cut"
    assert said.startswith(told)
    assert said.endswith("(REACH-2).")
    assert pull_rules.login_accepted(login, REGION).outcome is NOT_ASSESSED
    assert pull_rules.wrong_password_refused(login).outcome is NOT_ASSESSED
