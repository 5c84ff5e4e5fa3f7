from django.apps import AppConfig


class ProfileConfig(AppConfig):
    name = "companion.profile"
    label = "profile"
