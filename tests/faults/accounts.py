"""The account that the fault matrix reads: every read operation is made by some rule of its feeds.

`HEALTHY` meets every rule, `BROKEN` breaks what reads can show: in the one a fault must not break a
rule, in the other it must not mend one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from ecr_feed.config import Feed, KeyCredentials, OidcCredentials, Package

ACCOUNT: Final = "123456789012"
REGION: Final = "eu-west-1"
ROLE: Final = f"arn:aws:iam::{ACCOUNT}:role/octopus/octopus-staging"
TOKEN_FILE: Final = Path(__file__).parents[2] / "fixtures" / "accounts" / "healthy-web-identity.jwt"

_SHARED = """
account = "123456789012"
region = "eu-west-1"

[organization]
id = "o-exampleorgid"

[[scp]]
level = 0
document = { deny = "s3:*" }
[[rcp]]
level = 0
document = { deny = "s3:*" }

[[registry]]
policy = { deny = "ecr:DeleteRepository", to = "*" }

[[cache_rule]]
prefix = "hub"
[[creation_template]]
prefix = "made"
applied_for = ["CREATE_ON_PUSH"]

[[oidc_provider]]
url = "https://octopus.example.com"
audiences = ["api://default"]

[[policy]]
name = "limit"
document = { allow = ["ecr:*", "sts:*"] }
[[policy]]
name = "token"
document = { allow = "ecr:GetAuthorizationToken" }
[[policy]]
name = "read-buckets"
document = { allow = "s3:GetObject" }
[[policy]]
name = "grant"
document = { allow = "iam:AttachUserPolicy" }

[[user]]
name = "platform-auditor"
keys = [{ label = "auditor", age_days = 10, used_days = 0.1 }]
[[user.policies.audit]]
allow = [
  "iam:Get*", "iam:List*", "iam:SimulatePrincipalPolicy", "organizations:Describe*",
  "organizations:List*", "ecr:Describe*", "ecr:List*", "ecr:Get*",
]
"""

HEALTHY: Final = (
    _SHARED
    + """
[[repository]]
name = "team/app"
tags = { team = "shop" }
images = [
  { tags = ["1.4.1"], age_days = 30 },
  { tags = ["1.4.2", "latest"], age_days = 2, pulled_days = 1 },
]
policy = { allow = ["ecr:DescribeImages"], to = { AWS = "arn:aws:iam::{account}:root" } }

[[repository.lifecycle.rules]]
rulePriority = 1
action.type = "expire"
[repository.lifecycle.rules.selection]
tagStatus = "untagged"
countType = "sinceImagePushed"
countUnit = "days"
countNumber = 14

[[group]]
name = "deployers"
attached = ["token"]
policies.list = { allow = "ecr:DescribeRepositories", on = "repository/*" }

[[user]]
name = "octopus-feed"
path = "/octopus/"
groups = ["deployers"]
attached = ["token"]
boundary_policy = "limit"
tags = { team = "shop" }
keys = [
  { label = "feed", age_days = 10, used_days = 0.1 },
  { label = "second", age_days = 5, used_days = 1 },
]
[[user.policies.read]]
allow = [
  "ecr:DescribeImages", "ecr:ListImages", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer",
]
on = "repository/team/app"
when.StringEquals = { "aws:ResourceTag/team" = "shop" }

[[role]]
name = "octopus-staging"
path = "/octopus/"
attached = ["token"]
boundary_policy = "limit"
policies.read = [
  { allow = "ecr:DescribeRepositories", on = "repository/*" },
  { allow = ["ecr:DescribeImages", "ecr:ListImages"], on = "repository/team/app" },
]
[role.trust]
allow = "sts:AssumeRoleWithWebIdentity"
to.Federated = "arn:aws:iam::{account}:oidc-provider/octopus.example.com"
[role.trust.when.StringEquals]
"octopus.example.com:aud" = "api://default"
"octopus.example.com:sub" = "space:default:feed:staging-ecr"
"""
)

BROKEN: Final = (
    _SHARED
    + """
[[repository]]
name = "team/app"
images = [{ tags = ["1.4.2"], age_days = 2 }]
policy = { deny = "ecr:BatchGetImage", to = "*" }

[[repository]]
name = "team/worker"
images = [{ age_days = 1 }]

[[repository]]
name = "team/moved"
region = "eu-central-1"

[[group]]
name = "deployers"
attached = ["read-buckets"]
policies.list = { allow = "ecr:DescribeRepositories", on = ["repository/team/*"] }

[[user]]
name = "octopus-feed"
groups = ["deployers"]
attached = ["grant"]
console_password = true
boundary_policy = "limit"
keys = [{ label = "feed", age_days = 400, used_days = 0.1 }, { label = "second", age_days = 5 }]
[[user.policies.read]]
allow = [
  "ecr:GetAuthorizationToken", "ecr:DescribeImages", "ecr:PutImage", "ecr:BatchGetImage",
]
on = "*"

[[user]]
name = "octopus-second"
keys = [
  { label = "inactive", age_days = 5, used_days = 1 },
  { label = "dead", status = "inactive" },
]
policies.read = { allow = ["ecr:DescribeRepositories", "ecr:ListImages"] }
"""
)


def feeds_of(account: str) -> tuple[Feed, ...]:
    """The feeds that are judged on an account."""
    broken = account is BROKEN
    packages = ("team/app", *(("team/worker", "team/moved") if broken else ()))
    first = Feed(
        name="Production ECR",
        region=REGION,
        account="210987654321" if broken else ACCOUNT,
        packages=tuple(Package(id=name) for name in packages),
        credentials=KeyCredentials(key="feed"),
        pulls=True,
        deep=True,
        min_token_hours=2,
        longest_deployment_hours=14 if broken else 3,
    )
    second = Feed(
        name="Staging ECR",
        region=REGION,
        packages=(Package(id="team/app"),),
        credentials=KeyCredentials(key="inactive")
        if broken
        else OidcCredentials(
            role_arn=ROLE,
            audience="api://default",
            subject="space:default:feed:staging-ecr",
            token_file=TOKEN_FILE,
        ),
    )
    return first, second
