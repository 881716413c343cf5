"""Refusing to serve with a wrong set-up."""

from django.core.checks import CheckMessage, run_checks

from config.env import refuse


def refuse_failed_checks() -> None:
    """Run the system checks; end the process with their sentences and ids on stderr if any is an error.

    `manage.py` does so before every command; a server that imports the application does not.
    """
    errors = [message for message in run_checks() if message.is_serious() and not message.is_silenced()]
    if errors:
        refuse(map(_sentence, errors))


def _sentence(message: CheckMessage) -> str:
    return " ".join(filter(None, (f"{message.id}:", message.msg, message.hint)))
