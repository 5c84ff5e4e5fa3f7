from django.apps import AppConfig


class MeConfig(AppConfig):
    name = "chatbot.me"
    label = "me"

    def ready(self) -> None:
        from chatbot.core.erasure import drops_copies, erases
        from chatbot.me import jobs  # noqa: F401  registers the job and the sweep of this app
        from chatbot.me.exports import copies_drop, person_forget

        erases("me", person_forget)
        drops_copies("me", copies_drop)
