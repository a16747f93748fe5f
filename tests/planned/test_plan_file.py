"""What is given to --plan, named for what it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ecr_feed.config import ConfigError
from ecr_feed.planned.plan_file import read_plan
from ecr_feed.text.files import Files
from tests.planned.plans import Json, plan, repository, user

YAML = """\
Description: A repository.
Resources:
  App:
    Type: "AWS::ECR::Repository"
"""
SAM = (
    "Transform: AWS::Serverless-2016-10-31\nResources:\n  F:\n    Type: AWS::Serverless::Function\n"
)
TEMPLATE: Json = {"Resources": {"App": {"Type": "AWS::ECR::Repository"}}}
STATE: Json = {"version": 4, "terraform_version": "1.9.5", "lineage": "8c1a", "resources": []}
SHOWN: Json = {"format_version": "1.0", "terraform_version": "1.9.5", "values": {}}
LOG = {"@level": "info", "@message": "Terraform 1.9.5", "type": "version"}
HUMAN = (
    "\x1b[1mTerraform will perform the following actions:\x1b[0m\n\nPlan: 2 to add, 0 to change.\n"
)
NOT_SUPPORTED = "not supported: --plan reads Terraform and OpenTofu plans only"
SHOW = "terraform show -json plan.bin > plan.json"

TEXTS = {
    "template in YAML": (YAML, "CloudFormation template", NOT_SUPPORTED),
    "template with a version": (f"---\nAWSTemplateFormatVersion: 2010-09-09\n{YAML}",
                                "CloudFormation template", NOT_SUPPORTED),
    "SAM": (SAM, "CloudFormation template", NOT_SUPPORTED),
    "log of plan -json": (f"{json.dumps(LOG)}\n{json.dumps(LOG)}\n", "terraform plan -json", SHOW),
    "plan for people": (HUMAN, "as Terraform prints it", SHOW),
    "HCL": ('resource "aws_iam_user" "feed" {\n  name = "octopus"\n}\n', "HCL", SHOW),
    "Pulumi YAML": ("name: shop\nruntime: yaml\nresources:\n  app: {}\n", "Pulumi", NOT_SUPPORTED),
    "nothing known": ("hello", "not JSON", SHOW),
}  # fmt: skip
DOCUMENTS = {
    "template": (TEMPLATE, "CloudFormation template", NOT_SUPPORTED),
    "template without resources of AWS": (
        {"AWSTemplateFormatVersion": "2010-09-09", "Resources": {}},
        "CloudFormation template",
        NOT_SUPPORTED,
    ),
    "change set": ({"ChangeSetName": "x", "Changes": []}, "change set", NOT_SUPPORTED),
    "manifest.json": ({"version": "36.0.0", "artifacts": {}}, "CDK assembly", NOT_SUPPORTED),
    "assets.json": ({"version": "36.0.0", "files": {}, "dockerImages": {}}, "CDK assembly",
                    NOT_SUPPORTED),
    "tree.json": ({"version": "tree-0.1", "tree": {"id": "App"}}, "CDK app", NOT_SUPPORTED),
    "cdk.json": ({"app": "python3 app.py"}, "CDK app", NOT_SUPPORTED),
    "Pulumi preview": ({"config": {}, "steps": []}, "Pulumi", NOT_SUPPORTED),
    "Pulumi stack": ({"version": 3, "deployment": {"manifest": {}}}, "Pulumi", NOT_SUPPORTED),
    "state": (STATE, "state file", SHOW),
    "state shown": (SHOWN, "for a state", SHOW),
    "state shown, empty": ({"format_version": "1.0"}, "for a state", SHOW),
    "schemas": ({"format_version": "1.0", "provider_schemas": {}}, "schemas", SHOW),
    "one line of the log": (LOG, "terraform plan -json", SHOW),
    "policy": ({"Version": "2012-10-17", "Statement": []}, "IAM policy document", "--policy FILE"),
    "configuration": ({"resource": {"aws_iam_user": {}}}, "configuration (JSON)", SHOW),
    "an object": ({"a": 1}, "no `planned_values`", SHOW),
}  # fmt: skip


def said(folder: Path, data: bytes, name: str = "given") -> str:
    (folder / name).write_bytes(data)
    with pytest.raises(ConfigError) as caught:
        read_plan(name, Files(folder))
    text = str(caught.value)
    assert text.startswith(f"{name}: ")
    return text


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_is_named_for_what_it_is(tmp_path: Path, name: str) -> None:
    text, what, instead = TEXTS[name]
    found = said(tmp_path, text.encode())
    assert what in found
    assert instead in found


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_named_for_what_it_is(tmp_path: Path, name: str, encoding: str) -> None:
    document, what, instead = DOCUMENTS[name]
    found = said(tmp_path, json.dumps(document, indent=1).encode(encoding))
    assert what in found
    assert instead in found


def test_a_binary_plan_is_named(tmp_path: Path) -> None:
    found = said(tmp_path, b"PK\x03\x04\x14\x00\x08\x00tfplan\xff\xfe")
    assert "binary plan file" in found
    assert SHOW in found


@pytest.mark.parametrize("data", [b"[]", b"1", b"null"])
def test_other_json_is_not_a_plan(tmp_path: Path, data: bytes) -> None:
    assert "no `planned_values`" in said(tmp_path, data)


def test_a_folder_may_be_an_assembly(tmp_path: Path) -> None:
    (tmp_path / "cdk.out").mkdir()
    with pytest.raises(ConfigError, match="CDK"):
        read_plan("cdk.out", Files(tmp_path))


def test_a_plan_is_read_whatever_else_it_holds(tmp_path: Path) -> None:
    document = plan(repository("team/app"), user(), Resources={"x": {"Type": "AWS::S3::Bucket"}})
    (tmp_path / "plan.json").write_text(json.dumps(document), encoding="utf-16")
    assert read_plan("plan.json", Files(tmp_path)) == document
