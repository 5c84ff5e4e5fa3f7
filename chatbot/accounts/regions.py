"""Regions as data: where people under 18 may chat, and from which age they may agree alone (R1, R2, R20-R22)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

RegionPolicy = Literal["allow", "plain_mode", "adults_only", "block"]
_Shipped = Literal["allow", "plain_mode", "adults_only", "block", "ask"]
POLICIES: tuple[RegionPolicy, ...] = ("allow", "plain_mode", "adults_only", "block")


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    policy: _Shipped
    consent_age: int = Field(ge=13, le=18)
    guardian_until: int | None = Field(default=None, ge=13, le=18)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    policy: _Shipped


class RegionTable(BaseModel):
    """regions.yaml, checked."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    version: str
    unknown: _Row
    countries: Mapping[str, _Row]
    regions: Mapping[str, _Part]


@cache
def table() -> RegionTable:
    """The shipped table. A broken file raises at once: nobody should be let in by a typo."""
    text = (Path(__file__).parent / "regions.yaml").read_text(encoding="utf-8")
    return RegionTable.model_validate(yaml.safe_load(text))


def consent_age(country: str) -> int:
    """From which age a person there may agree alone; unknown countries count 16."""
    return table().countries.get(country, table().unknown).consent_age


def guardian_until(country: str) -> int | None:
    """Up to and including which age an account needs a linked guardian there, if any."""
    return table().countries.get(country, table().unknown).guardian_until


def region_policy(*, country: str, region: str, chosen: Mapping[str, str]) -> RegionPolicy | None:
    """What holds for people under 18 there; None until the operator has chosen.

    `chosen` maps a country, a region or "*" to the operator's policy. What ships as `block` stays so unless that very
    region (or country) is named.
    """
    shipped_part = table().regions.get(region)
    shipped = table().countries.get(country, table().unknown)
    for name, fixed in ((region, shipped_part), (country, shipped)):
        if name in chosen and chosen[name] in POLICIES:
            return chosen[name]  # type: ignore[return-value]  # checked in this line against POLICIES
        if fixed is not None and fixed.policy != "ask":
            return fixed.policy
    every = chosen.get("*")
    return every if every in POLICIES else None
