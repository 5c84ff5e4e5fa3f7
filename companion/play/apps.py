from django.apps import AppConfig


class PlayConfig(AppConfig):
    name = "companion.play"
    label = "play"

    def ready(self) -> None:
        from chatbot.core.erasure import erases
        from companion.play import services

        erases("play", services.person_forget)
