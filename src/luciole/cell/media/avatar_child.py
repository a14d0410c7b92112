"""Makes a small square WebP of a stranger's picture. Run inside the fence as
`python -I -S avatar_child.py SITE_PACKAGES SOURCE TARGET SIDE`, never imported by the server.

Only pixels go over: no EXIF, no place, no colour profile (the colours are brought to sRGB), no
further frames.
"""

import contextlib
import io
import sys

FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
MOST_PIXELS = 40_000_000
UNREADABLE = 3


def main() -> int:
    sys.path.append(sys.argv[1])
    from PIL import Image, ImageCms, ImageOps

    source, target, side = sys.argv[2], sys.argv[3], int(sys.argv[4])
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


if __name__ == "__main__":
    sys.exit(main())
