from django.urls import path

from chatbot.me import account, export_views, import_views, memory, privacy, shelf, views
from chatbot.me.models import ExportForm

app_name = "me"
urlpatterns = [
    path("", views.index, name="index"),
    path("place/", views.place, name="place"),
    path("privacy/", privacy.privacy, name="privacy"),
    path("limits/", privacy.limits, name="limits"),
    path("guardian/", privacy.guardian, name="guardian"),
    path("export/", export_views.export, name="export"),
    path("export/abraco.html", export_views.export_file, {"form": ExportForm.PAGE}, name="export_page"),
    path("export/abraco.json", export_views.export_file, {"form": ExportForm.DATA}, name="export_data"),
    path("memory/", memory.memories, name="memory"),
    path("memory/export/", memory.export, name="memory_export"),
    path("memory/import/", import_views.memory_import, name="memory_import"),
    path("memory/pause/", memory.pause, name="memory_pause"),
    path("memory/undo/", memory.undo, name="memory_undo"),
    path("memory/forget-about/", memory.forget_about, name="memory_forget_about"),
    path("memory/forget-all/", memory.forget_all, name="memory_forget_all"),
    path("memory/<uuid:memory_id>/", memory.correct, name="memory_correct"),
    path("memory/<uuid:memory_id>/forget/", memory.forget, name="memory_forget"),
    path("memory/told/<uuid:message_id>/forget/", memory.forget_told, name="memory_forget_told"),
    path("memory/talks/<uuid:summary_id>/forget/", memory.forget_talk, name="talk_forget"),
    path("shelf/", shelf.shelf, name="shelf"),
    path("shelf/zine.html", shelf.zine, name="zine"),
    path("shelf/words/remove/", shelf.word_remove, name="word_remove"),
    path("shelf/moods/forget/", shelf.moods_forget, name="moods_forget"),
    path("shelf/<uuid:keepsake_id>/remove/", shelf.take_off, name="shelf_remove"),
    path("devices/", account.devices, name="devices"),
    path("devices/others/end/", account.others_end, name="devices_end"),
    path("devices/<str:device_id>/end/", account.device_end, name="device_end"),
    path("delete/", account.delete, name="delete"),
]
