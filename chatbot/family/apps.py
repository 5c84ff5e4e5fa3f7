from django.apps import AppConfig


class FamilyConfig(AppConfig):
    name = "chatbot.family"
    label = "family"
