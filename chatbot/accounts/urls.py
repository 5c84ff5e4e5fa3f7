from django.urls import path

from chatbot.accounts import views

app_name = "accounts"
urlpatterns = [
    path("recovery-code/", views.recovery_code, name="recovery_code"),
    path("recover/", views.recover, name="recover"),
    path("recover/<str:secret>/", views.recover_link, name="recover_link"),
    path("deal/", views.deal, name="deal"),
    path("unlock/", views.unlock, name="unlock"),
]
