"""From the output of `terraform show -json` to an account file: the account after apply."""

from ecr_feed.planned.terraform.planned_account import account_from_plan

__all__ = ["account_from_plan"]
