"""`manage.py site`: which sites may show the companion. The secret is printed once, and only here."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from chatbot.accounts.bands import BANDS
from chatbot.core.keys import MasterKeyError
from chatbot.widget import services, sites
from chatbot.widget.loader import loader
from chatbot.widget.models import Site
from companion.types import LANGUAGES


class Command(BaseCommand):
    help = "Add, list, change or remove sites that may show the companion; print the loader's hash."

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--add", metavar="NAME", help="a new site; needs --origin")
        what.add_argument("--list", action="store_true", help="every site")
        what.add_argument("--rotate", metavar="KEY", help="a new secret; the one before stays live until the next time")
        what.add_argument("--change", metavar="KEY", help="other origins, or whether the host's consents count")
        what.add_argument("--remove", metavar="KEY", help="the site shows nothing any more, at once")
        what.add_argument("--older", nargs=3, metavar=("KEY", "SUB", "BAND"), help="a visitor grew into another band")
        what.add_argument("--loader", action="store_true", help="the loader's hash, for the script tag")
        parser.add_argument("--origin", action="append", help="https://school.example; several times for several")
        parser.add_argument("--webview", action="store_true", help="an app's own web view may open the page too")
        parser.add_argument("--language", action="append", choices=LANGUAGES, help="all four if none is named")
        parser.add_argument("--accent", default="honey")
        parser.add_argument(
            "--host-consents", choices=("yes", "no"), help="whether this host collects guardians' consent (R21)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._do(options)
        except (sites.SiteError, MasterKeyError) as error:
            raise CommandError(str(error)) from error

    def _do(self, options: dict[str, Any]) -> None:
        origins = (options["origin"] or []) + ([sites.WEBVIEW] if options["webview"] else [])
        consents = None if options["host_consents"] is None else options["host_consents"] == "yes"
        if options["add"]:
            made = sites.site_add(
                name=options["add"], origins=origins, languages=options["language"] or (), accent=options["accent"],
                host_consents=bool(consents),
            )  # fmt: skip
            self._secret(made)
        elif options["rotate"]:
            self._secret(sites.site_rotate(self._site(options["rotate"])))
        elif options["change"]:
            self._row(sites.site_change(self._site(options["change"]), origins=origins or None, host_consents=consents))
        elif options["remove"]:
            count = sites.site_remove(self._site(options["remove"]))
            self.stdout.write(f"Removed. Visitors without a way in now: {count}. What they said goes by its own time.")
        elif options["older"]:
            self._older(*options["older"])
        elif options["loader"]:
            self.stdout.write(f"{loader().integrity}\n{len(loader().packed)} bytes packed")
        else:
            found = list(sites.sites_all())
            for site in found:
                self._row(site)
            if not found:
                self.stdout.write("No site yet: `manage.py site --add NAME --origin https://school.example`.")

    def _site(self, key: str) -> Site:
        site = sites.site_by_key(key)
        if site is None:
            raise CommandError(f"There is no site {key}. `manage.py site --list` shows all of them.")
        return site

    def _older(self, key: str, sub: str, band: str) -> None:
        found = next((one for one in BANDS if one == band), None)
        if found is None:
            raise CommandError(f"A band is one of {', '.join(BANDS)}.")
        if not services.visitor_older(self._site(key), sub=sub, band=found):
            raise CommandError("This site has no visitor of that name.")
        self.stdout.write(f"From now on {band}.")

    def _secret(self, made: sites.NewSecret) -> None:
        self.stdout.write(f"site    {made.site.public_key}\nsecret  {made.secret}")
        self.stdout.write("The secret is shown this once. It belongs on the host's server, never in a page.")

    def _row(self, site: Site) -> None:
        marks = " host-consents" if site.host_consents else ""
        count = sites.visitors_count(site)
        self.stdout.write(f"{site.public_key}  {site.name}  {' '.join(site.origins)}  visitors {count}{marks}")
