from django.urls import path

from chatbot.pages import views

app_name = "pages"
urlpatterns = [
    path("", views.landing, name="landing"),
    path("help/", views.help_now, name="help"),
    path("leave/", views.leave, name="leave"),
    path("about/", views.about, name="about"),
    path("safety/", views.safety, name="safety"),
    path("sw.js", views.worker, name="worker"),
]
