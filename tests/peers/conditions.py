"""Rows about conditions. Sources: IAM User Guide, "Condition operators", "Multivalued keys"."""

from __future__ import annotations

from typing import Final

from tests.peers.rows import (
    ACCOUNT,
    ALLOWED,
    DENIED,
    IMAGES,
    LISTING,
    NOTHING,
    OTHER,
    OWN_IMAGES,
    USER,
    Row,
    allow,
    create,
    deny,
    ecr,
    grant,
    row,
)

UNTAGGED: Final = "ministack shows conditions no tags of repositories"
SESSIONS: Final = "ministack takes the session's ARN for aws:PrincipalArn, not its role's"
PLAIN: Final = "this ministack is reached over plain HTTP"
ACCOUNTS: Final = "ministack lets a star in ArnLike cross colons"
TEAM: Final = "aws:ResourceTag/team"
MINE: Final = "aws:PrincipalTag/team"
NAME: Final = "aws:username"
KEYS: Final = "aws:TagKeys"
PAYMENTS: Final = {"team": "payments"}
MFA: Final = "aws:MultiFactorAuthPresent"
VPCE: Final = "aws:SourceVpce"  # no call of these comes through a VPC endpoint
REGION: Final = "aws:RequestedRegion"
SOURCE: Final = "aws:SourceIp"  # 127.0.0.1 everywhere here
NOW: Final = "aws:CurrentTime"
EPOCH: Final = "aws:EpochTime"
ELSEWHERE: Final = ecr("list_images", region="us-east-1")
API: Final = ecr("list_images", "team/api")

STRINGS: Final = (
    row("the region", IMAGES, ALLOWED, allow(StringEquals={REGION: "eu-west-1"})),
    row("another region's condition", ELSEWHERE, NOTHING,
        allow(StringEquals={REGION: "eu-west-1"})),
    row("one of several values", IMAGES, ALLOWED,
        allow(StringEquals={REGION: ["us-east-1", "eu-west-1"]})),
    row("none of several values", IMAGES, NOTHING,
        allow(StringEquals={REGION: ["us-east-1", "eu-west-2"]})),
    row("a region deny", ELSEWHERE, DENIED, allow(), deny(StringNotEquals={REGION: "eu-west-1"})),
    row("a region deny that does not fire", IMAGES, ALLOWED, allow(),
        deny(StringNotEquals={REGION: "eu-west-1"})),
    row("not equals is none of the values", IMAGES, NOTHING,
        allow(StringNotEquals={REGION: ["us-east-1", "eu-west-1"]})),
    row("not equals with all others", IMAGES, ALLOWED,
        allow(StringNotEquals={REGION: ["us-east-1", "us-west-2"]})),
    row("equals minds case", IMAGES, NOTHING,
        allow(StringEquals={MINE: "Payments"}), tags=PAYMENTS),
    row("equals ignoring case", IMAGES, ALLOWED,
        allow(StringEqualsIgnoreCase={MINE: "PAYMENTS"}), tags=PAYMENTS),
    row("not equals ignoring case", IMAGES, NOTHING,
        allow(StringNotEqualsIgnoreCase={MINE: "PAYMENTS"}), tags=PAYMENTS),
    row("equals takes a star as text", IMAGES, NOTHING,
        allow(StringEquals={MINE: "pay*"}), tags=PAYMENTS),
    row("like takes a star", IMAGES, ALLOWED, allow(StringLike={MINE: "pay*"}), tags=PAYMENTS),
    row("like takes a question mark", IMAGES, ALLOWED,
        allow(StringLike={MINE: "payment?"}), tags=PAYMENTS),
    row("like minds case", IMAGES, NOTHING, allow(StringLike={MINE: "Pay*"}), tags=PAYMENTS),
    row("not like", IMAGES, NOTHING, allow(StringNotLike={MINE: ["x*", "p*s"]}), tags=PAYMENTS),
    row("keys ignore case", IMAGES, ALLOWED,
        allow(StringEquals={"AWS:requestedREGION": "eu-west-1"})),
    row("tag keys ignore case", IMAGES, ALLOWED,
        allow(StringEquals={"aws:PrincipalTag/TEAM": "payments"}), tags=PAYMENTS),
    row("a tag of the repository", IMAGES, ALLOWED,
        allow(StringEquals={TEAM: "payments"}), differs=UNTAGGED),
    row("another tag of the repository", IMAGES, NOTHING, allow(StringEquals={TEAM: "sales"})),
    row("ECR's own key for the repository's tag", IMAGES, DENIED,
        allow(), deny(StringLike={"ecr:ResourceTag/env": "P*"}), differs=UNTAGGED),
    row("two keys must both hold", IMAGES, NOTHING,
        allow(StringEquals={REGION: "eu-west-1", MINE: "sales"}), tags=PAYMENTS),
    row("two operators must both hold", IMAGES, NOTHING,
        allow(StringEquals={REGION: "eu-west-1"}, StringLike={MINE: "s*"}), tags=PAYMENTS),
    row("two operators that hold", IMAGES, ALLOWED,
        allow(StringEquals={REGION: "eu-west-1"}, StringLike={MINE: "p*"}), tags=PAYMENTS),
    row("the user's name", IMAGES, ALLOWED, allow(StringEquals={NAME: "{user}"})),
    row("another user's name", IMAGES, NOTHING, allow(StringEquals={NAME: "assumer"})),
    row("the kind of principal", IMAGES, ALLOWED,
        allow(StringEquals={"aws:PrincipalType": "User"})),
    row("the kind of a session", IMAGES, ALLOWED,
        allow(StringEquals={"aws:PrincipalType": "AssumedRole"}), session=()),
    row("the shape of a user id", IMAGES, ALLOWED, allow(StringLike={"aws:userid": "AIDA*"})),
    row("the shape of a session's id", IMAGES, ALLOWED,
        allow(StringLike={"aws:userid": "AROA*:deploy"}), session=()),
    row("a session has no user name", IMAGES, NOTHING,
        allow(StringLike={NAME: "*"}), session=()),
    row("the caller's account", IMAGES, ALLOWED,
        allow(StringEquals={"aws:PrincipalAccount": ACCOUNT})),
    row("the resource's account", IMAGES, DENIED, allow(),
        deny(StringNotEquals={"aws:ResourceAccount": OTHER})),
    row("a tag of the user", IMAGES, ALLOWED, allow(StringEquals={MINE: "payments"}),
        tags=PAYMENTS),
    row("another tag of the user", IMAGES, NOTHING, allow(StringEquals={MINE: "payments"}),
        tags={"team": "sales"}),
    row("a tag of a role", IMAGES, ALLOWED,
        allow(StringEquals={MINE: "payments"}), session=(), tags=PAYMENTS),
    row("an untagged repository", API, NOTHING, allow(StringEquals={TEAM: "payments"})),
    row("a list has no resource tags", LISTING, NOTHING, allow(StringEquals={TEAM: "payments"})),
)  # fmt: skip

MISSING: Final = (
    row("missing fails equals", IMAGES, NOTHING, allow(StringEquals={VPCE: "vpce-1"})),
    row("missing meets not equals", IMAGES, ALLOWED, allow(StringNotEquals={VPCE: "vpce-1"})),
    row("missing meets a deny of all but an endpoint", IMAGES, DENIED, allow(),
        deny(StringNotEquals={VPCE: "vpce-1"})),
    row("missing fails like", IMAGES, NOTHING, allow(StringLike={VPCE: "*"})),
    row("missing meets if exists", IMAGES, ALLOWED, allow(StringEqualsIfExists={VPCE: "vpce-1"})),
    row("missing meets a deny with if exists", IMAGES, DENIED, allow(),
        deny(BoolIfExists={MFA: "false"})),
    row("missing misses a deny without", IMAGES, ALLOWED, allow(), deny(Bool={MFA: "false"})),
    row("present fails if exists", ELSEWHERE, NOTHING,
        allow(StringEqualsIfExists={REGION: "eu-west-1"})),
    row("missing meets not an address", IMAGES, DENIED, allow(),
        deny(NotIpAddress={"aws:VpcSourceIp": "10.0.0.0/8"})),
    row("missing fails a number", IMAGES, NOTHING,
        allow(NumericLessThan={"aws:MultiFactorAuthAge": "3600"})),
    row("null of what is missing", IMAGES, ALLOWED, allow(Null={VPCE: "true"})),
    row("not null of what is missing", IMAGES, NOTHING, allow(Null={VPCE: "false"})),
    row("null of what is there", IMAGES, NOTHING, allow(Null={REGION: True})),
    row("not null of what is there", IMAGES, ALLOWED, allow(Null={MINE: False}), tags=PAYMENTS),
    row("a deny of what has no tag", API, DENIED, allow(), deny(Null={TEAM: "true"})),
    row("null beside a value", IMAGES, ALLOWED,
        allow(Null={MINE: "false"}, StringEquals={MINE: "payments"}), tags=PAYMENTS),
)  # fmt: skip

ADDRESSES: Final = (
    row("an address in the range", IMAGES, ALLOWED, allow(IpAddress={SOURCE: "127.0.0.0/8"})),
    row("an address outside", IMAGES, NOTHING, allow(IpAddress={SOURCE: "10.0.0.0/8"})),
    row("an address in one of the ranges", IMAGES, ALLOWED,
        allow(IpAddress={SOURCE: ["10.0.0.0/8", "127.0.0.1/32"]})),
    row("a plain address", IMAGES, ALLOWED, allow(IpAddress={SOURCE: "127.0.0.1"})),
    row("a deny of other addresses", IMAGES, DENIED, allow(),
        deny(NotIpAddress={SOURCE: ["10.0.0.0/8", "2001:db8::/32"]})),
    row("a deny that spares this one", IMAGES, ALLOWED, allow(),
        deny(NotIpAddress={SOURCE: ["10.0.0.0/8", "127.0.0.1"]})),
    row("the other address family", IMAGES, NOTHING, allow(IpAddress={SOURCE: "::/0"})),
)  # fmt: skip

TIMES: Final = (
    row("before a day to come", IMAGES, ALLOWED,
        allow(DateLessThan={NOW: "2099-01-01T00:00:00Z"})),
    row("before a day gone by", IMAGES, NOTHING, allow(DateLessThan={NOW: "2020-01-01T00:00:00Z"})),
    row("after a day gone by", IMAGES, ALLOWED,
        allow(DateGreaterThan={NOW: "2020-01-01T00:00:00+02:00"})),
    row("a day without a time", IMAGES, ALLOWED, allow(DateGreaterThanEquals={NOW: "2020-01-01"})),
    row("a day in seconds", IMAGES, ALLOWED, allow(DateLessThanEquals={NOW: "4102444800"})),
    row("between two days", IMAGES, ALLOWED, allow(
        DateGreaterThan={NOW: "2020-01-01T00:00:00Z"}, DateLessThan={NOW: "2099-01-01T00:00:00Z"})),
    row("another moment", IMAGES, ALLOWED, allow(DateNotEquals={NOW: "2020-01-01T00:00:00Z"})),
    row("a deny after its day", IMAGES, DENIED, allow(),
        deny(DateGreaterThan={NOW: "2020-06-30T23:59:59Z"})),
    row("seconds as a number", IMAGES, ALLOWED, allow(NumericGreaterThan={EPOCH: "1500000000"})),
    row("seconds as a number too large", IMAGES, NOTHING,
        allow(NumericGreaterThanEquals={EPOCH: 99999999999})),
    row("seconds as a date", IMAGES, ALLOWED,
        allow(DateGreaterThan={EPOCH: "2020-01-01T00:00:00Z"})),
    row("a session began", IMAGES, ALLOWED,
        allow(DateGreaterThan={"aws:TokenIssueTime": "2020-01-01T00:00:00Z"}), session=()),
    row("sessions begun before are revoked", IMAGES, DENIED,
        allow(), deny(DateLessThan={"aws:TokenIssueTime": "2099-01-01T00:00:00Z"}), session=()),
)  # fmt: skip

TRUTHS: Final = (
    row("encrypted on its way", IMAGES, ALLOWED, allow(Bool={"aws:SecureTransport": "true"}),
        differs=PLAIN),
    row("a deny of what is not encrypted", IMAGES, ALLOWED, allow(),
        deny(Bool={"aws:SecureTransport": "false"}), differs=PLAIN),
    row("a session without a second factor", IMAGES, DENIED,
        allow(), deny(Bool={MFA: "false"}), session=()),
    row("a boolean in any case", IMAGES, DENIED,
        allow(), deny(Bool={MFA: "False"}), session=()),
)  # fmt: skip

ARNS: Final = (
    row("the principal's arn", IMAGES, ALLOWED, allow(ArnEquals={"aws:PrincipalArn": USER})),
    row("another principal's arn", IMAGES, NOTHING,
        allow(ArnEquals={"aws:PrincipalArn": f"{USER}x"})),
    row("an arn with a star", IMAGES, ALLOWED,
        allow(ArnLike={"aws:PrincipalArn": "arn:aws:iam::*:user/*"})),
    row("arn equals takes a star too", IMAGES, ALLOWED,
        allow(ArnEquals={"aws:PrincipalArn": "arn:aws:iam::*:user/*"})),
    row("a star stays in its part of an arn", IMAGES, NOTHING,
        allow(ArnLike={"aws:PrincipalArn": "arn:aws:*:user/*"}), differs=ACCOUNTS),
    row("a deny of all but one arn", IMAGES, DENIED, allow(),
        deny(ArnNotEquals={"aws:PrincipalArn": f"{USER}x"})),
    row("not like an arn", IMAGES, ALLOWED,
        allow(ArnNotLike={"aws:PrincipalArn": "arn:aws:iam::*:role/*"})),
    row("an arn as text", IMAGES, ALLOWED, allow(StringLike={"aws:PrincipalArn": "arn:*:user/*"})),
    row("a session's arn is its role's", IMAGES, ALLOWED,
        allow(ArnLike={"aws:PrincipalArn": "arn:aws:iam::*:role/{role}"}),
        session=(), differs=SESSIONS),
    row("a repository's condition", OWN_IMAGES, ALLOWED,
        repository=(grant("*", ArnEquals={"aws:PrincipalArn": USER}),)),
    row("a repository's condition on somebody else", OWN_IMAGES, NOTHING,
        repository=(grant("*", ArnEquals={"aws:PrincipalArn": f"{USER}x"}),)),
    row("a repository's deny of other networks", OWN_IMAGES, DENIED, allow(),
        repository=(grant("*", effect="Deny", NotIpAddress={SOURCE: "10.0.0.0/8"}),)),
)  # fmt: skip

BOTH: Final = create("team/api", team="payments", env="prod")
SETS: Final = (
    row("a tag of the request", BOTH, ALLOWED,
        allow(StringEquals={"aws:RequestTag/team": "payments"})),
    row("another tag of the request", BOTH, NOTHING,
        allow(StringEquals={"aws:RequestTag/team": "sales"})),
    row("all values are listed", BOTH, ALLOWED,
        allow(ForAllValues__StringEquals={KEYS: ["team", "env", "owner"]})),
    row("all values, one is not listed", BOTH, NOTHING,
        allow(ForAllValues__StringEquals={KEYS: ["team", "owner"]})),
    row("any value is listed", BOTH, ALLOWED,
        allow(ForAnyValue__StringEquals={KEYS: ["team", "owner"]})),
    row("any value, none is listed", BOTH, NOTHING,
        allow(ForAnyValue__StringEquals={KEYS: ["cost", "owner"]})),
    row("all values are unlike", BOTH, NOTHING,
        allow(ForAllValues__StringNotLike={KEYS: ["t*"]})),
    row("any value is unlike", BOTH, ALLOWED,
        allow(ForAnyValue__StringNotLike={KEYS: ["t*"]})),
    row("all values of nothing", IMAGES, ALLOWED, allow(ForAllValues__StringEquals={KEYS: "x"})),
    row("all values of nothing, but not null", IMAGES, NOTHING,
        allow(ForAllValues__StringEquals={KEYS: "x"}, Null={KEYS: "false"})),
    row("any value of nothing", IMAGES, NOTHING, allow(ForAnyValue__StringEquals={KEYS: "x"})),
    row("any value of nothing, negated", IMAGES, NOTHING,
        allow(ForAnyValue__StringNotEquals={KEYS: "x"})),
    row("all values of one", IMAGES, ALLOWED, allow(ForAllValues__StringLike={REGION: "eu-*"})),
    row("any value of one", IMAGES, ALLOWED, allow(ForAnyValue__StringLike={REGION: "eu-*"})),
)  # fmt: skip

CONDITIONS: Final[tuple[Row, ...]] = (
    *STRINGS,
    *MISSING,
    *ADDRESSES,
    *TIMES,
    *TRUTHS,
    *ARNS,
    *SETS,
)
