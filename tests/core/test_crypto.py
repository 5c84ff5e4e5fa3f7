from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.core import crypto


@given(text=st.binary(max_size=2000), place=st.binary(max_size=100))
def test_what_is_sealed_opens_in_its_place(text: bytes, place: bytes) -> None:
    key = crypto.new_key()
    assert crypto.unseal(key, crypto.seal(key, text, bound_to=place), bound_to=place) == text


@given(text=st.binary(min_size=1, max_size=200), where=st.integers(min_value=0))
def test_one_changed_byte_is_noticed(text: bytes, where: int) -> None:
    key = crypto.new_key()
    sealed = bytearray(crypto.seal(key, text, bound_to=b"here"))
    sealed[where % len(sealed)] ^= 1
    with pytest.raises(crypto.CryptoError):
        crypto.unseal(key, bytes(sealed), bound_to=b"here")


def test_a_value_does_not_open_with_another_key_or_elsewhere() -> None:
    key = crypto.new_key()
    sealed = crypto.seal(key, b"my dog is called bento", bound_to=b"row 1")
    with pytest.raises(crypto.CryptoError):
        crypto.unseal(crypto.new_key(), sealed, bound_to=b"row 1")
    with pytest.raises(crypto.CryptoError):
        crypto.unseal(key, sealed, bound_to=b"row 2")


def test_the_same_text_is_sealed_differently_each_time() -> None:
    key = crypto.new_key()
    assert crypto.seal(key, b"hi", bound_to=b"") != crypto.seal(key, b"hi", bound_to=b"")


@pytest.mark.parametrize("rubbish", [b"", b"\x01", b"\x02" + b"x" * 60, b"\x01" + b"x" * 20])
def test_rubbish_does_not_open(rubbish: bytes) -> None:
    with pytest.raises(crypto.CryptoError):
        crypto.unseal(crypto.new_key(), rubbish, bound_to=b"")


@pytest.mark.parametrize("line", ["", "short", "é" * 44, "A" * 43, "!" * 44])
def test_a_line_that_is_no_key_is_refused(line: str) -> None:
    with pytest.raises(crypto.CryptoError):
        crypto.decode_key(line)


def test_a_key_survives_its_line_of_text() -> None:
    key = crypto.new_key()
    assert crypto.decode_key(crypto.encode_key(key) + "\n") == key
