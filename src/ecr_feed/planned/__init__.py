"""Policy files and Terraform plans, made into an account."""
