"""What the readers of a fresh run say, beside what the model predicts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Final

from ecr_feed.aws.account import Account
from ecr_feed.facts.aws import Answer, ReadError, Trouble
from ecr_feed.permissions.answers import Rights
from tests.state.account import ACCOUNT, BEGINNING, REGION, USER, digest
from tests.state.model import (
    ACTIONS,
    DESCRIBE,
    IMAGES,
    LIST,
    LISTING,
    NAMES,
    NOWHERE,
    TOKEN,
    Model,
)

HOST: Final = f"https://{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
Shown = frozenset[tuple[str, tuple[str, ...], str]]


def compare(model: Model, account: Account) -> None:
    """Every fact that checks are given, as predicted."""
    _access(model, account)
    if not model.open:
        _closed(account)
        return
    _token(model, account)
    for name in NAMES:
        _repository(model, account, name)
        _images(model, account, name)
        _permissions(model, account, name)
    listing = account.permission(DESCRIBE).answer
    assert listing is _word(model.may(DESCRIBE, LISTING)), "the list without names"


def compare_answers(model: Model, rights: Rights) -> None:
    """Probe, simulation and evaluation: whichever gives an answer gives the model's."""
    asked = [(action, name) for action in ACTIONS[1:] for name in sorted(model.repositories)]
    for action, name in [(TOKEN, None), (DESCRIBE, None), *asked]:
        target = name or (NOWHERE if action == TOKEN else LISTING)
        said = rights.answers(action, name)
        expected = _word(model.may(action, target))
        assert said.answer is expected, f"{action} on {target}: {said.because}"
        assert {each.witness for each in said.witnesses} >= {"simulation", "evaluation"}
        assert {each.answer for each in said.determined} == {expected}
        # The evaluation knows the time and every document here: it is never at a loss.
        assert "evaluation" in {each.witness for each in said.determined}, said.because


def _word(allowed: bool) -> Answer:
    return Answer.ALLOWED if allowed else Answer.DENIED


def _trouble(read: Callable[[], object]) -> Trouble | None:
    """How a read ended: None with a value."""
    try:
        read()
    except ReadError as error:
        return error.failure.trouble
    return None


def _access(model: Model, account: Account) -> None:
    access = account.access()
    found = (access.identity.arn if access.identity else "", access.region_enabled)
    if model.open:
        assert (*found, access.failure) == (USER, True, None)
        return
    # Whether a region is on shows only by a key that is accepted elsewhere.
    assert found == ((USER, False) if model.key_active else ("", None))
    assert access.failure is not None
    assert access.failure.trouble is Trouble.UNKNOWN_KEY
    assert bool(access.accepted_in) is model.key_active


def _closed(account: Account) -> None:
    """Nothing can be read with a key that is refused."""
    reads: list[Callable[[], object]] = [account.token, account.inventory]
    reads += [partial(account.images, name) for name in NAMES]
    reads += [partial(account.permission, action, NAMES[0]) for action in ACTIONS]
    assert {_trouble(read) for read in reads} == {Trouble.UNKNOWN_KEY}


def _token(model: Model, account: Account) -> None:
    allowed = model.may(TOKEN, NOWHERE)
    assert account.permission(TOKEN).answer is _word(allowed)
    if not allowed:
        assert _trouble(account.token) is Trouble.DENIED
        return
    token = account.token()
    now = BEGINNING + timedelta(hours=model.hour)
    assert (token.fetched_at, token.expires_at) == (now, now + timedelta(hours=12))
    assert token.proxy_endpoint == HOST


def _repository(model: Model, account: Account, name: str) -> None:
    inventory = account.inventory()
    if not model.tells(name):
        assert _trouble(partial(inventory.repository, name)) is Trouble.DENIED, name
        return
    found = inventory.repository(name)
    assert (found is not None) is (name in model.repositories), name
    if found is not None:
        assert found.arn == f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{name}"


def _images(model: Model, account: Account, name: str) -> None:
    trouble = _trouble(partial(account.images, name))
    if name in model.repositories:
        allowed = model.may(IMAGES, name)
        assert trouble is (None if allowed else Trouble.DENIED), name
        if allowed:
            assert _shown(account, name) == _expected(model, name)
        return
    # Where nothing tells that there is none, DescribeImages is asked all the same.
    asked = not model.tells(name) and not model.may(IMAGES, name)
    assert trouble is (Trouble.DENIED if asked else Trouble.NOT_FOUND), name


def _shown(account: Account, name: str) -> Shown:
    images = account.images(name)
    found = frozenset((each.digest, tuple(sorted(each.tags)), each.status) for each in images)
    assert len(found) == len(images)
    return found


def _expected(model: Model, name: str) -> Shown:
    return frozenset(
        (
            digest(content),
            tuple(sorted(image.tags)),
            "ARCHIVED" if image.archived else "ACTIVE",
        )
        for content, image in model.repositories[name].images.items()
    )


def _answer(account: Account, action: str, name: str) -> Answer | Trouble:
    try:
        return account.permission(action, name).answer
    except ReadError as error:
        return error.failure.trouble


def _permissions(model: Model, account: Account, name: str) -> None:
    for action in (DESCRIBE, IMAGES, LIST):
        allowed = model.may(action, name)
        answer = _answer(account, action, name)
        if answer is Trouble.NOT_FOUND:  # nothing tells that there is none, and this call says so
            assert name not in model.repositories
            assert not model.tells(name)
            continue
        if name in model.repositories:
            assert answer is _word(allowed), f"{action} on {name}"
        else:  # nothing to try it on, unless a denial came first
            assert answer is Answer.UNDETERMINED or (answer is Answer.DENIED and not allowed)
