from __future__ import annotations

import uuid

from chatbot.core.ids import new_id


def moment(value: uuid.UUID) -> int:
    return value.int >> 80


def test_an_id_after_another_is_larger_whatever_the_clocks_say() -> None:
    ahead = uuid.UUID(int=new_id().int + (3_600_000 << 80))  # made by a machine whose clock is an hour ahead
    last = ahead
    for _ in range(1000):
        made = new_id(after=last)
        assert made > last
        assert (made.version, made.variant) == (7, uuid.RFC_4122)
        last = made
    assert moment(last) == moment(ahead)


def test_after_an_older_one_it_is_as_fresh_as_any() -> None:
    old, now = new_id(), new_id()
    assert moment(new_id(after=old)) >= moment(now)


def test_where_no_number_is_left_in_a_millisecond_the_next_one_is_taken() -> None:
    ahead = new_id().int + (3_600_000 << 80)
    full = uuid.UUID(int=ahead >> 80 << 80 | 7 << 76 | 0xFFF << 64 | 0b10 << 62 | (1 << 62) - 1)
    made = new_id(after=full)
    assert made > full
    assert (made.version, made.variant, moment(made)) == (7, uuid.RFC_4122, moment(full) + 1)
