"""The file that `--plan` names: a plan as JSON, or a mistake named for what the file is."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from ecr_feed.config import ConfigError
from ecr_feed.text.files import PLAN, FileError, Files

_SHOW: Final = "Run `terraform plan -out plan.bin` and `terraform show -json plan.bin > plan.json`"
_GIVE: Final = f"{_SHOW} (or `tofu` for `terraform`), and give plan.json."
_ONLY: Final = (
    "not supported: --plan reads Terraform and OpenTofu plans only. Give the identity's policies "
    "with --policy FILE, and a repository's with --repository-policy ID=FILE."
)
Document = Mapping[str, Any]


def read_plan(name: str, files: Files) -> Document:
    """The plan. Raises ConfigError, which names what the file is and what to give instead."""
    try:
        file = files.read(name, PLAN)
        if said := _of_bytes(file.data):
            raise ConfigError(f"{file.source}: {said}")
        text = file.text()
    except FileError as error:
        raise ConfigError(_advised(str(error))) from None
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        said = _of_text(text) or f"not JSON ({error}). {_GIVE}"
        raise ConfigError(f"{file.source}: {said}") from None
    if isinstance(document, dict) and "planned_values" in document:
        return document
    said = _of_document(document) if isinstance(document, dict) else ""
    raise ConfigError(
        f"{file.source}: {said or f'not a plan: it has no `planned_values`. {_GIVE}'}"
    )


def _advised(said: str) -> str:
    """A CDK assembly is a folder."""
    if "is a directory" in said:
        return f"{said} A folder of CDK (cdk.out) is {_ONLY}"
    return said


def _of_bytes(data: bytes) -> str:
    """What a file that is not a text is; "" if it is not known."""
    if data.startswith(b"PK\x03\x04"):
        return f"a binary plan file (or another zip archive), not JSON. {_GIVE}"
    return ""


_TEXTS: Final[tuple[tuple[str, str], ...]] = (
    (
        (
            r"^\s*[\"']?AWSTemplateFormatVersion[\"']?\s*:|^Resources\s*:[\s\S]*?^\s+[\"']?Type[\"']?"
            r"\s*:\s*[\"']?(AWS|Alexa|Custom)::"
        ),
        f"a CloudFormation template (YAML), {_ONLY}",
    ),
    (
        r"^\s*\{\s*\"@level\"",
        f"the log of `terraform plan -json`, which is not the plan. {_GIVE}",
    ),
    (
        r"^(Terraform|OpenTofu) (used|will perform)|^Plan: \d+ to |^No changes\. ",
        f"the plan as Terraform prints it for people. {_GIVE}",
    ),
    (
        r"^\s*(resource|data|module|provider|variable)\s+\"[^\"]+\"[^{}\n]*\{|^\s*terraform\s*\{",
        f"Terraform configuration (HCL), not a plan. {_GIVE}",
    ),
    (
        r"^(name|runtime)\s*:\s*[\s\S]*^(runtime|resources|name)\s*:",
        f"a Pulumi project or program (YAML), {_ONLY}",
    ),
)


def _of_text(text: str) -> str:
    """What a text that is not JSON is; "" if it is not known."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text[:1_000_000])
    found = (said for pattern, said in _TEXTS if re.search(pattern, plain, re.MULTILINE))
    return next(found, "")


def _is_template(document: Document) -> bool:
    resources = document.get("Resources")
    types = (
        [each.get("Type") for each in resources.values() if isinstance(each, dict)]
        if isinstance(resources, dict)
        else []
    )
    named = any(isinstance(each, str) and "::" in each for each in types)
    return "AWSTemplateFormatVersion" in document or named


def _is_change_set(document: Document) -> bool:
    return "ChangeSetName" in document or "ChangeSetId" in document


def _is_assembly(document: Document) -> bool:
    """manifest.json of cdk.out, or one of its lists of assets."""
    version = document.get("version")
    return isinstance(version, str) and ("artifacts" in document or "dockerImages" in document)


def _is_tree(document: Document) -> bool:
    version = document.get("version")
    return isinstance(document.get("tree"), dict) and str(version).startswith("tree-")


def _is_pulumi(document: Document) -> bool:
    steps = isinstance(document.get("steps"), list)
    summary = "changeSummary" in document
    return summary or steps or isinstance(document.get("deployment"), dict)


def _is_state(document: Document) -> bool:
    version = document.get("version")
    return isinstance(version, int) and ("lineage" in document or "terraform_version" in document)


def _is_shown_state(document: Document) -> bool:
    known = {"format_version", "terraform_version", "values", "checks", "timestamp"}
    return "format_version" in document and set(document) <= known


def _is_configuration(document: Document) -> bool:
    keys = {"resource", "data", "module", "provider", "terraform", "variable"}
    return bool(keys & set(document)) and "format_version" not in document


_DOCUMENTS: Final[tuple[tuple[Callable[[Document], bool], str], ...]] = (
    (_is_template, f"a CloudFormation template, {_ONLY}"),
    (_is_change_set, f"a CloudFormation change set, {_ONLY}"),
    (_is_assembly, f"a CDK assembly (cdk.out), {_ONLY}"),
    (_is_tree, f"the construct tree of a CDK app (tree.json), {_ONLY}"),
    (lambda each: isinstance(each.get("app"), str), f"a CDK app's settings (cdk.json), {_ONLY}"),
    (_is_pulumi, f"a Pulumi preview or stack, {_ONLY}"),
    (_is_state, f"a Terraform state file: what exists, not what is planned. {_GIVE}"),
    (
        _is_shown_state,
        (
            "the output of `terraform show -json` for a state, not for a plan: it has no "
            f"`planned_values`. {_GIVE}"
        ),
    ),
    (
        lambda each: "provider_schemas" in each,
        f"the schemas of Terraform providers, not a plan. {_GIVE}",
    ),
    (
        lambda each: "@level" in each and "@message" in each,
        f"the log of `terraform plan -json`, which is not the plan. {_GIVE}",
    ),
    (
        lambda each: "Statement" in each,
        (
            "an IAM policy document, not a plan: give it with --policy FILE (or "
            "--repository-policy, --boundary, --scp)."
        ),
    ),
    (_is_configuration, f"Terraform configuration (JSON), not a plan. {_GIVE}"),
)


def _of_document(document: Document) -> str:
    """What a JSON object that is not a plan is; "" if it is not known."""
    return next((said for is_one, said in _DOCUMENTS if is_one(document)), "")
