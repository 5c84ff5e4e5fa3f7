from django.apps import AppConfig


class PlayConfig(AppConfig):
    name = "companion.play"
    label = "play"

    def ready(self) -> None:
        from chatbot.core.erasure import erases
        from chatbot.core.gone import gone_kind
        from companion.play import services

        erases("play", services.person_forget)
        gone_kind(services.GONE, again=services.keepsakes_remove_again)
