from __future__ import annotations

import pytest

from ecr_feed.config import OidcCredentials
from ecr_feed.facts.aws import Answer, Permission, ReadError
from ecr_feed.permissions.compared_answers import Answers
from ecr_feed.permissions.needs import DESCRIBE, READ, TOKEN
from tests.field.helpers import FOUR, allow, fault, repository, user
from tests.support.feeds import ACCOUNT, APP, arn, opened

ALLOWED, DENIED, UNDETERMINED = Answer.ALLOWED, Answer.DENIED, Answer.UNDETERMINED


def said(**answers: Answer) -> Answers:
    found = (Permission(DESCRIBE, arn(), each, f"{who} says", who) for who, each in answers.items())
    return Answers(DESCRIBE, arn(), tuple(found))


@pytest.mark.parametrize(
    ("answers", "answer", "because", "disagree"),
    [
        (said(), UNDETERMINED, "no answer could be obtained", False),
        (said(probe=ALLOWED, simulation=DENIED), ALLOWED, "probe says", True),
        (said(simulation=DENIED, evaluation=DENIED), DENIED, "evaluation says", False),
        (said(simulation=ALLOWED, evaluation=UNDETERMINED), ALLOWED, "simulation says", False),
        (
            said(simulation=ALLOWED, evaluation=DENIED),
            UNDETERMINED,
            "simulation: simulation says; evaluation: evaluation says",
            True,
        ),
        (said(probe=UNDETERMINED, evaluation=DENIED), DENIED, "evaluation says", False),
    ],
)
def test_the_most_reliable_answer_decides(
    answers: Answers, answer: Answer, because: str, disagree: bool
) -> None:
    assert (answers.answer, answers.because, answers.disagree) == (answer, because, disagree)


def test_answers_are_obtained_once() -> None:
    with opened(repository(APP), user("feed", allow(FOUR))) as at:
        first = list(at.rights.all_answers())
        assert [(each.action, each.resource) for each in first] == [
            (TOKEN, "*"),
            *((action, arn()) for action in READ),
        ]
        assert at.drain()
        assert list(at.rights.all_answers()) == at.rights.so_far() == first
        assert not at.drain()


def test_packages_that_may_exist() -> None:
    names = (APP, "shop/gone", "Shop/Cart")
    with opened(repository(APP), user("feed", allow(FOUR)), packages=names) as at:
        assert at.rights.packages() == (APP,)
    with opened(repository(APP), user("feed", allow(TOKEN)), packages=names) as at:
        assert at.rights.packages() == (APP, "shop/gone")


SILENT = fault("feed", service="sts", operation="GetCallerIdentity", code="InternalFailure")


def test_the_account_is_the_callers_or_else_the_one_in_the_feeds_file() -> None:
    feed = user("feed", allow(FOUR))
    with opened(feed) as at:
        assert at.rights.account_id() == ACCOUNT
    with opened(feed, SILENT, account=ACCOUNT) as at:
        assert at.rights.account_id() == ACCOUNT
    with opened(feed, SILENT) as at, pytest.raises(ReadError):
        at.rights.account_id()


def test_the_account_of_a_role_is_in_its_arn() -> None:
    role = OidcCredentials(role_arn=f"arn:aws:iam::{ACCOUNT}:role/octopus", audience="a")
    with opened(repository(APP), credentials=role) as at:
        assert at.rights.account_id() == ACCOUNT
        assert not at.drain()
