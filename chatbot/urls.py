"""The map of the house."""

from django.urls import include, path

from chatbot.accounts.views import SignupView
from chatbot.core import views as core

urlpatterns = [
    path("health", core.health, name="health"),
    path("ready", core.ready, name="ready"),
    path("account/signup/", SignupView.as_view(), name="account_signup"),
    path("account/", include("allauth.account.urls")),
    path("account/", include("chatbot.accounts.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
]
