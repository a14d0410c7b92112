"""Makes a small square WebP of a stranger's picture. Called inside the fence by a launcher that
has it loaded (`launchers.Warm`), with SOURCE TARGET SIDE; never imported by the server.

Only pixels go over: no EXIF, no place, no colour profile (the colours are brought to sRGB), no
further frames.
"""

import contextlib
import io

FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
MOST_PIXELS = 40_000_000
UNREADABLE = 3


def load() -> None:
    """What takes long and is the same for every picture."""
    from PIL import (  # noqa: F401
        GifImagePlugin,
        Image,
        ImageCms,
        ImageOps,
        JpegImagePlugin,
        PngImagePlugin,
        WebPImagePlugin,
    )


def main(argv: list[str]) -> int:
    from PIL import Image, ImageCms, ImageOps

    source, target, side = argv[0], argv[1], int(argv[2])
    Image.MAX_IMAGE_PIXELS = None  # the check below is stricter, and comes before decoding too
    try:
        with Image.open(source, formats=FORMATS) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                return UNREADABLE
            opened.draft("RGB", (side * 2, side * 2))  # JPEG: decode at a lower scale
            profile = opened.info.get("icc_profile")
            picture = ImageOps.exif_transpose(opened)
            picture = picture.convert("RGBA" if "A" in picture.getbands() or
                                      "transparency" in picture.info else "RGB")  # fmt: skip
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return UNREADABLE
    if profile and picture.mode == "RGB":
        # With a broken profile, its numbers as they are.
        with contextlib.suppress(ImageCms.PyCMSError, OSError, ValueError):
            own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            ImageCms.profileToProfile(picture, own, ImageCms.createProfile("sRGB"), inPlace=True)
    small = ImageOps.fit(picture, (side, side), Image.Resampling.LANCZOS)
    small.info.clear()
    small.save(target, "WEBP", quality=82, method=4)
    return 0
