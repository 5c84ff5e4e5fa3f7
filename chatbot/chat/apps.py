from django.apps import AppConfig


class ChatConfig(AppConfig):
    name = "chatbot.chat"
    label = "chat"

    def ready(self) -> None:
        from chatbot.chat import (
            health,
            jobs,  # noqa: F401  registers the jobs and sweeps of this app
        )
        from chatbot.chat.erase import person_forget
        from chatbot.chat.guard import guard_check
        from chatbot.core.erasure import erases

        erases("chat", person_forget)
        guard_check()
        health.register()
