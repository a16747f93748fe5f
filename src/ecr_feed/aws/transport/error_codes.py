"""AWS's error codes by their meaning, as the JSON and the query protocols spell them.

Sources: the error lists of the ECR, IAM, STS, EC2 and Organizations API references, "Common error
types", and botocore's own list of throttling codes.
"""

from __future__ import annotations

import re
from typing import Final

from ecr_feed.facts.aws import Trouble

THROTTLED: Final = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottleException",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequests",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
# `ThrottleException` and the like: documented by ECR, unknown to botocore's retry handler.
BOTOCORE_MISSES: Final = frozenset({"ThrottleException", "TooManyRequests", "429"})

DENIED: Final = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AuthorizationError",
        "AuthorizationErrorException",
        "NotAuthorized",
        "NotAuthorizedException",
        "UnauthorizedOperation",
    }
)
EXPIRED: Final = frozenset({"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"})
UNKNOWN_KEY: Final = frozenset(
    {
        "AuthFailure",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSecurity",
        "InvalidSecurityException",
        "InvalidToken",
        "UnrecognizedClient",
        "UnrecognizedClientException",
    }
)
SIGNATURE: Final = frozenset(
    {
        "IncompleteSignature",
        "IncompleteSignatureException",
        "InvalidSignature",
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
    }
)
# "The request reached the service more than 15 minutes after the date stamp on the request": common
# errors of ECR and STS. (EC2 alone has RequestExpired for an ended session.)
CLOCK: Final = frozenset(
    {
        "RequestExpired",
        "RequestExpiredException",
        "RequestInTheFuture",
        "RequestTimeTooSkewed",
        "RequestTimeTooSkewedException",
    }
)
NO_CREDENTIALS: Final = frozenset(
    {
        "IDPRejectedClaim",
        "IDPRejectedClaimException",
        "InvalidIdentityToken",
        "InvalidIdentityTokenException",
    }
)
STS_OFF: Final = frozenset({"RegionDisabled", "RegionDisabledException"})
# The account is not subscribed to the service there: a region not opted in, or a new account.
NOT_SUBSCRIBED: Final = frozenset(
    {
        "OptInRequired",
        "OptInRequiredException",
        "SubscriptionRequiredException",
    }
)
REGION_OFF: Final = STS_OFF | NOT_SUBSCRIBED
# MissingAuthenticationToken is in no family: our calls are signed, so a proxy is at fault.
INVALID_PARAMETER: Final = frozenset(
    {
        "InvalidInput",
        "InvalidParameter",
        "InvalidParameterException",
        "InvalidParameterValue",
        "SerializationException",
        "ValidationError",
        "ValidationException",
    }
)
_NOT_FOUND = re.compile(r"(NotFound|NoSuchEntity)(Exception)?\Z")
_NUMBER = re.compile(r"[0-9]{3}\Z")

_BY_CODE: Final = {
    code: trouble
    for trouble, family in {
        Trouble.THROTTLED: THROTTLED,
        Trouble.DENIED: DENIED,
        Trouble.EXPIRED: EXPIRED,
        Trouble.UNKNOWN_KEY: UNKNOWN_KEY,
        Trouble.SIGNATURE: SIGNATURE,
        Trouble.CLOCK: CLOCK,
        Trouble.NO_CREDENTIALS: NO_CREDENTIALS,
        Trouble.REGION_OFF: REGION_OFF,
    }.items()
    for code in family
}


def bare_code(code: object) -> str:
    """The code alone, from a form such as `com.amazonaws.ecr#AccessDeniedException:http://...`."""
    if not isinstance(code, str):
        return ""
    return code.rpartition("#")[2].partition(":")[0].strip()


def is_status(code: str) -> bool:
    """An HTTP status in place of a code: the body was not an AWS error."""
    return code == "" or _NUMBER.match(code) is not None


def trouble_of(code: str) -> Trouble:
    """What a code means by itself; callers tell a wrong clock and a disabled region apart."""
    if code == "407":
        return Trouble.PROXY
    if code == "429":
        return Trouble.THROTTLED
    if is_status(code):
        return Trouble.MALFORMED
    if code in _BY_CODE:
        return _BY_CODE[code]
    return Trouble.NOT_FOUND if _NOT_FOUND.search(code) else Trouble.OTHER
