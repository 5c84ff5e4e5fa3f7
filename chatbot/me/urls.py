from django.urls import path

from chatbot.me import account, memory, views

app_name = "me"
urlpatterns = [
    path("", views.index, name="index"),
    path("place/", views.place, name="place"),
    path("export/", views.export, name="export"),
    path("memory/", memory.memories, name="memory"),
    path("memory/export/", memory.export, name="memory_export"),
    path("memory/pause/", memory.pause, name="memory_pause"),
    path("memory/forget-all/", memory.forget_all, name="memory_forget_all"),
    path("memory/<uuid:memory_id>/", memory.correct, name="memory_correct"),
    path("memory/<uuid:memory_id>/forget/", memory.forget, name="memory_forget"),
    path("devices/", account.devices, name="devices"),
    path("devices/others/end/", account.others_end, name="devices_end"),
    path("devices/<str:device_id>/end/", account.device_end, name="device_end"),
    path("delete/", account.delete, name="delete"),
]
