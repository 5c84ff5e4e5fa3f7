"""The map of the house."""

from allauth.account import views as account
from django.urls import include, path

from chatbot.accounts.second_factor_views import CodeAgainView, CodesView, CodeView, NewCodesView, SetUpView
from chatbot.accounts.views import PasswordView, SignInView, SignOutView, SignupView
from chatbot.chat.api import api
from chatbot.chat.api_door import missing as api_missing
from chatbot.core import views as core

urlpatterns = [
    path("", include("chatbot.pages.urls")),
    path("chat/", include("chatbot.chat.urls")),
    path("me/", include("chatbot.me.urls")),
    path("family/", include("chatbot.family.urls")),
    path("widget/v1/", include("chatbot.widget.urls")),
    path("review/", include("moderation.review.urls")),
    path("health", core.health, name="health"),
    path("ready", core.ready, name="ready"),
    path("metrics", core.metrics_page, name="metrics"),
    path("api/v1/", api.urls),
    path("api/<path:rest>", api_missing, name="api_missing"),
    # Of allauth only what a house without e-mail needs: its other pages would be doors that nobody watches.
    path("account/signup/", SignupView.as_view(), name="account_signup"),
    path("account/login/", SignInView.as_view(), name="account_login"),
    path("account/logout/", SignOutView.as_view(), name="account_logout"),
    path("account/inactive/", account.account_inactive, name="account_inactive"),
    path("account/reauthenticate/", account.reauthenticate, name="account_reauthenticate"),
    path("account/password/change/", PasswordView.as_view(), name="account_change_password"),
    path("account/password/set/", account.password_set, name="account_set_password"),
    path("account/second-factor/", SetUpView.as_view(), name="mfa_activate_totp"),
    path("account/second-factor/code/", CodeView.as_view(), name="mfa_authenticate"),
    path("account/second-factor/again/", CodeAgainView.as_view(), name="mfa_reauthenticate"),
    path("account/second-factor/codes/", CodesView.as_view(), name="mfa_view_recovery_codes"),
    path("account/second-factor/codes/new/", NewCodesView.as_view(), name="mfa_generate_recovery_codes"),
    path("account/", include("chatbot.accounts.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
]

handler403 = "chatbot.pages.views.forbidden"
handler404 = "chatbot.pages.views.not_found"
