"""What `run` opens: setting a checkout up, starting it, testing it, pinning it. Standard library only.

These modules run before anything has been installed, so they import nothing of the apps, and no app imports them.
"""
