"""Routes of the whole site."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from config.csp_reports import csp_reports
from config.health import healthz, readyz
from config.line_page.views import line_page
from config.manifest import favicon, manifest
from config.translations.views import words
from sessions_app.live.providers.upstream import Upstream
from sessions_app.views import operator_login
from sessions_app.voice_samples.urls import voice_sample_urls


def live_upstream() -> Upstream:
    """The provider of this process, which only web processes need to have put together."""
    from config.composition import upstream

    return upstream


handler500 = "config.error_pages.own_fault"

urlpatterns = [
    path("favicon.ico", favicon, name="favicon"),
    path("manifest.webmanifest", manifest, name="manifest"),
    path("words/<slug:language>.<slug:version>.js", words, name="words"),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    # Operators have the doors that everybody has, with their limits.
    path("admin/login/", operator_login),
    path("admin/password_change/", RedirectView.as_view(pattern_name="change-password")),
    path("admin/password_change/done/", RedirectView.as_view(pattern_name="account")),
    path("csp-reports/", csp_reports, name="csp-reports"),
    path("admin/line/", admin.site.admin_view(line_page), name="line-page"),
    path("admin/", admin.site.urls),
    path("", include("sessions_app.urls")),
    path("", include("sessions_app.accounts.urls")),
    path("", include("sessions_app.auth_tokens.urls")),
    path("", include("sessions_app.recordings.urls")),
    path("", include("sessions_app.session_page.urls")),
    path("", include("sessions_app.user_settings.urls")),
    path("", include(voice_sample_urls(live_upstream))),
    path("", include("summarization.urls")),
]
