from django.apps import AppConfig


class ProfileConfig(AppConfig):
    name = "companion.profile"
    label = "profile"

    def ready(self) -> None:
        from chatbot.core.erasure import erases
        from companion.profile import services

        erases("profile", services.companion_forget)
