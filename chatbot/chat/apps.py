from django.apps import AppConfig


class ChatConfig(AppConfig):
    name = "chatbot.chat"
    label = "chat"

    def ready(self) -> None:
        from chatbot.chat import jobs  # noqa: F401  registers the jobs and sweeps of this app
