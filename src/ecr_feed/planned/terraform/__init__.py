"""`terraform show -json PLAN` -> an account file: the account as it will be."""

from ecr_feed.planned.terraform.planned_account import account_from_plan

__all__ = ["account_from_plan"]
