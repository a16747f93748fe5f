from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore import exceptions as boto
from botocore.parsers import ResponseParserError
from hypothesis import given
from hypothesis import strategies as st
from urllib3.exceptions import IncompleteRead, NewConnectionError, ProtocolError

from ecr_feed.aws.transport.failures import CallContext, to_failure
from ecr_feed.facts.aws import Trouble

NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
CONTEXT = CallContext("ecr", "DescribeImages", "eu-west-1", now=NOW)


def client_error(
    code: object, message: object = "said", operation: str = "DescribeImages", **headers: str
) -> boto.ClientError:
    metadata = {"RequestId": "r-1", "HTTPStatusCode": 400, "HTTPHeaders": headers}
    return boto.ClientError(
        {"Error": {"Code": code, "Message": message}, "ResponseMetadata": metadata}, operation
    )


@pytest.mark.parametrize(
    ("code", "trouble"),
    [
        ("AccessDenied", Trouble.DENIED),
        ("AccessDeniedException", Trouble.DENIED),
        ("UnauthorizedOperation", Trouble.DENIED),
        ("AuthFailure", Trouble.UNKNOWN_KEY),
        ("UnrecognizedClientException", Trouble.UNKNOWN_KEY),
        ("InvalidClientTokenId", Trouble.UNKNOWN_KEY),
        ("ExpiredToken", Trouble.EXPIRED),
        ("ExpiredTokenException", Trouble.EXPIRED),
        ("InvalidSignatureException", Trouble.SIGNATURE),
        ("SignatureDoesNotMatch", Trouble.SIGNATURE),
        ("RequestTimeTooSkewed", Trouble.CLOCK),
        ("RegionDisabledException", Trouble.REGION_OFF),
        ("OptInRequired", Trouble.REGION_OFF),
        ("RequestExpired", Trouble.CLOCK),
        ("IncompleteSignature", Trouble.SIGNATURE),
        ("InvalidIdentityToken", Trouble.NO_CREDENTIALS),
        # Our calls are signed: what lost the signature on the way says nothing of the key.
        ("MissingAuthenticationTokenException", Trouble.OTHER),
        ("Throttling", Trouble.THROTTLED),
        ("ThrottlingException", Trouble.THROTTLED),
        ("ThrottleException", Trouble.THROTTLED),
        ("RepositoryNotFoundException", Trouble.NOT_FOUND),
        ("NoSuchEntity", Trouble.NOT_FOUND),
        ("ImageNotFoundException", Trouble.NOT_FOUND),
        ("ServerException", Trouble.OTHER),
        ("KmsException", Trouble.OTHER),
        ("com.amazonaws.ecr#AccessDeniedException:http://internal/doc", Trouble.DENIED),
        # An HTTP status is not a code: nothing is denied by it.
        ("403", Trouble.MALFORMED),
        ("500", Trouble.MALFORMED),
        ("407", Trouble.PROXY),
        ("", Trouble.MALFORMED),
        (None, Trouble.MALFORMED),
        (403, Trouble.MALFORMED),
    ],
    ids=repr,
)
def test_aws_codes(code: object, trouble: Trouble) -> None:
    failure = to_failure(client_error(code), CONTEXT)
    assert failure.trouble == trouble
    assert failure.request_id == "r-1"


def test_the_body_of_a_page_is_not_quoted() -> None:
    failure = to_failure(client_error("502", "<html>secret page</html>"), CONTEXT)
    assert failure.message == "HTTP 400 without an AWS error in its body"


@pytest.mark.parametrize("code", ["InvalidSignatureException", "SignatureDoesNotMatch"])
def test_a_clock_is_told_from_a_wrong_secret(code: str) -> None:
    late = "Signature expired: 20261101T100000Z is now earlier than 20261101T114500Z"
    said = to_failure(client_error(code, f"{late} (20261101T120000Z - 15 min.)"), CONTEXT)
    assert (said.trouble, said.offset) == (Trouble.CLOCK, timedelta(hours=-2))
    dated = to_failure(client_error(code, date="Sun, 01 Nov 2026 14:00:00 GMT"), CONTEXT)
    assert (dated.trouble, dated.offset) == (Trouble.CLOCK, timedelta(hours=-2))
    both = to_failure(
        client_error(
            code, f"{late} (20261101T120000Z - 15 min.)", date="Sun, 01 Nov 2026 12:00:00 GMT"
        ),
        CONTEXT,
    )
    assert both.offset == timedelta(hours=-2)  # what AWS states, whatever a proxy's Date is
    early = to_failure(client_error(code, "Signature not yet current: 2"), CONTEXT)
    assert (early.trouble, early.offset) == (Trouble.CLOCK, None)
    near = to_failure(client_error(code, date="Sun, 01 Nov 2026 12:05:00 GMT"), CONTEXT)
    assert (near.trouble, near.offset) == (Trouble.SIGNATURE, timedelta(minutes=-5))


def test_a_scope_that_is_not_the_hosts_is_no_wrong_secret() -> None:
    said = client_error("SignatureDoesNotMatch", "Credential should be scoped to a valid region.")
    assert to_failure(said, CONTEXT).trouble == Trouble.OTHER


UNUSABLE_DATES = (
    "",
    "0",
    "yesterday",
    "Sun, 99 Nov 2026 14:00:00 GMT",
    "Thu, 01 Jan 1970 00:00:00 GMT",
    "Sat, 01 Jan 0001 00:00:00 +0100",
)


@pytest.mark.parametrize("date", UNUSABLE_DATES)
def test_a_date_that_is_not_usable_gives_no_offset(date: str) -> None:
    assert to_failure(client_error("AccessDenied", date=date), CONTEXT).offset is None


def test_a_response_without_a_date_gives_no_offset() -> None:
    assert to_failure(client_error("AccessDenied"), CONTEXT).offset is None


def test_times_of_a_signature_error_that_are_not_times_give_no_offset() -> None:
    message = (
        "Signature expired: 20261399T100000Z is now earlier than T (20269901T120000Z - 15 min.)"
    )
    assert to_failure(client_error("SignatureDoesNotMatch", message), CONTEXT).offset is None
    dated = client_error("SignatureDoesNotMatch", message, date="Sun, 01 Nov 2026 14:00:00 GMT")
    assert to_failure(dated, CONTEXT).offset == timedelta(hours=-2)


def test_a_clock_far_off_does_not_excuse_an_unknown_key() -> None:
    failure = to_failure(
        client_error("UnrecognizedClientException", date="Sun, 01 Nov 2026 14:00:00 GMT"), CONTEXT
    )
    assert failure.trouble == Trouble.UNKNOWN_KEY


def test_a_role_that_may_not_be_assumed_is_no_credentials() -> None:
    failure = to_failure(client_error("AccessDenied", operation="AssumeRole"), CONTEXT)
    assert failure.trouble == Trouble.NO_CREDENTIALS
    assert failure.action == "sts:AssumeRole"


def test_an_echoed_request_is_cut_off() -> None:
    message = (
        "The request signature we calculated does not match.\n\nThe Canonical String for this"
        " request should have been\n'POST\n/\nx-amz-security-token:abc'"
    )
    said = to_failure(client_error("SignatureDoesNotMatch", message), CONTEXT).message
    assert said == "The request signature we calculated does not match."


def wrapped(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


URL = "https://api.ecr.eu-west-1.amazonaws.com/"


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (boto.ConnectTimeoutError(endpoint_url=URL), Trouble.TIMEOUT),
        (boto.ReadTimeoutError(endpoint_url=URL), Trouble.TIMEOUT),
        (boto.SSLError(endpoint_url=URL, error="unknown"), Trouble.TLS),
        (boto.ProxyConnectionError(proxy_url="http://p"), Trouble.PROXY),
        (boto.EndpointConnectionError(endpoint_url=URL), Trouble.REFUSED),
        (
            boto.EndpointConnectionError(endpoint_url=URL, error=socket.gaierror(-2, "unknown")),
            Trouble.DNS,
        ),
        (
            wrapped(
                boto.EndpointConnectionError(endpoint_url=URL),
                wrapped(NewConnectionError(None, "x"), socket.gaierror(-2, "unknown")),  # type: ignore[arg-type] # no connection is needed for its text
            ),
            Trouble.DNS,
        ),
        (boto.ConnectionClosedError(endpoint_url=URL), Trouble.RESET),
        (
            boto.ConnectionClosedError(
                endpoint_url=URL, error=ProtocolError("broken", IncompleteRead(3, 9))
            ),
            Trouble.MALFORMED,
        ),
        (boto.HTTPClientError(error=ConnectionResetError(104, "reset")), Trouble.RESET),
        (boto.ResponseStreamingError(error="cut"), Trouble.MALFORMED),
        (boto.IncompleteReadError(actual_bytes=1, expected_bytes=2), Trouble.MALFORMED),
        (ResponseParserError("no XML"), Trouble.MALFORMED),
        (KeyError("GetCallerIdentityResult"), Trouble.MALFORMED),
        (OverflowError("timestamp"), Trouble.MALFORMED),
        (boto.NoCredentialsError(), Trouble.NO_CREDENTIALS),
        (boto.PartialCredentialsError(provider="p", cred_var="v"), Trouble.NO_CREDENTIALS),
        (boto.CredentialRetrievalError(provider="p", error_msg="m"), Trouble.NO_CREDENTIALS),
        (boto.TokenRetrievalError(provider="sso", error_msg="no token"), Trouble.LOGIN_ENDED),
        (
            boto.TokenRetrievalError(
                provider="sso", error_msg="Token has expired and refresh failed"
            ),
            Trouble.LOGIN_ENDED,
        ),
        (boto.UnauthorizedSSOTokenError(), Trouble.LOGIN_ENDED),
        (boto.SSOTokenLoadError(error_msg="no token"), Trouble.LOGIN_ENDED),
        (boto.ProfileNotFound(profile="p"), Trouble.NO_CREDENTIALS),
        (boto.InvalidConfigError(error_msg="m"), Trouble.NO_CREDENTIALS),
        (boto.ParamValidationError(report="r"), Trouble.OTHER),
        (RuntimeError("with a secret"), Trouble.OTHER),
    ],
    ids=lambda value: (
        f"{type(value).__name__} {value!s:.60} {getattr(value, '__cause__', '')!r:.20}"
    ),
)
def test_errors_without_an_answer(error: Exception, trouble: Trouble) -> None:
    assert to_failure(error, CONTEXT).trouble == trouble


def test_an_unknown_exception_tells_its_type_only() -> None:
    failure = to_failure(RuntimeError("with a secret"), CONTEXT)
    assert (failure.code, failure.message) == ("RuntimeError", "")


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@given(code=anything, message=anything, metadata=anything)
def test_any_error_shape_is_classified_and_fit_to_print(
    code: Any, message: Any, metadata: Any
) -> None:
    response = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": metadata}
    error = boto.ClientError({}, "DescribeImages")
    error.response = response
    failure = to_failure(error, CONTEXT)
    assert failure.message.isprintable()
    assert len(failure.message) <= 700
    if not isinstance(code, str) or not any(c.isalpha() for c in code):
        assert failure.trouble != Trouble.DENIED
    assert str(failure.summary)


@given(code=st.integers(100, 599), message=st.text())
def test_no_status_alone_denies(code: int, message: str) -> None:
    troubles = {Trouble.MALFORMED, Trouble.PROXY, Trouble.THROTTLED}
    assert to_failure(client_error(str(code), message), CONTEXT).trouble in troubles
