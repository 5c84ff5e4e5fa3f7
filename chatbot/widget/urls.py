from __future__ import annotations

from django.urls import path

from chatbot.widget import views

app_name = "widget"
urlpatterns = [
    path("loader.js", views.loader, name="loader"),
    path("frame/<str:public_key>/", views.frame, name="frame"),
    path("ticket", views.ticket, name="ticket"),
    path("forget", views.forget, name="forget"),
]
