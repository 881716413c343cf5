"""`manage.py doctor`: what is well and what is not with a server, in a line for each thing, and what to do."""
