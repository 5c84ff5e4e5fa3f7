from django.apps import AppConfig


class MeConfig(AppConfig):
    name = "chatbot.me"
    label = "me"

    def ready(self) -> None:
        from chatbot.core.erasure import erases
        from chatbot.me import jobs  # noqa: F401  registers the job and the sweep of this app
        from chatbot.me.exports import person_forget

        erases("me", person_forget)
