"""Routes of recordings."""

from django.urls import path

from sessions_app.recordings import api, pages, sound

urlpatterns = [
    path("files/", pages.files, name="files"),
    path("files/<uuid:id>/", pages.recording_page, name="file"),
    path("files/<uuid:id>/passages/", pages.passages, name="file-passages"),
    path("files/<uuid:id>/rename/", pages.rename, name="rename-file"),
    path("files/<uuid:id>/delete/", pages.delete, name="delete-file"),
    path("files/<uuid:id>/delete-at-google/", pages.delete_at_google, name="delete-file-at-google"),
    path("api/recordings/", api.recordings_view, name="recordings"),
    path("api/recordings/uploads/", api.uploads_view, name="recording-uploads"),
    path("api/recordings/uploads/<uuid:id>/", api.upload_view, name="recording-upload"),
    path("api/recordings/<uuid:id>/", api.recording_view, name="recording"),
    path("api/recordings/<uuid:id>/at-google/", api.at_google_view, name="recording-at-google"),
    path("api/recordings/<uuid:id>/attach/", api.attach_view, name="attach-recording"),
    path("api/recordings/<uuid:id>/detach/", api.detach_view, name="detach-recording"),
    path("recordings/<uuid:id>/sound/", sound.sound_view, name="recording-sound"),
]
