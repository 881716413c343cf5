"""A picture of every page and state of the running app, in every size and light: `./run screenshots`."""
