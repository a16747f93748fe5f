"""Turn the exception of an AWS call into one `Failure`: by AWS's error code, not by HTTP status."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from ecr_feed.aws.transport import error_codes
from ecr_feed.aws.transport.response import sanitize
from ecr_feed.facts.aws import Failure, Trouble
from ecr_feed.text.times import http_date

# SigV4 accepts at least this much; with a larger offset, a signature error is due to the clock.
CLOCK_TOLERANCE: Final = timedelta(minutes=5)
_CLOCK_WORDS = re.compile(r"signature (?:expired|not yet current)", re.IGNORECASE)
_SCOPE_WORDS = re.compile(r"credential should be scoped to", re.IGNORECASE)
# The signed time, and in brackets AWS's time: "expired: T1 is now earlier than T2 (T3 - 15 min.)".
_CLOCK_TIMES = re.compile(r"(\d{8}T\d{6}Z)\D.*\((\d{8}T\d{6}Z)")


@dataclass(frozen=True, slots=True)
class CallContext:
    """A call that failed; `now` is this machine's time at the response, for the clock offset.

    `login` and `by_auditor` are those of `Failure`.
    """

    service: str
    operation: str
    region: str
    attempts: int = 1
    host: str = ""
    now: datetime | None = None
    login: str = ""
    by_auditor: bool = False

    def failure(self, trouble: Trouble, code: str, message: str) -> Failure:
        """A failure of this call."""
        return Failure(
            trouble=trouble,
            service=self.service,
            operation=self.operation,
            region=self.region,
            code=code,
            message=message,
            attempts=self.attempts,
            host=self.host,
            login=self.login,
            by_auditor=self.by_auditor,
        )


def to_failure(error: BaseException, context: CallContext) -> Failure:
    """The `Failure` of an exception that a client raised. Never raises.

    If fetching the credentials failed (an assumed role, a web identity), the failure names that
    operation instead of the one that was called.
    """
    response = getattr(error, "response", None)
    if isinstance(response, Mapping):
        return _of_error_response(error, response, context)
    return context.failure(*_without_response(error))


def malformed_failure(context: CallContext, message: str, request_id: str = "") -> Failure:
    """The failure of a response that lacks something it must contain."""
    failure = context.failure(Trouble.MALFORMED, "", sanitize(message))
    return replace(failure, request_id=request_id)


def _of_error_response(
    error: BaseException, response: Mapping[str, Any], context: CallContext
) -> Failure:
    metadata = _mapping(response.get("ResponseMetadata"))
    fault = _mapping(response.get("Error"))
    code = error_codes.bare_code(fault.get("Code"))
    trouble = error_codes.trouble_of(code)
    # Without an AWS error code the body is not from AWS (a proxy's page, say): it is not quoted.
    message = (
        f"HTTP {metadata.get('HTTPStatusCode', code) or '?'} without an AWS error in its body"
        if error_codes.is_status(code)
        else sanitize(fault.get("Message"))
    )
    offset = _offset(metadata, message, context.now)
    failure = replace(
        context.failure(trouble, code, message),
        request_id=sanitize(metadata.get("RequestId")),
        attempts=_attempts(metadata, context.attempts),
        offset=offset,
    )
    return _of_credential_call(_of_signature(failure), getattr(error, "operation_name", ""))


def _of_signature(failure: Failure) -> Failure:
    """A wrong clock has the error codes of a wrong secret: AWS's message or the Date decides."""
    if failure.code not in error_codes.SIGNATURE:
        return failure
    far = failure.offset is not None and abs(failure.offset) > CLOCK_TOLERANCE
    if far or _CLOCK_WORDS.search(failure.message) is not None:
        return replace(failure, trouble=Trouble.CLOCK)
    # Signed for another region or service than the endpoint's: the secret may be right.
    scoped = _SCOPE_WORDS.search(failure.message) is not None
    return replace(failure, trouble=Trouble.OTHER) if scoped else failure


def _of_credential_call(failure: Failure, operation: str) -> Failure:
    """Name the operation that failed, where botocore made another one for the credentials."""
    if not operation or operation == failure.operation:
        return failure
    return replace(
        failure,
        service=_SERVICE_OF.get(operation, failure.service),
        operation=operation,
        trouble=Trouble.NO_CREDENTIALS if is_refusal(failure) else failure.trouble,
        host="",
    )


def is_refusal(failure: Failure) -> bool:
    """Whether a call for credentials, such as AssumeRole, was refused and would be again.

    An error of the service or of the identity provider may be temporary, and is not a refusal.
    """
    refused = failure.trouble in (Trouble.DENIED, Trouble.NOT_FOUND)
    return refused or failure.code in error_codes.INVALID_PARAMETER


_SERVICE_OF: Final = {
    "AssumeRole": "sts",
    "AssumeRoleWithSAML": "sts",
    "AssumeRoleWithWebIdentity": "sts",
    "CreateOAuth2Token": "signin",
    "CreateToken": "sso-oidc",
    "GetRoleCredentials": "sso",
}


def _attempts(metadata: Mapping[str, Any], otherwise: int) -> int:
    retries = metadata.get("RetryAttempts")
    return retries + 1 if isinstance(retries, int) else otherwise


def _offset(metadata: Mapping[str, Any], message: str, now: datetime | None) -> timedelta | None:
    """This machine's clock minus AWS's, from the times in AWS's message, else from the Date."""
    times = _CLOCK_TIMES.search(message) if _CLOCK_WORDS.search(message) else None
    signed, received = (_stamp(times[1]), _stamp(times[2])) if times else (None, None)
    if signed is not None and received is not None:
        return signed - received
    date = date_of(metadata)
    return None if now is None or date is None else now - date


def date_of(metadata: Mapping[str, Any]) -> datetime | None:
    """The usable Date header of a response's `ResponseMetadata`, in UTC; None without one."""
    value = _mapping(metadata.get("HTTPHeaders")).get("date")
    return http_date(value) if isinstance(value, str) else None


def _stamp(text: str) -> datetime | None:
    """A time such as 20261101T120000Z; None for digits that are not a time."""
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


# By the class names of an error and its base classes, so that botocore need not be imported here.
_BY_CLASS: Final = {
    "ProxyConnectionError": Trouble.PROXY,
    "InvalidProxiesConfigError": Trouble.PROXY,
    "SSLError": Trouble.TLS,
    "ConnectTimeoutError": Trouble.TIMEOUT,
    "ReadTimeoutError": Trouble.TIMEOUT,
    "EndpointConnectionError": Trouble.REFUSED,
    "ConnectionClosedError": Trouble.RESET,
    "ResponseStreamingError": Trouble.MALFORMED,
    "IncompleteReadError": Trouble.MALFORMED,
    "ResponseParserError": Trouble.MALFORMED,
    "WrongShapeError": Trouble.MALFORMED,
    "FlexibleChecksumError": Trouble.MALFORMED,
    "ChecksumError": Trouble.MALFORMED,
    "UnauthorizedSSOTokenError": Trouble.LOGIN_ENDED,
    "SSOTokenLoadError": Trouble.LOGIN_ENDED,
    "LoginRefreshRequired": Trouble.LOGIN_ENDED,
    "LoginTokenLoadError": Trouble.LOGIN_ENDED,
    "LoginAuthorizationCodeError": Trouble.LOGIN_ENDED,
    "TokenRetrievalError": Trouble.LOGIN_ENDED,
    "NoAuthTokenError": Trouble.LOGIN_ENDED,
    "NoCredentialsError": Trouble.NO_CREDENTIALS,
    "PartialCredentialsError": Trouble.NO_CREDENTIALS,
    "CredentialRetrievalError": Trouble.NO_CREDENTIALS,
    "UnknownTokenProviderError": Trouble.NO_CREDENTIALS,
    "MetadataRetrievalError": Trouble.NO_CREDENTIALS,
    "UnknownCredentialError": Trouble.NO_CREDENTIALS,
    "RefreshWithMFAUnsupportedError": Trouble.NO_CREDENTIALS,
    "ProfileNotFound": Trouble.NO_CREDENTIALS,
    "ConfigNotFound": Trouble.NO_CREDENTIALS,
    "ConfigParseError": Trouble.NO_CREDENTIALS,
    "InvalidConfigError": Trouble.NO_CREDENTIALS,
    "MissingDependencyException": Trouble.NO_CREDENTIALS,
    "SSOError": Trouble.NO_CREDENTIALS,
    "LoginError": Trouble.NO_CREDENTIALS,
}
# What botocore's parsers raise on a 200 that is not an AWS response (a page, an absurd number).
_PARSER_ERRORS = (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError)
# Some credential providers have one exception for everything; the text says that it expired.
_EXPIRED_WORDS = re.compile(r"\b(?:has|is|have|are) (?:\w+ )?expired|\bexpired\b", re.IGNORECASE)


def _without_response(error: BaseException) -> tuple[Trouble, str, str]:
    """(trouble, code, message) of an error without an AWS response.

    The code is "", or the exception's type where its kind is unknown.
    """
    name = type(error).__name__
    causes = tuple(_causes(error))
    trouble = next(
        (_BY_CLASS[c.__name__] for c in type(error).__mro__ if c.__name__ in _BY_CLASS), None
    )
    if trouble is Trouble.NO_CREDENTIALS and _EXPIRED_WORDS.search(str(error)):
        trouble = Trouble.EXPIRED
    if trouble in (None, Trouble.REFUSED, Trouble.RESET):
        trouble = _by_cause(causes) or trouble
    if trouble is None and isinstance(error, _PARSER_ERRORS) and not _is_from_botocore(error):
        return Trouble.MALFORMED, "", f"the answer could not be read ({name})"
    if trouble is None:
        # The text of an unknown exception may contain anything: only its type is reported.
        message = sanitize(str(error)) if _is_from_botocore(error) else ""
        return Trouble.OTHER, name, message
    return trouble, "", sanitize(_message_of(error, causes))


def _message_of(error: BaseException, causes: tuple[BaseException, ...]) -> str:
    """The error's text with the socket's own, such as "407 Proxy Authentication Required"."""
    text = str(error)
    deepest = next((str(c) for c in reversed(causes) if isinstance(c, OSError) and str(c)), "")
    return text if not deepest or deepest in text else f"{text} ({deepest})"


def _is_from_botocore(error: BaseException) -> bool:
    return type(error).__module__.partition(".")[0] in {"botocore", "boto3"}


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and its causes, including those that botocore and urllib3 keep as arguments."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        one = waiting.pop(0)
        if not isinstance(one, BaseException) or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        kept = getattr(one, "kwargs", None)
        waiting += [kept.get("error")] if isinstance(kept, dict) else []
        waiting += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]


def _by_cause(causes: tuple[BaseException, ...]) -> Trouble | None:
    names = {type(cause).__name__ for cause in causes}
    if names & {"IncompleteRead", "InvalidChunkLength"}:
        return Trouble.MALFORMED
    if "ProxyError" in names:
        return Trouble.PROXY
    if any(isinstance(c, socket.gaierror) for c in causes) or "NameResolutionError" in names:
        return Trouble.DNS
    if names & {"SSLError", "SSLCertVerificationError", "CertificateError"}:
        return Trouble.TLS
    if any(_is_ca_bundle_error(c) for c in causes):
        return Trouble.TLS
    if any(isinstance(c, TimeoutError) for c in causes):
        return Trouble.TIMEOUT
    return _by_socket(causes)


def _by_socket(causes: tuple[BaseException, ...]) -> Trouble | None:
    if any(isinstance(c, ConnectionRefusedError) for c in causes):
        return Trouble.REFUSED
    lost = (ConnectionResetError, ConnectionAbortedError, BrokenPipeError)
    return Trouble.RESET if any(isinstance(c, lost) for c in causes) else None


def _is_ca_bundle_error(cause: BaseException) -> bool:
    """The CA bundle that AWS_CA_BUNDLE names does not exist or cannot be read."""
    return isinstance(cause, OSError) and "certificate" in str(cause).lower()
