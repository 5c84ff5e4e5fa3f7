from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "chatbot.accounts"
    label = "accounts"

    def ready(self) -> None:
        from chatbot.accounts.guardianship import links_end
        from chatbot.core.erasure import erases
        from chatbot.core.gone import gone_kind

        erases("accounts", links_end)
        from chatbot.accounts import devices, erasure, second_factor  # noqa: F401  register the sign-in note and the sweep

        gone_kind("person", again=erasure.erasures_again, known=erasure.erasures_known)
