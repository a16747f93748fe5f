"""Where credentials and a Docker feed's login come from: names of profiles, variables, files.

Secrets are never values here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Final, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationInfo,
    field_validator,
)
from pydantic.json_schema import SkipJsonSchema

from ecr_feed.config.values import (
    FilePath,
    RegistryUrl,
    RoleArn,
    SessionSeconds,
    Text,
    VariableName,
    wrong,
)
from ecr_feed.config.wording import did_you_mean, quote

KEY_VARIABLES: Final = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
"""The environment variables of an access key, as the AWS CLI names them."""


class Table(BaseModel):
    """One table of the file: unknown keys and converted types are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class ProfileCredentials(Table):
    """Credentials of a profile in the AWS configuration files."""

    kind: ClassVar[str] = "profile"
    profile: Text = Field(
        description="A profile of ~/.aws/config or ~/.aws/credentials.", examples=["octopus-ecr"]
    )

    @property
    def source(self) -> str:
        """Where the credentials come from, for people."""
        return f"profile {self.profile}"


class EnvCredentials(Table):
    """An access key in environment variables with a common prefix."""

    kind: ClassVar[str] = "environment"
    env_prefix: VariableName = Field(
        description="Prefix of the variables: PREFIX + AWS_ACCESS_KEY_ID, "
        "AWS_SECRET_ACCESS_KEY and, for temporary keys, AWS_SESSION_TOKEN.",
        examples=["OCTOPUS_ECR_"],
    )

    @property
    def source(self) -> str:
        """Where the credentials come from, for people."""
        return f"variables {self.env_prefix}AWS_*"

    @property
    def variables(self) -> tuple[str, str, str]:
        """The names of the variables that hold key ID, secret and, perhaps, session token."""
        key_id, secret, token = (f"{self.env_prefix}{name}" for name in KEY_VARIABLES)
        return key_id, secret, token


class OidcCredentials(Table):
    """A role that Octopus assumes with its own web identity (OIDC)."""

    kind: ClassVar[str] = "oidc"
    role_arn: RoleArn = Field(
        description="The role of the feed.", examples=["arn:aws:iam::123456789012:role/octopus-ecr"]
    )
    audience: Text = Field(
        description="The audience set at the feed.", examples=["sts.amazonaws.com"]
    )
    subject: Text | None = Field(
        default=None,
        description="The subject that Octopus will present.",
        examples=["space:default:feed:production-ecr"],
    )
    token_file: FilePath | None = Field(
        default=None,
        description="A file that holds a web identity token, to try the role with.",
        examples=["web-identity.jwt"],
    )
    session_seconds: SessionSeconds = Field(
        default=3600, description="The session duration set at the feed.", examples=[3600]
    )

    @property
    def source(self) -> str:
        """Where the credentials come from, for people."""
        return f"role {self.role_arn}"


class WorkerCredentials(Table):
    """The AWS credentials of the machine that runs this, as Octopus's worker would use them."""

    kind: ClassVar[str] = "worker"
    worker: Literal[True] = Field(description="Always true.", examples=[True])

    @field_validator("worker", mode="before")
    @classmethod
    def _only_true(cls, value: object) -> object:
        if value is not True:
            raise wrong("true (leave the key out otherwise)")
        return value

    @property
    def source(self) -> str:
        """Where the credentials come from, for people."""
        return "this machine's own credentials"


class KeyCredentials(Table):
    """A key of an embedded account, by its label; not allowed in a feeds file."""

    kind: ClassVar[str] = "key"
    key: Text = Field(description="The label of a key of the account file.", examples=["octopus"])

    @property
    def source(self) -> str:
        """Where the credentials come from, for people."""
        return f"key {self.key} of the embedded account"


CREDENTIAL_KINDS: Final[Mapping[str, type[Table]]] = {
    "profile": ProfileCredentials,
    "env_prefix": EnvCredentials,
    "role_arn": OidcCredentials,
    "worker": WorkerCredentials,
    "key": KeyCredentials,
}
EXPECTED_CREDENTIALS = (
    'one of { profile = "NAME" }, { env_prefix = "PREFIX_" }, '
    '{ role_arn = "ARN", audience = "..." }, { worker = true }'
)


class LoginFile(Table):
    """A file that holds the `docker login` line."""

    file: FilePath = Field(
        description="The file with the `docker login ...` line, from this file's directory.",
        examples=["login.txt"],
    )


class LoginFields(Table):
    """The three fields of a Docker feed; the password is read from an environment variable."""

    username: Text = Field(description="The feed's user name.", examples=["AWS"])
    password_env: VariableName = Field(
        description="The environment variable that holds the feed's password.",
        examples=["LEGACY_ECR_PASSWORD"],
    )
    url: RegistryUrl = Field(
        description="The registry's address.",
        examples=["https://123456789012.dkr.ecr.ap-southeast-1.amazonaws.com"],
    )


LOGIN_KINDS: Final[Mapping[str, type[Table]]] = {"file": LoginFile, "password_env": LoginFields}
EXPECTED_LOGIN = (
    '{ file = "login.txt" } or { username = "AWS", password_env = "VARIABLE", url = "https://..." }'
)


def kind_of(value: object, kinds: Mapping[str, type[Table]]) -> str | None:
    """The kind of a table or model: by its main key, else by a key that no other kind has."""
    if not isinstance(value, Mapping):
        return next((key for key, kind in kinds.items() if type(value) is kind), None)
    present = [key for key in kinds if key in value]
    return next(iter(present or _kinds_in(value, kinds)), None)


def _kinds_in(table: Mapping[object, object], kinds: Mapping[str, type[Table]]) -> dict[str, str]:
    """The kinds whose own keys a table holds, each with the first such key."""
    found: dict[str, str] = {}
    for kind, model in kinds.items():
        others = {
            key for other in kinds.values() if other is not model for key in other.model_fields
        }
        own = [key for key in model.model_fields if key in table and key not in others]
        if own:
            found[kind] = kind if kind in own else own[0]
    return found


def _check_kind(value: object, kinds: Mapping[str, type[Table]], expected: str) -> object:
    """Raises unless it is of exactly one kind; the error names keys, never values."""
    if isinstance(value, Table):
        return value
    if not isinstance(value, Mapping):
        raise wrong(expected)
    present = _kinds_in(value, kinds)
    if len(present) > 1:
        raise wrong(f"only one of them: {expected}", f"{' and '.join(present.values())} together")
    if not present:
        known = [key for model in kinds.values() for key in model.model_fields]
        keys = [f"{quote(key)}{did_you_mean(key, known)}" for key in list(value)[:5]]
        raise wrong(expected, f"a table with {', '.join(keys)}" if keys else "an empty table")
    return value


def _check_credentials(value: object, info: ValidationInfo) -> object:
    labels = (info.context or {}).get("labels", False)
    if labels:
        return _check_kind(value, CREDENTIAL_KINDS, f'{EXPECTED_CREDENTIALS}, {{ key = "LABEL" }}')
    kinds = {key: kind for key, kind in CREDENTIAL_KINDS.items() if key != "key"}
    return _check_kind(value, kinds, EXPECTED_CREDENTIALS)


def _check_login(value: object) -> object:
    return _check_kind(value, LOGIN_KINDS, EXPECTED_LOGIN)


def _credential_kind(value: object) -> str | None:
    return kind_of(value, CREDENTIAL_KINDS)


def _login_kind(value: object) -> str | None:
    return kind_of(value, LOGIN_KINDS)


Credentials = (
    ProfileCredentials | EnvCredentials | OidcCredentials | WorkerCredentials | KeyCredentials
)
CredentialsTable = Annotated[
    Annotated[ProfileCredentials, Tag("profile")]
    | Annotated[EnvCredentials, Tag("env_prefix")]
    | Annotated[OidcCredentials, Tag("role_arn")]
    | Annotated[WorkerCredentials, Tag("worker")]
    | SkipJsonSchema[Annotated[KeyCredentials, Tag("key")]],
    Discriminator(_credential_kind),
    BeforeValidator(_check_credentials),
]
LoginTable = Annotated[
    Annotated[LoginFile, Tag("file")] | Annotated[LoginFields, Tag("password_env")],
    Discriminator(_login_kind),
    BeforeValidator(_check_login),
]


WORKERS_KEY: Final = "worker"
"""In an account file, the label of the key that the worker's own credentials are."""


def label_of(credentials: Credentials) -> str:
    """The label of the embedded account's key that these credentials are; "" for others."""
    if isinstance(credentials, KeyCredentials):
        return credentials.key
    return WORKERS_KEY if isinstance(credentials, WorkerCredentials) else ""
