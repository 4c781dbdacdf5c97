"""Writes the pictures of this folder with Pillow, and expected.json with what Pillow reads from them.

python3 make.py

Pillow 13.0.0 with libjpeg-turbo, libwebp and libavif. All pictures are drawn here.
"""

import json
from pathlib import Path

from PIL import Image, ImageOps

FOLDER = Path(__file__).parent
WIDTH, HEIGHT = 30, 20


def upright() -> Image.Image:
    """Smooth, so that JPEG changes little, and different in each corner, so that every turn shows."""
    picture = Image.new("RGB", (WIDTH, HEIGHT))
    for y in range(HEIGHT):
        for x in range(WIDTH):
            picture.putpixel((x, y), (8 * x, 12 * y, 4 * (x + y) if x > y else 0))
    return picture


# What undoes the turn that each orientation asks for.
STORED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def turned(orientation: int) -> tuple[Image.Image, Image.Exif]:
    how = STORED[orientation]
    exif = Image.Exif()
    exif[274] = orientation
    return (upright() if how is None else upright().transpose(how)), exif


def save(name: str, picture: Image.Image, **options: object) -> None:
    picture.save(FOLDER / name, **options)


def main() -> None:
    plain = upright()
    for orientation in STORED:
        picture, exif = turned(orientation)
        save(f"exif-{orientation}.jpg", picture, exif=exif, quality=98, subsampling=0)
    picture, exif = turned(6)
    save("exif-6.png", picture, exif=exif)
    save("exif-6.webp", picture, exif=exif, lossless=True)
    save("progressive.jpg", plain, progressive=True, quality=98, subsampling=0)
    save("subsampled.jpg", plain, quality=90, subsampling=2)
    save("grey.jpg", plain.convert("L"), quality=98)
    save("cmyk.jpg", plain.convert("CMYK"))
    save("lossy.webp", plain, quality=95)
    save("lossless.webp", plain, lossless=True)
    alpha = plain.convert("RGBA")
    alpha.putalpha(Image.linear_gradient("L").resize((WIDTH, HEIGHT)))
    save("alpha.webp", alpha, lossless=True, exact=True)
    save("animated.webp", plain, save_all=True, append_images=[plain.rotate(180)], duration=100)
    save("animated.png", plain, save_all=True, append_images=[plain.rotate(180)], duration=100)
    save("profile.png", plain, icc_profile=b"not a profile at all", gamma=1.0)
    for name in ["a.gif", "a.bmp", "a.tiff", "a.avif", "a.ppm", "a.jp2", "a.ico"]:
        save(name, plain)
    expected = {}
    for path in sorted(FOLDER.iterdir()):
        if path.suffix not in (".jpg", ".webp", ".png") or path.name in ("cmyk.jpg", "animated.webp"):
            continue
        shown = ImageOps.exif_transpose(Image.open(path)).convert("RGBA")
        paper = Image.new("RGBA", shown.size, (255, 255, 255, 255))
        paper.alpha_composite(shown)
        expected[path.name] = {"width": shown.width, "height": shown.height, "rgb": paper.convert("RGB").tobytes().hex()}
    (FOLDER / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


main()
