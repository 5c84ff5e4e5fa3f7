from django.apps import AppConfig


class MeConfig(AppConfig):
    name = "chatbot.me"
    label = "me"
