"""What a run gathers, and the forms in which workers send it."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

from ecr_feed.findings import OutcomeWord
from ecr_feed.plugin.collector import Collector, auditor_of, portable, restore, with_facts
from ecr_feed.report.record import Assumed, FeedFacts
from tests.report import helpers

NOT_JUDGED = "No permission of this feed was judged."
FETCHED = datetime(2026, 11, 25, tzinfo=UTC)
LEARNT = {
    "account": "123456789012",
    "identity_arn": "arn:aws:iam::123456789012:user/octopus",
    "identity_source": "",
    "token": [FETCHED.isoformat(), (FETCHED + timedelta(hours=12)).isoformat()],
    "keys": [
        {
            "key_id": "AKIA1",
            "status": "Active",
            "created_at": FETCHED.isoformat(),
            "last_used_at": None,
        },
        {"key_id": "AKIA2", "status": "Active", "created_at": None, "last_used_at": None},
    ],
    "policy_fix": None,
    "auditor_arn": "arn:aws:iam::123456789012:user/auditor",
}


def test_a_finding_survives_the_way_from_a_worker() -> None:
    finding = helpers.missing("team/app")
    assert restore(json.loads(json.dumps(portable(finding)))) == finding


def test_a_later_phase_replaces_the_earlier_outcome() -> None:
    collector = Collector()
    collector.collected = {"t", "u"}
    collector.add(helpers.finding(test="t"))
    collector.add(helpers.finding(outcome=OutcomeWord.NOT_ASSESSED, test="t"))
    assert [finding.outcome for finding in collector.findings] == [OutcomeWord.NOT_ASSESSED]
    assert collector.missing() == {"u"}


def test_a_feed_of_which_nothing_was_judged() -> None:
    collector = Collector()
    for feed, outcome in (("A", OutcomeWord.NOT_APPLICABLE), ("B", OutcomeWord.MET)):
        collector.add(helpers.finding(outcome=outcome, feed=feed))
    assert collector.unassessed() == ["A"]


def test_calls_are_kept_in_order() -> None:
    collector = Collector()
    collector.add_calls(asdict(call) for call in helpers.CALLS)
    assert tuple(collector.calls) == helpers.CALLS


def test_a_feed_with_what_was_learnt_of_it() -> None:
    feed = FeedFacts("Production", "production", "eu-west-1", account="1", min_token_hours=2.0)
    told = with_facts(feed, {"production": LEARNT})
    assert told.account == "123456789012"
    assert told.identity_source == ""
    assert told.token is not None
    assert told.token.needed_until == FETCHED + timedelta(hours=2)
    assert [(key.key_id, key.last_used_at) for key in told.keys] == [("AKIA1", None)]
    assert with_facts(feed, {}) == feed


def test_why_no_answer_rests_on_a_stated_value() -> None:
    stated = tuple(Assumed(key, ("v",)) for key in ("aws:SourceVpce", "aws:SourceIp", "aws:x"))
    feed = FeedFacts("Production", "production", "eu-west-1", assumed=stated)
    remarks = {"aws:SourceVpce": "", "aws:SourceIp": "No policy looks at it."}
    told = with_facts(feed, {"production": {**LEARNT, "remarks": remarks}})
    assert [each.remark for each in told.assumed] == ["", "No policy looks at it.", NOT_JUDGED]
    assert with_facts(feed, {}).assumed == stated
    assert {each.remark for each in stated} == {NOT_JUDGED}


def test_the_auditor_of_all_feeds() -> None:
    assert auditor_of({"a": LEARNT, "b": LEARNT, "c": {}}) == LEARNT["auditor_arn"]
    assert auditor_of({}) == ""
