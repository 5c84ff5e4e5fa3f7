from django.urls import path

from moderation.review import views

app_name = "review"
urlpatterns = [
    path("", views.queue, name="queue"),
    path("stop/", views.stop, name="stop"),
    path("stopped/", views.stopped, name="stopped"),
    path("<uuid:incident_id>/", views.incident, name="incident"),
    path("<uuid:incident_id>/claim/", views.claim, name="claim"),
    path("<uuid:incident_id>/excerpt/", views.excerpt, name="excerpt"),
    path("<uuid:incident_id>/decide/", views.decide, name="decide"),
    path("<uuid:incident_id>/release/", views.release, name="release"),
    path("<uuid:incident_id>/undo/", views.undo, name="undo"),
    path("<uuid:incident_id>/home-safe/", views.home_safe, name="home_safe"),
]
