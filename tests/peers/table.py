"""Rows about statements, layers and names. Sources: IAM User Guide, the page in each comment."""

from __future__ import annotations

from typing import Any, Final

from tests.peers.rows import (
    ACCOUNT,
    ALLOWED,
    APP,
    DENIED,
    IMAGES,
    LISTING,
    NOTHING,
    OTHER,
    OWN,
    OWN_IMAGES,
    ROLE,
    SELF,
    TOKEN,
    USER,
    WHO,
    Row,
    allow,
    arn,
    deny,
    ecr,
    grant,
    named,
    row,
)

NAMES: Final = "ministack judges DescribeRepositories on `*`, whatever names it carries"
LIST: Final = "ministack judges the list without names on `*`, not on `repository/*` as AWS does"
COLONS: Final = "ministack lets `*` and `?` cross the colons of an ARN anywhere"
VARIABLES: Final = "ministack knows no policy variables"
PRINCIPALS: Final = "ministack judges NotPrincipal statements never"
ELSEWHERE: Final = ecr("list_images", region="us-east-1")
TEAM: Final = "aws:PrincipalTag/team"
COPY: Final = "${aws:PrincipalTag/copy}"
ROOT: Final = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}


def only(effect: str, **elements: Any) -> dict[str, Any]:
    """A statement spelled out, for NotAction and NotResource."""
    return {"Effect": effect, **elements}


# "How AWS enforcement code logic evaluates requests": deny by default, an explicit Deny wins.
EFFECTS: Final = (
    row("no policy at all", IMAGES, NOTHING),
    row("an allow", IMAGES, ALLOWED, allow()),
    row("an allow of everything", IMAGES, ALLOWED, allow("*")),
    row("a deny wins", IMAGES, DENIED, allow(), deny("ecr:ListImages")),
    row("a deny wins whatever the order", IMAGES, DENIED, deny("ecr:ListImages"), allow()),
    row("a deny alone", IMAGES, DENIED, deny()),
    row("a deny of another action", IMAGES, ALLOWED, allow(), deny("ecr:DescribeImages")),
    row("a deny of another repository", IMAGES, ALLOWED, allow(), deny("*", arn("team/api"))),
    row("a deny elsewhere in a list", IMAGES, DENIED, allow(), deny("*", [arn("web"), APP])),
    row("an allow in the other of two statements", IMAGES, ALLOWED, allow("s3:*"), allow()),
    row("who one is cannot be denied", WHO, ALLOWED, deny("*")),
)

# "IAM JSON policy elements: Action", "NotAction".
ACTIONS: Final = (
    row("the action itself", IMAGES, ALLOWED, allow("ecr:ListImages")),
    row("another action", IMAGES, NOTHING, allow("ecr:DescribeImages")),
    row("actions ignore case", IMAGES, ALLOWED, allow("ECR:listimages")),
    row("a star inside an action", IMAGES, ALLOWED, allow("ecr:L*s")),
    row("a star at the end of an action", IMAGES, ALLOWED, allow("ecr:List*")),
    row("a star before", IMAGES, ALLOWED, allow("ecr:*Images")),
    row("a star that does not reach", IMAGES, NOTHING, allow("ecr:Describe*")),
    row("a question mark is one character", IMAGES, ALLOWED, allow("ecr:ListImage?")),
    row("a question mark is not none", IMAGES, NOTHING, allow("ecr:ListImages?")),
    row("another service", IMAGES, NOTHING, allow("ecr-public:*")),
    row("several actions", IMAGES, ALLOWED, allow(["s3:GetObject", "ecr:ListImages"])),
    row("not action leaves the rest", IMAGES, ALLOWED,
        only("Allow", NotAction="ecr:Delete*", Resource="*")),
    row("not action with the action listed", IMAGES, NOTHING,
        only("Allow", NotAction=["ecr:List*", "s3:*"], Resource="*")),
    row("deny not action", IMAGES, DENIED, allow("*"),
        only("Deny", NotAction="iam:*", Resource="*")),
    row("deny not action with the action listed", IMAGES, ALLOWED, allow("*"),
        only("Deny", NotAction=["ecr:List*", "sts:*"], Resource="*")),
)  # fmt: skip

# "IAM JSON policy elements: Resource", "NotResource"; ECR's page of the service authorization
# reference says which actions act on repositories.
RESOURCES: Final = (
    row("the repository itself", IMAGES, ALLOWED, allow("ecr:*", APP)),
    row("another repository", IMAGES, NOTHING, allow("ecr:*", arn("team/api"))),
    row("resources mind their case", IMAGES, NOTHING, allow("ecr:*", arn("team/App"))),
    row("a name is no prefix", IMAGES, NOTHING, allow("ecr:*", arn("team"))),
    row("a star crosses slashes", ecr("list_images", "team/deep/app"), ALLOWED,
        allow("ecr:*", arn("team/*"))),
    row("a star inside a name", IMAGES, ALLOWED, allow("ecr:*", arn("t*/app"))),
    row("a star is none too", IMAGES, ALLOWED, allow("ecr:*", arn("team/app*"))),
    row("a question mark in a name", IMAGES, ALLOWED, allow("ecr:*", arn("team/a?p"))),
    row("a question mark is a slash too", IMAGES, ALLOWED, allow("ecr:*", arn("team?app"))),
    row("a question mark stands for one", IMAGES, NOTHING, allow("ecr:*", arn("team/app?"))),
    row("a full stop is a full stop", ecr("list_images", "team.app"), NOTHING,
        allow("ecr:*", arn("team-app"))),
    row("any region", IMAGES, ALLOWED,
        allow("ecr:*", f"arn:aws:ecr:*:{ACCOUNT}:repository/team/app")),
    row("another region", ELSEWHERE, NOTHING, allow("ecr:*", APP)),
    row("another account's repository", IMAGES, NOTHING,
        allow("ecr:*", APP.replace(ACCOUNT, OTHER))),
    row("any account", IMAGES, ALLOWED, allow("ecr:*", "arn:aws:ecr:eu-west-1:*:repository/*")),
    row("a star within a part stays within", IMAGES, NOTHING,
        allow("ecr:*", "arn:aws:ecr:eu*app"), differs=COLONS),
    row("a question mark is no colon", IMAGES, NOTHING,
        allow("ecr:*", APP.replace(":repository", "?repository")), differs=COLONS),
    row("not resource", IMAGES, ALLOWED,
        only("Allow", Action="ecr:*", NotResource=arn("team/api"))),
    row("not resource with the resource listed", IMAGES, NOTHING,
        only("Allow", Action="ecr:*", NotResource=[arn("web"), arn("team/*")])),
    row("deny not resource", IMAGES, DENIED, allow(),
        only("Deny", Action="*", NotResource=arn("web"))),
    row("deny not resource spares the listed", IMAGES, ALLOWED, allow(),
        only("Deny", Action="*", NotResource=arn("team/*"))),
    row("a token has no resource", TOKEN, NOTHING, allow("ecr:*", APP)),
    row("a token on every repository", TOKEN, NOTHING, allow("ecr:*", arn("*"))),
    row("a token", TOKEN, ALLOWED, allow("ecr:GetAuthorizationToken")),
    row("a scoped deny misses the token", TOKEN, ALLOWED, allow(), deny("ecr:*", arn("*"))),
    row("not resource reaches the token", TOKEN, DENIED, allow(),
        only("Deny", Action="*", NotResource=arn("*"))),
    row("one's own user", SELF, ALLOWED, allow("iam:GetUser", USER)),
    row("another user", SELF, NOTHING, allow("iam:GetUser", f"{USER}x")),
    row("named repositories", named("team/app", "team/api"), ALLOWED, allow()),
    row("named repositories, scoped", named("team/app", "team/api"), ALLOWED,
        allow("ecr:*", [APP, arn("team/api")]), differs=NAMES),
    row("one of the names", named("team/app", "team/api"), NOTHING, allow("ecr:*", APP)),
    row("one of the names denied", named("team/app", "team/api"), DENIED, allow(),
        deny("ecr:Describe*", arn("team/api")), differs=NAMES),
    row("the list of one repository", LISTING, NOTHING, allow("ecr:*", APP)),
    row("the list of every repository", LISTING, ALLOWED, allow("ecr:*", arn("*")), differs=LIST),
    row("the list", LISTING, ALLOWED, allow("ecr:DescribeRepositories")),
    row("a scoped deny does not stop the list", LISTING, ALLOWED, allow(), deny("*", APP)),
    row("a delete", ecr("delete_repository", "team/absent"), NOTHING, allow("ecr:*", APP)),
    row("a delete allowed", ecr("delete_repository", "team/absent"), ALLOWED,
        allow("ecr:*", arn("team/*"))),
)  # fmt: skip

# "Policies and permissions", "Versioning IAM policies", "Permissions boundaries".
LAYERS: Final = (
    row("an attached policy", IMAGES, ALLOWED, attached=((allow(),),)),
    row("the second of two attached", IMAGES, ALLOWED, attached=((allow("s3:*"),), (allow(),))),
    row("an attached deny", IMAGES, DENIED, allow(), attached=((deny("ecr:List*"),),)),
    row("a group's policy", IMAGES, ALLOWED, group=(allow(),)),
    row("a group's attached policy", IMAGES, ALLOWED, group_attached=(allow("ecr:List*", APP),)),
    row("a group's deny", IMAGES, DENIED, allow(), group=(deny("*", APP),)),
    row("a group's attached deny", IMAGES, DENIED, allow(), group_attached=(deny(),)),
    row("the default version counts", IMAGES, ALLOWED,
        versions=((True, (allow("s3:*"),)), (True, (allow(),)))),
    row("a later version that is not the default", IMAGES, NOTHING,
        versions=((True, (allow("s3:*"),)), (False, (allow(),)), (True, (allow("sns:*"),)))),
    row("a new version that was not made the default", IMAGES, ALLOWED,
        versions=((True, (allow(),)), (False, (deny(),)))),
    row("a boundary that allows", IMAGES, ALLOWED, allow(), boundary=(allow("ecr:List*"),)),
    row("a boundary that does not", IMAGES, NOTHING, allow(), boundary=(allow("s3:*"),)),
    row("a boundary grants nothing", IMAGES, NOTHING, boundary=(allow("*"),)),
    row("a boundary that denies", IMAGES, DENIED, allow(), boundary=(allow("*"), deny("ecr:*"))),
    row("a boundary of another repository", IMAGES, NOTHING, allow(),
        boundary=(allow("*", arn("team/api")),)),
    row("a boundary for a group's policy", IMAGES, NOTHING, group=(allow(),),
        boundary=(allow("ecr:Describe*"),)),
    row("a user with a path", IMAGES, ALLOWED, allow(), path="/ci/octopus/"),
    row("a role", IMAGES, ALLOWED, allow(), session=()),
    row("a role without policies", IMAGES, NOTHING, session=()),
    row("a role's boundary", IMAGES, NOTHING, allow(), session=(), boundary=(allow("s3:*"),)),
    row("a session policy narrows", IMAGES, NOTHING, allow(), session=(allow("ecr:Describe*"),)),
    row("a session policy that allows", IMAGES, ALLOWED, allow(), session=(allow("*", APP),)),
    row("a session policy grants nothing", IMAGES, NOTHING, session=(allow("*"),)),
    row("a session policy that denies", IMAGES, DENIED, allow(), session=(allow("*"), deny())),
)  # fmt: skip

# "Policy evaluation for requests within a single account", "Principal", "NotPrincipal".
REPOSITORIES: Final = (
    row("the repository names the user", OWN_IMAGES, ALLOWED,
        repository=(grant({"AWS": USER}, "ecr:List*"),)),
    row("the repository names another user", OWN_IMAGES, NOTHING,
        repository=(grant({"AWS": f"{USER[:-6]}assumer"}),)),
    row("the repository allows another action", OWN_IMAGES, NOTHING,
        repository=(grant({"AWS": USER}, "ecr:BatchGetImage"),)),
    row("the repository names everybody", OWN_IMAGES, ALLOWED, repository=(grant("*"),)),
    row("everybody, as a map", OWN_IMAGES, ALLOWED, repository=(grant({"AWS": "*"}),)),
    row("the account only delegates", OWN_IMAGES, NOTHING, repository=(grant(ROOT),)),
    row("the account delegates to a user who may", OWN_IMAGES, ALLOWED, allow(),
        repository=(grant({"AWS": ACCOUNT}, "ecr:DescribeImages"),)),
    row("the repository denies the user", OWN_IMAGES, DENIED, allow(),
        repository=(grant({"AWS": USER}, "ecr:List*", "Deny"),)),
    row("the repository denies everybody", OWN_IMAGES, DENIED, allow(),
        repository=(grant("*", effect="Deny"),)),
    row("the repository denies the account", OWN_IMAGES, DENIED, allow(),
        repository=(grant(ROOT, effect="Deny"),)),
    row("the repository denies somebody else", OWN_IMAGES, ALLOWED, allow(),
        repository=(grant({"AWS": f"{USER[:-6]}assumer"}, effect="Deny"),)),
    row("a user's deny beats the repository", OWN_IMAGES, DENIED, deny("*", OWN),
        repository=(grant({"AWS": USER}),)),
    row("a repository's policy is its own", IMAGES, NOTHING, repository=(grant("*"),)),
    row("a repository without a policy", OWN_IMAGES, ALLOWED, allow("ecr:*", OWN)),
    row("a boundary does not limit a grant to the user", OWN_IMAGES, ALLOWED,
        boundary=(allow("s3:*"),), repository=(grant({"AWS": USER}),)),
    row("a boundary's deny limits a grant to the user", OWN_IMAGES, DENIED,
        boundary=(allow("*"), deny("ecr:List*")), repository=(grant({"AWS": USER}),)),
    row("the repository names the role", OWN_IMAGES, ALLOWED, session=(),
        repository=(grant({"AWS": ROLE}),)),
    row("the repository names the role, its session is narrower", OWN_IMAGES, NOTHING,
        session=(allow("s3:*"),), repository=(grant({"AWS": ROLE}),)),
    row("the repository denies the role", OWN_IMAGES, DENIED, allow(), session=(),
        repository=(grant({"AWS": ROLE}, effect="Deny"),)),
    row("the repository denies all but somebody else", OWN_IMAGES, DENIED, allow(),
        repository=(only("Deny", NotPrincipal={"AWS": [f"{USER}x", ROOT["AWS"]]}, Action="*"),),
        differs=PRINCIPALS),
    row("the repository denies all but the user", OWN_IMAGES, ALLOWED, allow(),
        repository=(only("Deny", NotPrincipal={"AWS": [USER, ROOT["AWS"]]}, Action="*"),)),
)  # fmt: skip

# "Variables and tags", "Version".
VARIABLE_ROWS: Final = (
    row("the user's name in a resource", OWN_IMAGES, ALLOWED,
        allow("ecr:*", arn("own/${aws:username}")), differs=VARIABLES),
    row("the user's name in another's resource", IMAGES, NOTHING,
        allow("ecr:*", arn("own/${aws:username}"))),
    row("the user's tag in a resource", IMAGES, ALLOWED,
        allow("ecr:*", arn("${aws:PrincipalTag/team}/*")),
        tags={"team": "team"}, differs=VARIABLES),
    row("a tag that is not there matches nothing", IMAGES, NOTHING,
        allow("ecr:*", arn("${aws:PrincipalTag/team}*"))),
    row("a variable's default", IMAGES, ALLOWED,
        allow("ecr:*", arn("${aws:PrincipalTag/team, 'team'}/app")), differs=VARIABLES),
    row("version 2008 knows no variables", IMAGES, NOTHING,
        allow("ecr:*", arn("${aws:PrincipalTag/team}/*")),
        tags={"team": "team"}, version="2008-10-17"),
    row("version 2008 else alike", IMAGES, ALLOWED, allow("ecr:*", arn("team/*")),
        version="2008-10-17"),
    row("no version is the older one", IMAGES, NOTHING,
        allow("ecr:*", arn("${aws:PrincipalTag/team}/*")), tags={"team": "team"}, version=""),
    row("no version else alike", IMAGES, ALLOWED, allow("ecr:*", arn("team/*")), version=""),
    row("a literal star", IMAGES, NOTHING, allow("ecr:*", arn("team/${*}"))),
    row("a variable in a deny", IMAGES, DENIED, allow(),
        deny("*", arn("team/${aws:PrincipalTag/not}")), tags={"not": "app"}, differs=VARIABLES),
    row("a variable in a condition", IMAGES, ALLOWED,
        allow(StringEquals={TEAM: COPY}), tags={"team": "a", "copy": "a"}, differs=VARIABLES),
    row("a variable in a condition that fails", IMAGES, NOTHING,
        allow(StringEquals={TEAM: COPY}), tags={"team": "a", "copy": "b"}),
    row("a variable without a value fails", IMAGES, NOTHING,
        allow(StringLike={TEAM: f"{COPY}*"}), tags={"team": "a"}),
    row("a variable without a value in a negated deny", IMAGES, DENIED, allow(),
        deny(StringNotEquals={TEAM: COPY}), tags={"team": "a"}),
    row("a variable's default in a condition", IMAGES, ALLOWED,
        allow(StringEquals={TEAM: "${aws:PrincipalTag/copy, 'a'}"}), tags={"team": "a"},
        differs=VARIABLES),
)  # fmt: skip

STATEMENTS: Final[tuple[Row, ...]] = (
    *EFFECTS,
    *ACTIONS,
    *RESOURCES,
    *LAYERS,
    *REPOSITORIES,
    *VARIABLE_ROWS,
)
