"""Pictures come back as the same picture and nothing else."""

import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageCms, PngImagePlugin

from adapters.file_checks import picture as picture_check
from adapters.file_checks.__main__ import judged
from adapters.file_checks.picture import rewritten_jpeg, rewritten_png, rewritten_webp
from domain.upload import UploadReason

PHP = b"<?php system($_GET['c']); ?>"
REWRITES: dict[str, Callable[[bytes], bytes]] = {
    "JPEG": rewritten_jpeg,
    "PNG": rewritten_png,
    "WEBP": rewritten_webp,
}
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def drawn(mode: str = "RGB", size: tuple[int, int] = (64, 48)) -> Image.Image:
    across = Image.linear_gradient("L").resize(size)
    return Image.merge("RGB", (across, across.rotate(180), across)).convert(mode)


def saved(form: str, mode: str = "RGB", **options: Any) -> bytes:
    into = BytesIO()
    drawn(mode).save(into, form, **options)
    return into.getvalue()


def opened(raw: bytes) -> Image.Image:
    picture = Image.open(BytesIO(raw))
    picture.load()
    return picture


def furthest(one: bytes, other: bytes) -> int:
    """The largest difference of any pixel."""
    pair = [opened(each).convert("RGB") for each in (one, other)]
    return max(ImageChops.difference(*pair).tobytes())


@pytest.mark.parametrize(
    ("form", "mode", "options", "most"),
    [
        ("JPEG", "RGB", {"quality": 60}, 4),
        ("JPEG", "L", {"quality": 90, "progressive": True}, 4),
        ("JPEG", "CMYK", {"quality": 90}, 6),
        ("PNG", "RGB", {}, 0),
        ("PNG", "RGBA", {}, 0),
        ("PNG", "P", {}, 0),
        ("PNG", "1", {}, 0),
        ("PNG", "L", {}, 0),
        ("WEBP", "RGB", {"lossless": True}, 0),
        ("WEBP", "RGBA", {"lossless": True}, 0),
        ("WEBP", "RGB", {"quality": 80}, 16),
    ],
)
def test_the_picture_is_the_same(form: str, mode: str, options: dict[str, Any], most: int) -> None:
    raw = saved(form, mode, **options)
    kept = REWRITES[form](raw)
    assert opened(kept).size == (64, 48)
    assert opened(kept).format == form
    assert furthest(raw, kept) <= most
    assert opened(kept).info.get("progressive") == opened(raw).info.get("progressive")


def test_transparency_stays() -> None:
    raw = saved("PNG", "P", transparency=3)
    kept = opened(REWRITES["PNG"](raw)).convert("RGBA")
    assert kept.tobytes() == opened(raw).convert("RGBA").tobytes()


def loaded(form: str) -> bytes:
    """A picture with everything that can be put beside the pixels."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010F], exif[0x9C9C] = 6, "Evil camera", PHP
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", PHP.decode(), zip=False)
    more: dict[str, dict[str, Any]] = {
        "JPEG": {"comment": PHP, "xmp": PHP},
        "PNG": {"pnginfo": text},
        "WEBP": {"xmp": PHP, "lossless": True},
    }
    return saved(form, exif=exif, icc_profile=PROFILE, dpi=(300, 300), **more[form]) + PHP


@pytest.mark.parametrize("form", REWRITES)
def test_only_profile_resolution_and_orientation_go_along(form: str) -> None:
    # PS-40
    raw = loaded(form)
    assert raw.count(PHP) >= 3
    kept = REWRITES[form](raw)
    assert b"<?php" not in kept
    assert b"Evil camera" not in kept
    picture = opened(kept)
    assert picture.getexif().get(0x0112) == 6
    assert set(picture.getexif()) == {0x0112}
    assert picture.info["icc_profile"] == PROFILE
    assert furthest(raw, kept) <= (4 if form == "JPEG" else 0)
    if form != "WEBP":
        assert [round(each) for each in picture.info["dpi"]] == [300, 300]


def test_a_profile_that_is_none_goes() -> None:
    kept = opened(rewritten_png(saved("PNG", icc_profile=PHP * 10)))
    assert "icc_profile" not in kept.info


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_broken_exif_does_not_break_the_picture() -> None:
    raw = saved("JPEG", exif=b"Exif\0\0MM\0\x2a\0\0\0\x08\xff\xff\0\1")
    assert furthest(raw, rewritten_jpeg(raw)) <= 4


def test_a_phones_picture_with_a_second_one_inside() -> None:
    into = BytesIO()
    drawn().save(into, "MPO", save_all=True, append_images=[drawn()])
    kept = rewritten_jpeg(into.getvalue())
    assert opened(kept).format == "JPEG"
    assert len(kept) < len(into.getvalue())


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_of_moving_pictures_the_first_frame_is_kept(form: str) -> None:
    into = BytesIO()
    drawn().save(into, form, save_all=True, append_images=[drawn().rotate(90)], lossless=True)
    kept = REWRITES[form](into.getvalue())
    assert getattr(opened(kept), "n_frames", 1) == 1
    assert furthest(saved("PNG"), kept) == 0


def png_header(width: int, height: int) -> bytes:
    header = b"IHDR" + struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0)
    data = b"IDAT" + zlib.compress(b"\0" * 1000)

    def chunk(body: bytes) -> bytes:
        return struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))

    return b"\x89PNG\r\n\x1a\n" + chunk(header) + chunk(data) + chunk(b"IEND")


@pytest.mark.parametrize(
    ("width", "height"), [(60_000, 60_000), (20_001, 1), (1, 20_001), (10_000, 5_001)]
)
def test_a_flood_of_pixels_is_refused_by_its_header(width: int, height: int) -> None:
    # PS-40
    verdict, kept = judged(rewritten_png, png_header(width, height))
    assert verdict.refusal
    assert verdict.refusal.reason == UploadReason.TOO_MANY_PIXELS
    assert verdict.refusal.limit == "50 megapixels, 20000 pixels a side"
    assert verdict.refusal.given == f"{width} × {height} pixels"
    assert kept == b""


def test_a_webp_without_loss_may_have_fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture_check, "MOST_LOSSLESS_WEBP_PIXELS", 3000)
    verdict, _ = judged(rewritten_webp, saved("WEBP", lossless=True))
    assert verdict.refusal
    assert verdict.refusal.given == "64 × 48 pixels"
    assert judged(rewritten_webp, saved("WEBP"))[0].refusal is None


@pytest.mark.parametrize(
    ("form", "options"), [("PNG", {}), ("WEBP", {"lossless": True}), ("WEBP", {"quality": 80})]
)
def test_large_pictures_are_written_faster(
    monkeypatch: pytest.MonkeyPatch, form: str, options: dict[str, Any]
) -> None:
    monkeypatch.setattr(picture_check, "_LARGE", 1000)
    raw = saved(form, **options)
    assert furthest(raw, REWRITES[form](raw)) <= (16 if "quality" in options else 0)


def test_the_largest_sides_are_let_through_to_decoding() -> None:
    verdict, _ = judged(rewritten_png, png_header(20_000, 2_500))
    assert verdict.refusal
    assert verdict.refusal.reason == UploadReason.DAMAGED


@pytest.mark.parametrize("form", REWRITES)
@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_a_picture_that_was_cut_off_is_refused(form: str, part: float) -> None:
    raw = saved(form)
    verdict, _ = judged(REWRITES[form], raw[: int(len(raw) * part)])
    assert verdict.refusal
    assert verdict.refusal.reason == UploadReason.DAMAGED


def test_a_flipped_bit_in_a_png_is_noticed() -> None:
    raw = bytearray(saved("PNG"))
    raw[raw.index(b"IDAT") + 20] ^= 1
    verdict, _ = judged(rewritten_png, bytes(raw))
    assert verdict.refusal


@pytest.mark.parametrize("form", REWRITES)
def test_other_content_is_damaged(form: str) -> None:
    verdict, _ = judged(REWRITES[form], b"GIF89a" + b"\0" * 100)
    assert verdict.refusal
    assert (verdict.refusal.reason, verdict.refusal.limit) == (UploadReason.DAMAGED, "readable")
