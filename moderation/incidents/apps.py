from django.apps import AppConfig


class IncidentsConfig(AppConfig):
    name = "moderation.incidents"
    label = "incidents"
