# Makes the pictures of this directory and, in want/, what Pillow shows of them: upright, on white.
# Made with Pillow 13.0.0. usage: python make.py
import io, os, struct, zlib
import numpy as np
from PIL import Image, ImageOps, ImageSequence

y, x = np.mgrid[0:9, 0:14]
a = np.stack([x * 18, y * 28, (x + y) * 11], -1).astype(np.uint8)
a[0:3, 0:3] = (255, 0, 0)
rgb = Image.fromarray(a)
gray = rgb.convert("L")
alpha = Image.fromarray(np.dstack([a, np.clip(x * 20 + y, 0, 255).astype(np.uint8)]), "RGBA")

def want(name, im=None):
    im = im or Image.open(name)
    im = ImageOps.exif_transpose(im)
    if im.mode.startswith("I;16"):
        im = Image.fromarray((np.array(im).astype(np.uint32) >> 8).astype(np.uint8))
    if "transparency" in im.info or im.mode in ("LA", "RGBA", "PA"):
        im = im.convert("RGBA")
        white = Image.new("RGBA", im.size, (255, 255, 255, 255))
        im = Image.alpha_composite(white, im)
    im.convert("RGB").save("want/" + name + ".png")

def save(name, im, **kw):
    im.save(name, **kw)
    want(name)

def exif(o):
    e = Image.Exif()
    e[274] = o
    e[271] = "plume"
    return e.tobytes()

for o in range(1, 9):
    save(f"turn{o}.jpg", rgb, quality=95, subsampling=0, exif=exif(o))
    save(f"turn{o}.png", rgb, exif=exif(o))
save("turn6.webp", rgb, lossless=True, exif=exif(6))
save("turn7.webp", rgb, quality=80, exif=exif(7))
save("turn8.tiff", rgb, tiffinfo={274: 8})
save("plain.jpg", rgb, quality=90)
save("progressive.jpg", rgb, quality=95, subsampling=0, progressive=True)
save("gray.jpg", gray, quality=95)
save("cmyk.jpg", rgb.convert("CMYK"), quality=95)
save("rgb.gif", rgb.quantize(32, dither=0))
frames = [rgb.quantize(16, dither=0), rgb.rotate(180).quantize(16, dither=0)]
save("animated.gif", frames[0], save_all=True, append_images=frames[1:])
p = rgb.quantize(16, dither=0)
save("transparent.gif", p, transparency=p.getpixel((0, 0)))
save("rgb.bmp", rgb)
save("gray.bmp", gray)
save("bilevel.bmp", gray.convert("1"))
save("palette.bmp", p)
for c in ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"]:
    save(f"{c}.tiff", rgb, compression=c)
save("gray.tiff", gray)
save("bilevel.tiff", gray.convert("1"), compression="group4")
save("bilevel_fax.tiff", gray.convert("1"), compression="group3", tiffinfo={262: 0})
save("palette.tiff", p)
save("rgba.tiff", alpha)
save("pages.tiff", rgb, save_all=True, append_images=[rgb.rotate(180)])
save("gray16.tiff", Image.fromarray((x * 4000 + y * 100).astype(np.uint16)))
save("lossy.webp", rgb, quality=80)
save("lossy_even.webp", rgb.resize((12, 8)), quality=30)
save("lossy_alpha.webp", alpha, quality=80, exact=True)
save("lossless_alpha.webp", alpha, lossless=True, exact=True)
save("animated.webp", rgb, save_all=True, append_images=[rgb.rotate(180)], lossless=True)
save("animated_lossy.webp", rgb, save_all=True, append_images=[rgb.rotate(180)], quality=80)
save("rgb.png", rgb)
save("gray.png", gray)
save("rgba.png", alpha)
save("gray_alpha.png", alpha.convert("LA"))
save("palette.png", p)
save("palette_transparent.png", p, transparency=bytes(range(0, 256, 16)))
save("trns.png", rgb, transparency=(255, 0, 0))
save("gray16.png", Image.fromarray((x * 4000 + y * 100).astype(np.uint16)))
save("bilevel.png", gray.convert("1"))
save("apng.png", rgb, save_all=True, append_images=[rgb.rotate(180)])

# Larger ones, whose memory is measured.
by, bx = np.mgrid[0:300, 0:400]
big = Image.fromarray(np.stack([by % 256, by // 2, 255 - by // 2], -1).astype(np.uint8))
big.save("big.webp", quality=50)
big.putalpha(100)
big.save("big_alpha.webp", quality=50)
big.save("big_lossless.webp", lossless=True)
big = big.convert("RGB")
big.save("big.jpg")
big.save("big_progressive.jpg", progressive=True, subsampling=0)
big.convert("1").save("big.bmp")
big.save("big.tiff", compression="tiff_adobe_deflate")
big.quantize(8, dither=0).save("big.gif")

# What follows is damaged as other software leaves it; all show the picture of rgb.png or plain.jpg.
def chunk(kind, data, bad=0):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data) ^ bad)

raw = b"".join(b"\0" + a[i].tobytes() for i in range(9))
head = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 14, 9, 8, 2, 0, 0, 0))
end = chunk(b"IEND", b"")
z = zlib.compress(raw)

def write(name, b, like):
    with open(name, "wb") as f:
        f.write(b)
    want(name, Image.open(like))

def png(name, *chunks):
    write(name, head + b"".join(chunks), "rgb.png")

# Adam7: seven smaller pictures.
lace = b"".join(b"\0" + a[i, sx::dx].tobytes() for sx, sy, dx, dy in
                [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
                for i in range(sy, 9, dy))
laced = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 14, 9, 8, 2, 0, 0, 1))
write("interlaced.png", laced + chunk(b"IDAT", zlib.compress(lace)) + end, "rgb.png")
write("interlaced_surplus.png", laced + chunk(b"IDAT", zlib.compress(lace + b"x")) + end, "rgb.png")
assert (np.array(Image.open("interlaced.png")) == a).all()

idat = chunk(b"IDAT", z)
png("bad_iccp.png", chunk(b"iCCP", b"icc\0\0" + zlib.compress(b"x"), 1), idat, end)
png("bad_text.png", chunk(b"tEXt", b"a\0b", 1), chunk(b"gAMA", b"\0\0", 7), idat, end)
png("bad_after.png", idat, chunk(b"tEXt", b"a\0b", 1), end)
png("surplus_pixels.png", chunk(b"IDAT", zlib.compress(raw + raw[:99])), end)
png("surplus_bytes.png", chunk(b"IDAT", z + b"surplus"), end)
png("surplus_chunk.png", idat, chunk(b"IDAT", b"more"), end)
png("many_chunks.png", *[chunk(b"IDAT", z[i:i + 7]) for i in range(0, len(z), 7)], chunk(b"IDAT", b"x"), end)
png("no_end.png", idat)
png("cut_end.png", idat, end[:6])
png("behind.png", idat, end, b"anything")
png("trns_rgba_less.png", chunk(b"sRGB", b"\0"), chunk(b"PLTE", b"\1\2\3"), idat, end)
late = bytearray(exif(6))[6:] if exif(6).startswith(b"Exif") else exif(6)
write("late_exif.png", head + idat + chunk(b"eXIf", bytes(late)) + end, "turn6.png")
j = open("plain.jpg", "rb").read()
assert j.endswith(b"\xff\xd9")
write("no_end.jpg", j[:-2], "plain.jpg")
write("behind.jpg", j + b"anything" * 99, "plain.jpg")
