"""ministack 1.5.33: an independent AWS simulator, in its own environment."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from ecr_feed.embedded.seeding.account_file import AccountFile, load
from tests.embedded.entry_points import CONTRACT, EntryPoint, at_endpoint
from tests.embedded.world import ACCOUNT
from tests.support.endpoints import fill_endpoint

VARIABLE: Final = "MINISTACK_PYTHON"
INSTALL: Final = (
    "python3 -m venv DIR && DIR/bin/pip install ministack==1.5.33, then "
    f"{VARIABLE}=DIR/bin/python (it pins botocore, so it lives by itself)"
)

# Contract test -> how ministack answers, and so why it is not followed there.
DEVIATIONS: Final = {
    "test_the_first_page_holds_100_rows_and_the_rest_follow": "answers all rows, never a token",
    "test_pages_are_as_large_as_asked": "cuts the rows at maxResults and gives no token",
    "test_a_token_is_opaque_and_good_for_its_question_only": "has no tokens",
    "test_what_botocore_lets_through_is_refused": "checks neither limits nor patterns",
    "test_images_named_exclude_paging_and_are_100_at_most": "checks neither limits nor exclusions",
    "test_names_that_aws_refuses_are_refused": "takes any name",
    "test_none_has_its_own_code": "an image tag that is not there is an empty list",
    "test_list_images_has_a_row_per_tag_and_archived_ones_are_not_active": "one row per image",
    "test_what_cannot_be_had_is_a_failure_in_a_200": "knows one failure code",
    "test_layers_are_kept_and_checked": "has no layer downloads of ECR's form",
    "test_a_manifest_needs_its_layers_and_its_own_digest": "stores any manifest and digest",
    "test_immutable_tags_stay_but_for_the_excluded": "knows no exclusions",
    "test_the_token_is_aws_and_a_password_for_12_hours": "a fixed password of a few letters",
    "test_denials_name_user_action_resource_and_reason": "HTTP 403, and no resource in the text",
    "test_a_scoped_grant_lets_named_calls_through_and_no_list": "denies a named call, scoped",
    "test_the_token_has_no_resource": "no resource in the text",
    "test_one_missing_name_fails_the_whole_batch": "the text names no registry",
    "test_another_registry_is_another_account": "ignores registryId",
    "test_a_session_is_no_longer_than_its_role_allows": "ignores MaxSessionDuration",
    "test_a_web_identity_is_a_session_of_the_role": "answers a fixed subject",
    "test_a_web_identity_that_does_not_fit": "judges the trust policy alone, no provider, no life",
    "test_a_web_identity_that_asks_for_too_long": "ignores MaxSessionDuration",
    "test_simulation_has_one_result_per_action_and_each_resource_inside": "first resource only",
    "test_simulation_takes_no_session_and_no_root": "takes any ARN",
    "test_a_managed_policy_of_aws_is_there_and_an_invented_one_is_not": "has none of them",
    "test_a_region_that_is_off_does_not_know_the_key": "has every region",
}
# Cases of those in which it happens to agree.
AGREES: Final = frozenset(
    {
        "test_pages_are_as_large_as_asked[ministack-1000]",
        "test_a_web_identity_that_does_not_fit[ministack-subject]",
        "test_a_web_identity_that_does_not_fit[ministack-audience of the trust]",
    }
)


def account() -> AccountFile:
    """The contract account, less what this endpoint has no operation for (archiving)."""
    file = load(CONTRACT)
    kept = tuple(
        each.model_copy(update={"images": tuple(i for i in each.images if not i.archived)})
        for each in file.repository
    )
    return file.model_copy(update={"repository": kept})


@contextmanager
def ministack(folder: Path) -> Iterator[EntryPoint]:
    """A ministack that holds the contract account."""
    with running(folder) as url:
        seeded = fill_endpoint(url, account())
        profiles = {
            label: {
                "aws_access_key_id": key.access_key_id,
                "aws_secret_access_key": key.secret.reveal(),
            }
            for label, key in seeded.keys.items()
        }
        profiles["root"] = {"aws_access_key_id": ACCOUNT, "aws_secret_access_key": "root"}
        yield EntryPoint("ministack", at_endpoint(url, profiles))


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """The URL of an empty ministack of its own, on a free loopback port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        "AUTH": "true",
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "PATH": "/usr/bin:/bin",
    }
    with subprocess.Popen(
        [os.environ[VARIABLE], "-m", "ministack"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            _wait(url)
            yield url
        finally:
            process.terminate()


def _wait(url: str) -> None:
    """Until it answers: connection refused is retried with growing pauses."""
    session = requests.Session()
    retry = Retry(total=12, connect=12, backoff_factor=0.1, backoff_max=2)
    session.mount("http://", HTTPAdapter(max_retries=retry))
    session.get(f"{url}/_ministack/health", timeout=10).raise_for_status()
