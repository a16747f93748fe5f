"""`[[fault]]` of an account file, checked."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class FaultTable(BaseModel):
    """One fault; the fields are those of `faults.Fault`. `key` is a key's label, for `caller`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    service: Literal["ecr", "iam", "sts", "account", "organizations", "registry", "*"] = "*"
    operation: str = "*"
    region: str = "*"
    repository: str = "*"
    caller: str = "*"
    key: str = ""
    code: str = ""
    message: str = ""
    status: int = 0
    body: str | None = None
    content_type: str = "text/html"
    truncate: Annotated[int, Field(ge=0)] | None = None
    replace: tuple[str, str] | None = None
    connection: (
        Literal["connect-timeout", "read-timeout", "reset", "refused", "dns", "tls", "proxy"] | None
    ) = None
    times: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _says_one_thing(self) -> FaultTable:
        others = (self.body, self.truncate, self.replace, self.connection)
        if bool(self.code) + sum(each is not None for each in others) != 1:
            raise ValueError("a fault has exactly one of code, body, truncate, replace, connection")
        return self
