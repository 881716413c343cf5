"""The operator's page in the admin: what is live, and how the line does."""
