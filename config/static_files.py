"""Static files under names that hold their hash, so that browsers may keep them for ever."""

from django.contrib.staticfiles.storage import StaticFilesStorage
from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticFiles(CompressedManifestStaticFilesStorage):
    """Hashed and compressed names once `collectstatic` has run, plain names before.

    Plain names let tests and a fresh checkout serve pages without a build step.
    """

    support_js_module_import_aggregation = True
    max_post_process_passes = 20
    """A name settles once those of all that a script imports have: as many passes as imports follow on one another, and
    one more. Django gives up after five."""

    def url(self, name: str | None, force: bool = False) -> str:
        if not self.hashed_files and not force:
            return StaticFilesStorage.url(self, name)
        return super().url(name, force)
