"""Google's Tink as the oracle: keysets of the same raw keys as ours."""

import io

import tink  # type: ignore[import-untyped] # ships no types
from tink import aead, cleartext_keyset_handle, streaming_aead
from tink.proto import (  # type: ignore[import-untyped] # as above
    aes_gcm_hkdf_streaming_pb2,
    aes_gcm_pb2,
    tink_pb2,
)
from typing_extensions import override

aead.register()
streaming_aead.register()


def tink_record_key(number: int, key: bytes) -> aead.Aead:
    """Tink's AES256_GCM under this raw key and id."""
    value = aes_gcm_pb2.AesGcmKey(version=0, key_value=key).SerializeToString()
    kind = aead.aead_key_templates.AES256_GCM.type_url
    return _keyset(kind, value, number, tink_pb2.TINK).primitive(aead.Aead)


def _file_key(key: bytes) -> streaming_aead.StreamingAead:
    template = streaming_aead.streaming_aead_key_templates.AES256_GCM_HKDF_1MB
    form = aes_gcm_hkdf_streaming_pb2.AesGcmHkdfStreamingKeyFormat.FromString(template.value)
    value = aes_gcm_hkdf_streaming_pb2.AesGcmHkdfStreamingKey(
        version=0, params=form.params, key_value=key
    )
    keyset = _keyset(template.type_url, value.SerializeToString(), 1, tink_pb2.RAW)
    return keyset.primitive(streaming_aead.StreamingAead)


def tink_sealed(key: bytes, clear: bytes, bound_to: bytes) -> bytes:
    """The file as stock Tink encrypts it with AES256_GCM_HKDF_1MB."""

    class Kept(io.BytesIO):
        @override
        def close(self) -> None:
            pass

    kept = Kept()
    with _file_key(key).new_encrypting_stream(kept, bound_to) as stream:
        stream.write(clear)
    return kept.getvalue()


def tink_opened(key: bytes, sealed: bytes, bound_to: bytes) -> bytes:
    """The file as stock Tink decrypts it."""
    with _file_key(key).new_decrypting_stream(io.BytesIO(sealed), bound_to) as stream:
        return bytes(stream.read())


def _keyset(kind: str, value: bytes, number: int, prefix: int) -> tink.KeysetHandle:
    material = tink_pb2.KeyData(
        type_url=kind, value=value, key_material_type=tink_pb2.KeyData.SYMMETRIC
    )
    key = tink_pb2.Keyset.Key(
        key_data=material, status=tink_pb2.ENABLED, key_id=number, output_prefix_type=prefix
    )
    keyset = tink_pb2.Keyset(primary_key_id=number, key=[key]).SerializeToString()
    return cleartext_keyset_handle.read(tink.BinaryKeysetReader(keyset))
