"""What Temporal holds is sealed: payloads, failure messages and stack traces.

One installation key at a time seals everything, because a session's own key does not exist yet when
its start is encoded, and destroying it would wedge an open workflow. Payloads are ids, facts and
times anyway; this keeps them from whoever reads Temporal's database or pages.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from temporalio.api.common.v1 import Payload
from temporalio.converter import (
    DataConverter,
    DefaultFailureConverterWithEncodedAttributes,
    PayloadCodec,
)
from typing_extensions import override

from adapters.aead import RecordKey, associated, number_of

ENCODING = b"binary/gatepass"
PURPOSE = "temporal"


class CodecKeys(Protocol):
    """The installation keys: the one that seals, and those that older payloads were sealed with."""

    def current(self) -> RecordKey:
        """The key that seals what is written now."""

    async def by_number(self, number: int) -> RecordKey:
        """The key of this id, loaded if need be; raises `Undecipherable` if there is none."""


class InstallationCodec(PayloadCodec):
    """Seals whole payloads, bound to their Temporal namespace.

    They are not bound to their workflow: a Schedule's payloads do not know theirs.
    """

    def __init__(self, keys: CodecKeys, namespace: str) -> None:
        """Takes the installation keys and the namespace that payloads may be read in."""
        self._keys = keys
        self._bound_to = associated(PURPOSE, namespace)

    @override
    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Each payload sealed under the present key, its id beside it for those who keep keys."""
        key = self._keys.current()
        metadata = {"encoding": ENCODING, "kid": str(key.number).encode()}
        return [
            Payload(metadata=metadata, data=key.seal(each.SerializeToString(), self._bound_to))
            for each in payloads
        ]

    @override
    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Each payload opened; one that was never sealed stays as it is. Raises `Undecipherable`.

        Workflows that began before encryption have clear payloads in their histories.
        """
        numbers = {number_of(each.data) for each in payloads if _is_sealed(each)}
        keys = {number: await self._keys.by_number(number) for number in numbers}
        return [self._opened(each, keys) if _is_sealed(each) else each for each in payloads]

    def _opened(self, payload: Payload, keys: Mapping[int, RecordKey]) -> Payload:
        key = keys[number_of(payload.data)]
        return Payload.FromString(key.open(payload.data, self._bound_to))


def _is_sealed(payload: Payload) -> bool:
    return payload.metadata.get("encoding") == ENCODING


def data_converter_of(keys: CodecKeys, namespace: str) -> DataConverter:
    """What every client and worker of this installation converts with."""
    return DataConverter(
        payload_codec=InstallationCodec(keys, namespace),
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )
