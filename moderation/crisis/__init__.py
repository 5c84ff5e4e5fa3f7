"""The written crisis flow: what is said in danger, by people, with the helplines of the person's country."""

from moderation.crisis.cards import help_card
from moderation.crisis.flow import CrisisAnswer, answer, line, offers, playbook_answer, way_out
from moderation.crisis.helplines import CardLine, HelpCard, emergency_of, region_ready, signups_stopped, verified_put

__all__ = [
    "CardLine", "CrisisAnswer", "HelpCard", "answer", "emergency_of", "help_card", "line", "offers",
    "playbook_answer", "region_ready", "signups_stopped", "verified_put", "way_out",
]  # fmt: skip
