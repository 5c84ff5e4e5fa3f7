from django.apps import AppConfig


class MemoryConfig(AppConfig):
    name = "companion.memory"
    label = "memory"

    def ready(self) -> None:
        from chatbot.core.erasure import erases
        from companion.memory import services

        erases("memory", services.person_forget)
