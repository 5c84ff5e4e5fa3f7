"""The countries and parts of countries that sign-up offers. Names come from the translations."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from chatbot.accounts.regions import table

NAMES = {
    "AR": _("Argentina"), "AT": _("Austria"), "AU": _("Australia"), "BE": _("Belgium"), "BG": _("Bulgaria"),
    "BR": _("Brazil"), "CA": _("Canada"), "CH": _("Switzerland"), "CL": _("Chile"), "CN": _("China"),
    "CO": _("Colombia"), "CY": _("Cyprus"), "CZ": _("Czechia"), "DE": _("Germany"), "DK": _("Denmark"),
    "EE": _("Estonia"), "ES": _("Spain"), "FI": _("Finland"), "FR": _("France"), "GB": _("United Kingdom"),
    "GR": _("Greece"), "HR": _("Croatia"), "HU": _("Hungary"), "IE": _("Ireland"), "IN": _("India"), "IT": _("Italy"),
    "JP": _("Japan"), "LT": _("Lithuania"), "LU": _("Luxembourg"), "LV": _("Latvia"), "MT": _("Malta"),
    "MX": _("Mexico"), "NL": _("Netherlands"), "NZ": _("New Zealand"), "PL": _("Poland"), "PT": _("Portugal"),
    "RO": _("Romania"), "SE": _("Sweden"), "SI": _("Slovenia"), "SK": _("Slovakia"), "US": _("United States"),
    "ZA": _("South Africa"),
}  # fmt: skip
ELSEWHERE = "ZZ"
# Only where the part of a country changes what may be offered.
REGIONS = {
    "US-NY": pgettext_lazy("state", "New York"),
    "CA-MB": pgettext_lazy("province", "Manitoba"),
}


def country_choices() -> list[tuple[str, str]]:
    """Every country of the region table, by its name in the reader's language, and 'somewhere else' last."""
    named = sorted(((code, str(NAMES[code])) for code in table().countries), key=lambda pair: pair[1])
    return [("", str(_("Choose…"))), *named, (ELSEWHERE, str(_("Somewhere else")))]


def region_choices() -> list[tuple[str, str]]:
    """Parts of countries with rules of their own; the empty choice means any other part."""
    return [("", str(_("Any other part"))), *((code, str(name)) for code, name in REGIONS.items())]
