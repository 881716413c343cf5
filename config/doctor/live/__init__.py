"""`manage.py doctor --live`: a short talk with each model of the ladders, held against what Holdline believes of it."""
