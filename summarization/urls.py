"""Routes of the history pages."""

from django.urls import path

from summarization import views

urlpatterns = [
    path("files/<uuid:id>/write-down/", views.write_down, name="write-file-down"),
    path("text/chats/", views.chats_page, name="chats"),
    path("text/chats/<uuid:id>/pin/", views.pin_chat, name="pin-chat"),
    path("text/chats/<uuid:id>/rename/", views.rename_chat, name="rename-chat"),
    path("history/", views.history_page, name="history"),
    path("history/delete-all/", views.delete_all, name="delete-all-conversations"),
    path("history/<uuid:id>/", views.conversation_page, name="conversation"),
    path("history/<uuid:id>/rename/", views.rename, name="rename-conversation"),
    path("history/<uuid:id>/delete/", views.delete, name="delete-conversation"),
    path("history/<uuid:id>/summarise/", views.summarise, name="summarise-conversation"),
    path("history/<uuid:id>/export.md", views.export_markdown, name="export-markdown"),
    path("history/<uuid:id>/export.json", views.export_json, name="export-json"),
]
