"""Payloads in Temporal: sealed, bound to their namespace, their key found by its id."""

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.client import Client
from temporalio.exceptions import ApplicationError

from adapters.aead import RecordKey, Undecipherable, new_key
from adapters.temporal import LARGEST_PAYLOAD, Telegram, TelegramRefused, Telegraph
from adapters.temporal_codec import ENCODING, InstallationCodec, data_converter_of

CANARY = "canary-7f3a"


@dataclass(slots=True)
class Keys:
    """Two installation keys, the second of which seals; `asked` is what had to be looked up."""

    new: RecordKey = field(default_factory=lambda: RecordKey(2, new_key()))
    old: RecordKey = field(default_factory=lambda: RecordKey(1, new_key()))
    asked: list[int] = field(default_factory=list)

    def current(self) -> RecordKey:
        """The second key."""
        return self.new

    async def by_number(self, number: int) -> RecordKey:
        """A key, by its number only."""
        self.asked.append(number)
        known = {each.number: each for each in (self.old, self.new)}
        if number not in known:
            raise Undecipherable
        return known[number]


def clear(text: str = CANARY) -> Payload:
    return Payload(metadata={"encoding": b"json/plain", "named": b"field"}, data=text.encode())


async def sealed(codec: InstallationCodec, *payloads: Payload) -> list[Payload]:
    return await codec.encode(payloads or (clear(),))


@given(texts=st.lists(st.text(max_size=200), max_size=5))
async def test_what_is_sealed_opens_as_it_was(texts: list[str]) -> None:
    codec = InstallationCodec(Keys(), "gatepass")
    payloads = [clear(each) for each in texts]
    assert await codec.decode(await codec.encode(payloads)) == payloads


async def test_nothing_of_a_payload_shows_but_its_keys_id() -> None:
    # PS-28
    (payload,) = await sealed(InstallationCodec(Keys(), "gatepass"))
    assert dict(payload.metadata) == {"encoding": ENCODING, "kid": b"2"}
    shown = payload.SerializeToString()
    assert not [each for each in (CANARY, "json/plain", "named") if each.encode() in shown]


async def test_a_sealed_payload_in_another_namespace_does_not_open() -> None:
    keys = Keys()
    payloads = await sealed(InstallationCodec(keys, "gatepass"))
    with pytest.raises(Undecipherable):
        await InstallationCodec(keys, "elsewhere").decode(payloads)


@pytest.mark.parametrize("at", [0, 1, 4, 5, 16, 17, 40, -17, -16, -1])
async def test_a_changed_byte_is_refused(at: int) -> None:
    codec = InstallationCodec(Keys(), "gatepass")
    (payload,) = await sealed(codec)
    changed = bytearray(payload.data)
    changed[at] ^= 1
    payload.data = bytes(changed)
    with pytest.raises(Undecipherable):
        await codec.decode([payload])


@pytest.mark.parametrize("data", [b"", b"\x01", b"\x01" + bytes(31)])
async def test_what_is_too_short_or_of_nobodys_key_is_refused(data: bytes) -> None:
    codec = InstallationCodec(Keys(), "gatepass")
    with pytest.raises(Undecipherable):
        await codec.decode([Payload(metadata={"encoding": ENCODING}, data=data)])


async def test_what_was_never_sealed_stays_as_it_is() -> None:
    # running workflows of an installation from before encryption
    codec = InstallationCodec(Keys(), "gatepass")
    bare = Payload(data=b"1")
    assert await codec.decode([clear(), bare]) == [clear(), bare]


async def test_clear_and_sealed_ones_keep_their_order() -> None:
    codec = InstallationCodec(Keys(), "gatepass")
    (payload,) = await sealed(codec, clear("sealed"))
    assert await codec.decode([clear("a"), payload, clear("b")]) == [
        clear("a"),
        clear("sealed"),
        clear("b"),
    ]


async def test_an_older_key_is_asked_for_by_its_id_once() -> None:
    keys = Keys()
    before = InstallationCodec(Keys(new=keys.old), "gatepass")
    payloads = await sealed(before, clear("a"), clear("b"))
    codec = InstallationCodec(keys, "gatepass")
    assert await codec.decode(payloads) == [clear("a"), clear("b")]
    assert keys.asked == [1]
    assert await codec.decode([clear()]) == [clear()]
    assert keys.asked == [1], "what is clear needs no key"


async def test_the_key_is_chosen_by_its_id_and_never_by_trying() -> None:
    keys = Keys()
    (payload,) = await sealed(InstallationCodec(keys, "gatepass"))
    payload.data = payload.data[:1] + (1).to_bytes(4, "big") + payload.data[5:]
    with pytest.raises(Undecipherable):
        await InstallationCodec(keys, "gatepass").decode([payload])
    assert keys.asked == [1]


async def test_a_failure_says_its_message_to_nobody_without_the_key() -> None:
    converter = data_converter_of(Keys(), "gatepass")
    error = ApplicationError(f"no room for {CANARY}", {"field": CANARY}, type="Refused")
    error.__cause__ = ValueError(f"{CANARY} again")
    failure = Failure()
    await converter.encode_failure(error, failure)
    assert CANARY.encode() not in failure.SerializeToString()
    assert (failure.message, failure.cause.message) == ("Encoded failure", "Encoded failure")
    assert failure.stack_trace == failure.cause.stack_trace == ""
    known = await converter.decode_failure(failure)
    assert isinstance(known, ApplicationError)
    assert (known.message, known.type) == (f"no room for {CANARY}", "Refused")


# What goes to Temporal at all: small messages.


def telegram(text: str, signal: str | None = None) -> Telegram:
    return Telegram("PublicSession", "public-session:1", signal, {"text": text})


@pytest.mark.parametrize("signal", [None, "revoke"])
async def test_a_message_that_is_too_large_never_leaves(signal: str | None) -> None:
    telegraph = Telegraph(cast("Client", None), timedelta(seconds=1))
    room = LARGEST_PAYLOAD - len(json.dumps({"text": ""}))
    with pytest.raises(TelegramRefused) as refusal:
        await telegraph.deliver(telegram("x" * (room + 1), signal))
    assert "xx" not in str(refusal.value)


async def test_a_message_that_just_fits_leaves() -> None:
    class Taker:
        async def start_workflow(self, workflow: str, payload: Any, **options: Any) -> None:
            """Takes whatever it is given."""
            self.taken = payload

    taker = Taker()
    room = LARGEST_PAYLOAD - len(json.dumps({"text": ""}))
    telegraph = Telegraph(cast("Client", taker), timedelta(seconds=1))
    await telegraph.deliver(telegram("x" * room))
    assert len(taker.taken["text"]) == room
