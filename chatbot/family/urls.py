from django.urls import path

from chatbot.family import joining, views

app_name = "family"
urlpatterns = [
    path("", views.index, name="index"),
    path("join/", joining.join, name="join"),
    path("code/", joining.code, name="code"),
    path("code/make/", joining.code_make, name="code_make"),
    path("code/enter/", joining.code_enter, name="code_enter"),
    path("requests/<uuid:link_id>/", joining.answer, name="answer"),
    path("links/<uuid:link_id>/end/", joining.link_end, name="link_end"),
    path("alerts/<uuid:alert_id>/", views.alert_see, name="alert_see"),
    path("mail/", views.mail, name="mail"),
    path("<uuid:teen_id>/", views.teen, name="teen"),
    path("<uuid:teen_id>/limits/", views.limits, name="limits"),
    path("<uuid:teen_id>/consent/", views.consent, name="consent"),
    path("<uuid:teen_id>/delete/", views.delete, name="delete"),
]
