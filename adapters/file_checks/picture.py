"""Pictures: decoded whole, then written anew without anything but the picture.

Comments, EXIF (places, devices, previews), XMP, text chunks and whatever follows the end are not
written; colour profile, resolution and orientation are. Of an animated picture the first frame
is kept.
"""

import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from PIL import (
    Image,
    ImageFile,
    ImagePalette,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from domain.upload import UploadReason, refused

MOST_PIXELS = 50_000_000
LONGEST_SIDE = 20_000
MOST_LOSSLESS_WEBP_PIXELS = 30_000_000
"""What its encoder can hold in the memory of the process; 50 million take more than 1 GiB."""

_ORIENTATION = 0x0112
_LARGEST_PROFILE = 4 * 1024 * 1024
_WEBP_LOSSY = 90
_LARGE = 8_000_000
"""Pixels from which speed comes before size."""

LOADED = (ImagePalette, TiffImagePlugin)
"""What Pillow would load when it meets EXIF or a palette; by then nothing can be loaded."""

# Own limits are checked before decoding, with words of their own.
Image.MAX_IMAGE_PIXELS = None
ImageFile.LOAD_TRUNCATED_IMAGES = False
Image.preinit()


@dataclass(frozen=True, slots=True)
class _Kept:
    """What goes along with the pixels."""

    profile: bytes | None
    orientation: int
    dpi: tuple[float, float] | None
    transparency: Any

    @classmethod
    def of(cls, picture: Image.Image) -> "_Kept":
        said = picture.info
        return cls(
            _profile(said.get("icc_profile")),
            _orientation(picture),
            _dpi(said.get("dpi")),
            said.get("transparency"),
        )

    def options(self) -> dict[str, Any]:
        """As `Image.save` takes them."""
        options: dict[str, Any] = {"icc_profile": self.profile}
        if self.orientation != 1:
            exif = Image.Exif()
            exif[_ORIENTATION] = self.orientation
            options["exif"] = exif.tobytes()
        return options


def rewritten_jpeg(raw: bytes) -> bytes:
    """With the tables and the sampling it came with, so that hardly a pixel changes."""
    # Not by `Image.open`: that makes another class of phones' pictures with a second one inside.
    picture = JpegImagePlugin.JpegImageFile(BytesIO(raw))
    progressive = bool(picture.info.get("progressive"))
    with _decoded(picture) as kept:
        dpi = {"dpi": kept.dpi} if kept.dpi else {}
        return _saved(
            picture, "JPEG", quality="keep", progressive=progressive, **dpi, **kept.options()
        )


def rewritten_png(raw: bytes) -> bytes:
    """Without loss."""
    PngImagePlugin.PngImageFile(BytesIO(raw)).verify()
    picture = PngImagePlugin.PngImageFile(BytesIO(raw))
    with _decoded(picture) as kept:
        options = kept.options() | ({"dpi": kept.dpi} if kept.dpi else {})
        options["compress_level"] = 3 if _pixels(picture) > _LARGE else 6
        if kept.transparency is not None:
            options["transparency"] = kept.transparency
        return _saved(picture, "PNG", **options)


def rewritten_webp(raw: bytes) -> bytes:
    """Without loss if it came so, else at a high quality."""
    lossless = _is_lossless(raw)
    picture = WebPImagePlugin.WebPImageFile(BytesIO(raw))
    most = MOST_LOSSLESS_WEBP_PIXELS if lossless else MOST_PIXELS
    with _decoded(picture, most) as kept:
        # Below 2 a lossy picture can be too large for the encoder's first partition.
        effort = (0 if lossless else 2) if _pixels(picture) > _LARGE else 4
        return _saved(
            picture,
            "WEBP",
            lossless=lossless,
            quality=(20 if lossless else _WEBP_LOSSY),
            method=effort,
            **kept.options(),
        )


@contextmanager
def _decoded(picture: Image.Image, most: int = MOST_PIXELS) -> Iterator[_Kept]:
    """Decodes what is not too large; raises `UploadRefused` before decoding what is."""
    width, height = picture.size
    if _pixels(picture) > most or max(width, height) > LONGEST_SIDE:
        raise refused(
            UploadReason.TOO_MANY_PIXELS,
            f"{most // 1_000_000} megapixels, {LONGEST_SIDE} pixels a side",
            f"{width} × {height} pixels",
        )
    picture.load()
    kept = _Kept.of(picture)
    picture.info.clear()
    yield kept


def _pixels(picture: Image.Image) -> int:
    return picture.width * picture.height


def _saved(picture: Image.Image, form: str, **options: Any) -> bytes:
    into = BytesIO()
    picture.save(into, form, **{name: each for name, each in options.items() if each is not None})
    return into.getvalue()


def _is_lossless(raw: bytes) -> bool:
    """By the first chunk that holds pixels (WebP Container Specification)."""
    at = 12
    while at + 8 <= len(raw):
        name, size = raw[at : at + 4], int.from_bytes(raw[at + 4 : at + 8], "little")
        if name in (b"VP8 ", b"VP8L"):
            return name == b"VP8L"
        # The chunks of a frame stand behind its 16 bytes of place and time.
        at += 24 if name == b"ANMF" else 8 + size + size % 2
    return False


def _profile(raw: Any) -> bytes | None:
    """A colour profile that is one (ICC.1, 7.2.9) and of a usual size."""
    if isinstance(raw, bytes) and raw[36:40] == b"acsp" and len(raw) <= _LARGEST_PROFILE:
        return raw
    return None


def _orientation(picture: Image.Image) -> int:
    with suppress(OSError, SyntaxError, ValueError, TypeError, KeyError, struct.error):
        stated = picture.getexif().get(_ORIENTATION, 1)
        return stated if isinstance(stated, int) and 1 <= stated <= 8 else 1
    return 1


def _dpi(raw: Any) -> tuple[float, float] | None:
    try:
        across, down = (float(each) for each in raw)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return (across, down) if 1 <= across <= 10_000 and 1 <= down <= 10_000 else None
