"""Account files, and the seeder that fills an account from one."""
