"""The moving picture of the README, made from the running app: `./run picture`."""
