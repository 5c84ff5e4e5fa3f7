"""People: who they are to the house, never their birth date, e-mail or real name."""

from __future__ import annotations

import uuid

from django.contrib.auth.models import AbstractUser
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models

from chatbot.accounts.bands import BANDS
from chatbot.accounts.sign_ins import SessionStore
from chatbot.core import clock
from chatbot.core.ids import new_id


class Role(models.TextChoices):
    TEEN = "teen"
    GUARDIAN = "guardian"
    MODERATOR = "moderator"
    OPERATOR = "operator"


class User(AbstractUser):
    """Anybody who signs in. `band` is empty for staff and guardians, who don't chat."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    first_name = None  # type: ignore[assignment]  # not asked for, so not a column
    last_name = None  # type: ignore[assignment]  # not asked for, so not a column
    email = models.EmailField(blank=True)
    role = models.CharField(max_length=12, choices=Role.choices, default=Role.TEEN)
    band = models.CharField(max_length=6, blank=True, choices=[(band, band) for band in BANDS])
    band_until = models.DateField(null=True, blank=True)
    country = models.CharField(max_length=2, blank=True)
    region = models.CharField(max_length=6, blank=True)
    time_zone = models.CharField(max_length=64, default="UTC")
    language = models.CharField(max_length=8, default="en")
    date_joined = models.DateTimeField(default=clock.now)
    deal_confirmed_at = models.DateTimeField(null=True, blank=True)
    locked_at = models.DateTimeField(null=True, blank=True)
    recovery_digest = models.CharField(max_length=128, blank=True)
    throw_away = models.BooleanField(default=False)

    @property
    def key_owner_id(self) -> uuid.UUID:
        return self.id


class GuardianshipState(models.TextChoices):
    """invited (one of the two has still to say yes) -> active -> ended. One that is declined is ended too."""

    INVITED = "invited"
    ACTIVE = "active"
    ENDED = "ended"


class Guardianship(models.Model):
    """A guardian and a teen, linked once both have agreed.

    `waits_for` is who has still to say yes (a role). `consented_at`: the guardian said yes to the chat; it counts from
    the day on which the link is active. `withdrawn_at`: they took that yes back, and the chat is closed.
    `end_asked_at`: a teen under 16 asked for the end; the guardian confirms it. `ended_by` is a role.
    """

    id = models.UUIDField(primary_key=True, default=new_id)
    teen = models.ForeignKey(User, on_delete=models.CASCADE, related_name="guardianships")
    guardian = models.ForeignKey(User, on_delete=models.CASCADE, related_name="wards")
    state = models.CharField(max_length=8, choices=GuardianshipState.choices, default=GuardianshipState.INVITED)
    since = models.DateTimeField(default=clock.now)
    waits_for = models.CharField(max_length=12, choices=Role.choices, blank=True)
    consented_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    end_asked_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=12, choices=Role.choices, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["teen", "guardian"], name="one_link_a_pair")]

    def __str__(self) -> str:
        return f"{self.guardian_id} for {self.teen_id}"


class LinkCode(models.Model):
    """A one-time code by which a guardian and a teen find each other. Only its digest is kept."""

    id = models.UUIDField(primary_key=True, default=new_id)
    maker = models.ForeignKey(User, on_delete=models.CASCADE, related_name="link_codes")
    digest = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"code of {self.maker_id}"


class AlertKind(models.TextChoices):
    """What a guardian is told: never more than what they need in order to act."""

    PERSON = "person"
    MEDICAL = "medical"
    AWAY = "away"


class GuardianAlert(models.Model):
    """That a guardian is asked to look after their teen now. Holds no word of the chat, and no category of it.

    `held`: not for the guardian's eyes, since home may be the danger; staff have it (4.9).
    `mailed_at`: when they were told, by a mail that went out or by their own page; not before, since until then it can
    be held back. `seen_at`: they said that they are on it.
    """

    id = models.UUIDField(primary_key=True, default=new_id)
    link = models.ForeignKey(Guardianship, on_delete=models.CASCADE, related_name="alerts")
    incident_id = models.UUIDField()
    kind = models.CharField(max_length=8, choices=AlertKind.choices)
    held = models.BooleanField(default=False)
    at = models.DateTimeField(default=clock.now)
    seen_at = models.DateTimeField(null=True, blank=True)
    mailed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["link", "incident_id"], name="one_alert_an_incident")]

    def __str__(self) -> str:
        return f"alert about {self.link_id}"


class ConsentKind(models.TextChoices):
    CHAT = "chat"


class Consent(models.Model):
    """That somebody who may, agreed to something for this person. Withdrawn in one step.

    `link`: it was a linked guardian, and their yes ends with the link.
    """

    id = models.UUIDField(primary_key=True, default=new_id)
    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="consents")
    kind = models.CharField(max_length=16, choices=ConsentKind.choices)
    version = models.CharField(max_length=16)
    method = models.CharField(max_length=64)
    given_by = models.CharField(max_length=64)
    link = models.ForeignKey(Guardianship, on_delete=models.SET_NULL, null=True, blank=True, related_name="consents")
    at = models.DateTimeField(default=clock.now)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.kind} for {self.person_id}"


class TimeLimits(models.Model):
    """Quiet hours and minutes a day, in the person's own time zone. No row means the defaults of the band.

    `memory_off` and `skills_off` (names) are switches of somebody else (guardian, operator), `memory_paused` is the
    person's own: each is lifted only by who set it. `set_by` is the role of who set the others; empty for the house.
    """

    person = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="time_limits")
    quiet_from = models.TimeField(null=True, blank=True)
    quiet_to = models.TimeField(null=True, blank=True)
    minutes_a_day = models.PositiveSmallIntegerField(null=True, blank=True)
    memory_off = models.BooleanField(default=False)
    skills_off = models.JSONField(default=list)
    memory_paused = models.BooleanField(default=False)
    set_by = models.CharField(max_length=12, choices=Role.choices, blank=True)

    def __str__(self) -> str:
        return f"limits of {self.person_id}"


class UsageDay(models.Model):
    """Seconds talked on one local day, and the run of continuous use that the break reminder counts."""

    id = models.UUIDField(primary_key=True, default=new_id)
    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="usage_days")
    day = models.DateField()
    seconds = models.PositiveIntegerField(default=0)
    turns = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "day"], name="one_row_a_day")]

    def __str__(self) -> str:
        return f"{self.person_id} on {self.day}"


class Presence(models.Model):
    """The run of continuous use: survives reconnects and a change of device (R5, R6)."""

    person = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="presence")
    run_from = models.DateTimeField()
    last_at = models.DateTimeField()
    reminded_at = models.DateTimeField(null=True, blank=True)
    break_open = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"presence of {self.person_id}"


class RecoveryLink(models.Model):
    """A one-use way back in, made by the operator. Only the digest of its secret is kept."""

    id = models.UUIDField(primary_key=True, default=new_id)
    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="recovery_links")
    digest = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"recovery of {self.person_id}"


class ErasureReason(models.TextChoices):
    ASKED = "asked"
    UNDER_13 = "under_13"
    GUARDIAN = "guardian"


class ErasureRequest(models.Model):
    """That a person is to be erased, and when. No foreign key: it outlives the account until nothing is left.

    `erased_at` is when the rows went; the sweep goes over them once more before the request itself goes. `asked_by` is
    the guardian who asked, where it was one (R30).
    """

    person_id = models.UUIDField(primary_key=True)
    reason = models.CharField(max_length=8, choices=ErasureReason.choices)
    asked_at = models.DateTimeField(default=clock.now)
    due_at = models.DateTimeField()
    asked_by = models.UUIDField(null=True, blank=True)
    erased_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"erasure of {self.person_id}"


class SignIn(AbstractBaseSession):
    """A browser's session, with whose it is: nobody's until somebody signs in. No foreign key: it ends by itself."""

    person_id = models.UUIDField(null=True, blank=True, db_index=True)

    @classmethod
    def get_session_store_class(cls) -> type[SessionStore]:
        return SessionStore
