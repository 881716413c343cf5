"""The mail with which somebody who has forgotten their password sets a new one."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

from django.conf import settings
from django.contrib.auth.forms import PasswordResetForm
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.utils import translation

from sessions_app.background import BackgroundThread
from sessions_app.user_settings import service

logger = logging.getLogger(__name__)

WAITING_LIMIT = 100
"""Mails that wait for a mail server that takes none; more are dropped."""

_thread = BackgroundThread("reset-mails", WAITING_LIMIT)


def send_later(address: str, host: str, *, is_secure: bool) -> None:
    """Send a mail to the accounts with this address, if there are any, when the request is over. Returns at once.

    Whether an address is known is looked up there as well, so that neither the answer nor its time tells.

    Args:
        address: as it was typed, and found to be one.
        host: under which the request came; it is one of `ALLOWED_HOSTS`, and the link leads there.
        is_secure: whether the link is to be HTTPS.
    """
    _thread.put(partial(_send_in, translation.get_language(), address, host, is_secure))


def _send_in(language: str | None, address: str, host: str, is_secure: bool) -> None:
    """In the language of the page on which it was asked for, where an account has chosen none."""
    with translation.override(language):
        send(address, host, is_secure)


def send(address: str, host: str, is_secure: bool) -> None:
    """As `send_later`, and waits until the mail server has taken it."""
    form = ResetMailForm({"email": address})
    if form.is_valid():
        form.save(
            domain_override=host,
            use_https=is_secure,
            subject_template_name="account/reset_subject.txt",
            email_template_name="account/reset_mail.txt",
            extra_email_context={"valid_minutes": str(settings.PASSWORD_RESET_TIMEOUT // 60)},
        )


class ResetMailForm(PasswordResetForm):
    """Django's, whose errors may quote the address in the log; ours do not."""

    def send_mail(
        self,
        subject_template_name: str,
        email_template_name: str,
        context: dict[str, Any],
        from_email: str | None,
        to_email: str,
        html_email_template_name: str | None = None,
    ) -> None:
        chosen = service.settings_for(context["user"].pk).page_language
        with translation.override(chosen if chosen in dict(settings.LANGUAGES) else translation.get_language()):
            subject = render_to_string(subject_template_name, context).strip()
            body = render_to_string(email_template_name, context)
        try:
            EmailMessage(subject, body, from_email, [to_email]).send()
        except Exception as error:  # mail servers refuse in many ways, and none of them is worth a traceback
            logger.error("a mail for a new password was not taken by the mail server: %s", type(error).__name__)
