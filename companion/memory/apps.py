from django.apps import AppConfig


class MemoryConfig(AppConfig):
    name = "companion.memory"
    label = "memory"

    def ready(self) -> None:
        from chatbot.core.erasure import erases
        from chatbot.core.gone import gone_kind
        from companion.memory import services, summaries

        erases("memory", services.person_forget)
        erases("summaries", summaries.person_forget)
        gone_kind(services.GONE, again=services.memories_forget_again)
        gone_kind(summaries.GONE, again=summaries.summaries_forget_again)
