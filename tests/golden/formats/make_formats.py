#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the small files that src/formats/golden_test.c reads, with the programs users have.

Run in this folder: ./make_formats.py. It writes the files, what they must read as (*.npy, by
NumPy), the list cases.txt (file, format, expected array, axes) and versions.txt. Every TIFF is
read back by tifffile or PIL here where they can, so that the expectation is not ours alone.
"""
import json
import os
import struct
import subprocess

import cv2
import numpy as np
import PIL
from PIL import Image
import tifffile

CASES = []


def expect(name, array):
    np.save(name, array)


def case(path, fmt, expected, axes):
    CASES.append(f"{path} {fmt} {expected} {axes}")
    size = os.path.getsize(path) if os.path.isfile(path) else 0
    assert size < 15000, (path, size)


def pattern(shape, dtype):
    """Every element its own value where the type allows; all bytes of wide types in use."""
    n = int(np.prod(shape))
    i = np.arange(n, dtype=np.uint64)
    dtype = np.dtype(dtype)
    if dtype == bool:
        return ((i * 7) % 5 < 2).reshape(shape)
    if dtype.kind == "f":
        return ((i.astype(np.float64) - n / 3) * 1.37e-3).astype(dtype).reshape(shape)
    spread = i * np.uint64(0x9E3779B97F4A7C15)
    return (spread >> np.uint64(64 - 8 * dtype.itemsize)).astype(f"u{dtype.itemsize}").view(
        dtype).reshape(shape)


def smooth(shape, dtype):
    """Compressible values that predictors and LZW act on."""
    grid = np.indices(shape).sum(axis=0)
    return (grid * 3 % 200).astype(dtype)


def vips(source, target):
    subprocess.run(["vips", "copy", source, target], check=True)


def tiff(name, array, expected, axes, check=True, **options):
    tifffile.imwrite(name, array, **options)
    if check:
        assert np.array_equal(tifffile.imread(name).squeeze(), np.load(expected).squeeze()), name
    case(name, "tiff", expected, axes)


def make_tiff():
    for dtype in "u1 u2 u4 u8 i1 i2 i4 i8 f4 f8".split():
        a = pattern((9, 13), dtype)
        expect(f"e_{dtype}.npy", a)
        tiff(f"t_{dtype}.tif", a, f"e_{dtype}.npy", "yx")
        if dtype not in ("u1", "i1"):
            tiff(f"t_{dtype}_be.tif", a, f"e_{dtype}.npy", "yx", byteorder=">")
    s = smooth((5, 30, 20), "u2")
    expect("e_stack.npy", s)
    tiff("t_stack.tif", s, "e_stack.npy", "zyx")
    tiff("t_stack_big_be.tif", s, "e_stack.npy", "zyx", bigtiff=True, byteorder=">")
    tiff("t_stack_strips.tif", s, "e_stack.npy", "zyx", rowsperstrip=5)
    tiff("t_stack_zlib.tif", s, "e_stack.npy", "zyx", compression="zlib", rowsperstrip=8)
    tiff("t_stack_zlib_pred_be.tif", s, "e_stack.npy", "zyx", compression="zlib", predictor=True,
         byteorder=">", bigtiff=True)
    tiff("t_stack_tiles.tif", s, "e_stack.npy", "zyx", tile=(16, 16))
    tiff("t_stack_tiles_zlib.tif", s, "e_stack.npy", "zyx", tile=(16, 32), compression="zlib",
         predictor=True)
    rgb = pattern((20, 17, 3), "u1")
    expect("e_rgb.npy", rgb)
    tiff("t_rgb.tif", rgb, "e_rgb.npy", "yxc", photometric="rgb")
    tiff("t_rgb_tiles.tif", rgb, "e_rgb.npy", "yxc", photometric="rgb", tile=(16, 16))
    planar = np.ascontiguousarray(rgb.transpose(2, 0, 1)).astype("u2") * 251
    expect("e_planar.npy", planar)
    tiff("t_planar.tif", planar, "e_planar.npy", "cyx", photometric="rgb",
         planarconfig="separate", rowsperstrip=7)
    tiff("t_planar_zlib.tif", planar, "e_planar.npy", "cyx", photometric="rgb",
         planarconfig="separate", compression="zlib", tile=(16, 16))
    mask = pattern((11, 21), bool)
    expect("e_mask.npy", mask)
    tiff("t_bool.tif", mask, "e_mask.npy", "yx")
    Image.fromarray(mask).save("t_bool_pil.tif", compression="packbits")
    case("t_bool_pil.tif", "tiff", "e_mask.npy", "yx")
    tiff("t_white.tif", pattern((9, 13), "u1"), "e_u1.npy", "yx", photometric="miniswhite")

    hyper = pattern((2, 3, 2, 6, 7), "u2")  # t z c y x
    expect("e_hyper.npy", hyper)
    tiff("t_imagej.tif", hyper, "e_hyper.npy", "tzcyx", imagej=True,
         resolution=(4, 2), metadata={"axes": "TZCYX", "spacing": 1.5, "unit": "um"})
    tiff("t_ome.tif", hyper, "e_hyper.npy", "tzcyx", ome=True,
         metadata={"axes": "TZCYX", "PhysicalSizeX": 0.25, "PhysicalSizeXUnit": "µm",
                   "PhysicalSizeY": 0.5, "PhysicalSizeYUnit": "µm", "PhysicalSizeZ": 1.5,
                   "PhysicalSizeZUnit": "µm"})
    czt = np.ascontiguousarray(hyper.transpose(2, 1, 0, 3, 4))
    tiff("t_ome_ctz.tif", czt, "e_hyper.npy", "tzcyx", check=False, ome=True,
         metadata={"axes": "CZTYX"})
    tiff("t_shaped.tif", hyper, "e_hyper.npy", "---yx")
    single = pattern((4, 1, 5, 6), "f4")
    expect("e_single.npy", single)
    tiff("t_shaped_single.tif", single, "e_single.npy", "tzyx", metadata={"axes": "TZYX"})

    # ImageJ above 4 GB: one directory, the other planes follow its pixels. Made small here by
    # cutting the chain of directories after the first.
    z = pattern((6, 8, 9), ">u2")
    expect("e_cut.npy", z.astype("u2"))
    tifffile.imwrite("t_imagej_one_ifd.tif", z, imagej=True, byteorder=">",
                     metadata={"axes": "ZYX"})
    with open("t_imagej_one_ifd.tif", "r+b") as f:
        data = f.read()
        ifd = struct.unpack(">I", data[4:8])[0]
        n = struct.unpack(">H", data[ifd:ifd + 2])[0]
        f.seek(ifd + 2 + 12 * n)
        f.write(b"\0\0\0\0")
    case("t_imagej_one_ifd.tif", "tiff", "e_cut.npy", "zyx")

    # libtiff's own writers: PIL, OpenCV, libvips
    wide = smooth((70, 61), "u1")
    expect("e_wide.npy", wide)
    for name, comp in (("lzw", "tiff_lzw"), ("packbits", "packbits"), ("deflate", "tiff_deflate"),
                       ("adobe", "tiff_adobe_deflate"), ("raw", None)):
        Image.fromarray(wide).save(f"t_pil_{name}.tif", compression=comp)
        assert np.array_equal(np.array(Image.open(f"t_pil_{name}.tif")), wide)
        case(f"t_pil_{name}.tif", "tiff", "e_wide.npy", "yx")
    pages = [Image.fromarray(s[i]) for i in range(5)]
    pages[0].save("t_pil_pages.tif", save_all=True, append_images=pages[1:], compression="tiff_lzw")
    case("t_pil_pages.tif", "tiff", "e_stack.npy", "zyx")
    Image.fromarray(wide).convert("P").save("t_pil_palette.tif")
    case("t_pil_palette.tif", "tiff", "e_wide.npy", "yx")
    wide16 = smooth((70, 61), "u2") * 300
    expect("e_wide16.npy", wide16)
    cv2.imwrite("t_cv_lzw.tif", wide16)
    case("t_cv_lzw.tif", "tiff", "e_wide16.npy", "yx")
    f = smooth((40, 45), "f4") / 7
    expect("e_float.npy", f)
    tifffile.imwrite("tmp_f.tif", f)
    tifffile.imwrite("tmp_w.tif", wide16)
    tifffile.imwrite("tmp_8.tif", wide)
    vips("tmp_f.tif", "t_vips_pred3.tif[compression=deflate,predictor=float]")
    vips("tmp_f.tif", "t_vips_pred3_lzw_tiles.tif[compression=lzw,predictor=float,tile,"
         "tile-width=16,tile-height=16]")
    case("t_vips_pred3.tif", "tiff", "e_float.npy", "yx")
    case("t_vips_pred3_lzw_tiles.tif", "tiff", "e_float.npy", "yx")
    vips("tmp_w.tif", "t_vips_lzw_pred2.tif[compression=lzw,predictor=horizontal]")
    case("t_vips_lzw_pred2.tif", "tiff", "e_wide16.npy", "yx")
    vips("tmp_w.tif", "t_vips_zstd_big.tif[compression=zstd,bigtiff,predictor=horizontal]")
    case("t_vips_zstd_big.tif", "tiff", "e_wide16.npy", "yx")
    vips("tmp_8.tif", "t_vips_zstd_tiles.tif[compression=zstd,tile,tile-width=32,tile-height=16]")
    case("t_vips_zstd_tiles.tif", "tiff", "e_wide.npy", "yx")
    for bits in (1, 2, 4):
        top = (1 << bits) - 1
        levels = smooth((20, 24), "u1") & top
        expect(f"e_bits{bits}.npy", levels.astype(bool) if bits == 1 else levels)
        tifffile.imwrite("tmp_b.tif", (levels.astype(np.uint16) * 255 // top).astype("u1"))
        vips("tmp_b.tif", f"t_vips_bits{bits}.tif[bitdepth={bits}]")
        case(f"t_vips_bits{bits}.tif", "tiff", f"e_bits{bits}.npy", "yx")
    # a pyramid: reduced pages after the first are not part of the array
    vips("tmp_8.tif", "t_vips_pyramid.tif[tile,pyramid,tile-width=32,tile-height=32,"
         "compression=deflate]")
    case("t_vips_pyramid.tif", "tiff", "e_wide.npy", "yx")
    for f in ("tmp_f.tif", "tmp_w.tif", "tmp_8.tif", "tmp_b.tif"):
        os.unlink(f)


def make_npy():
    a = pattern((4, 5, 6), "i4")
    expect("e_npy.npy", a)
    raw = {"n_v1.npy": (a, (1, 0)), "n_v2.npy": (a, (2, 0)), "n_v3.npy": (a, (3, 0)),
           "n_fortran.npy": (np.asfortranarray(a), None), "n_be.npy": (a.astype(">i4"), None),
           "n_fortran_be.npy": (np.asfortranarray(a.astype(">i4")), None)}
    for name, (array, version) in raw.items():
        with open(name, "wb") as f:
            np.lib.format.write_array(f, array, version=version)
        case(name, "npy", "e_npy.npy", "---")
    np.save("n_0d.npy", np.float64(2.5))
    case("n_0d.npy", "npy", "n_0d.npy", "")
    np.save("n_empty.npy", np.zeros((3, 0, 2), "u2"))
    case("n_empty.npy", "npy", "n_empty.npy", "---")


def make_png():
    g8, g16 = pattern((19, 23), "u1"), pattern((19, 23), "u2")
    expect("p_e8.npy", g8)
    expect("p_e16.npy", g16)
    Image.fromarray(g8).save("p_pil_8.png")
    cv2.imwrite("p_cv_16.png", g16)
    Image.fromarray(g16.astype(np.int32)).save("p_pil_16.png")
    for f, e in (("p_pil_8", 8), ("p_cv_16", 16), ("p_pil_16", 16)):
        assert np.array_equal(cv2.imread(f + ".png", cv2.IMREAD_UNCHANGED), np.load(f"p_e{e}.npy"))
        case(f + ".png", "png", f"p_e{e}.npy", "yx")
    vips("p_pil_8.png", "p_vips_8_interlaced.png[interlace]")
    case("p_vips_8_interlaced.png", "png", "p_e8.npy", "yx")
    vips("p_cv_16.png", "p_vips_16_interlaced.png[interlace]")
    case("p_vips_16_interlaced.png", "png", "p_e16.npy", "yx")
    for channels, mode in ((2, "LA"), (3, "RGB"), (4, "RGBA")):
        c = pattern((12, 9, channels), "u1")
        expect(f"p_e{mode}.npy", c)
        Image.fromarray(c, mode).save(f"p_pil_{mode}.png")
        assert np.array_equal(np.array(Image.open(f"p_pil_{mode}.png")), c)
        case(f"p_pil_{mode}.png", "png", f"p_e{mode}.npy", "yxc")
    c16 = pattern((12, 9, 3), "u2")
    expect("p_eRGB16.npy", c16)
    cv2.imwrite("p_cv_RGB16.png", c16[..., ::-1])
    case("p_cv_RGB16.png", "png", "p_eRGB16.npy", "yxc")
    # palette: colours; a palette image with a transparent index has four channels
    index = pattern((10, 11), "u1") % 5
    palette = (np.arange(15) * 16).astype("u1").reshape(5, 3)
    pal = Image.fromarray(index, "P")
    pal.putpalette(palette.tobytes())
    pal.save("p_pil_palette.png")
    expect("p_ePalette.npy", palette[index])
    case("p_pil_palette.png", "png", "p_ePalette.npy", "yxc")
    for bits in (1, 2, 4):
        top = (1 << bits) - 1
        levels = smooth((20, 24), "u1") & top
        expect(f"p_ebits{bits}.npy", (levels.astype(np.uint16) * 255 // top).astype("u1"))
        Image.fromarray(np.load(f"p_ebits{bits}.npy")).save("tmp.png")
        vips("tmp.png", f"p_vips_bits{bits}.png[bitdepth={bits},palette=false]")
        ihdr = open(f"p_vips_bits{bits}.png", "rb").read(33)
        if ihdr[25] == 0 and ihdr[24] == bits:  # grey with that depth, as wanted
            case(f"p_vips_bits{bits}.png", "png", f"p_ebits{bits}.npy", "yx")
        else:
            os.unlink(f"p_vips_bits{bits}.png")
            os.unlink(f"p_ebits{bits}.npy")
    if os.path.exists("tmp.png"):
        os.unlink("tmp.png")
    one = pattern((11, 21), bool)
    Image.fromarray(one).save("p_pil_1.png")
    expect("p_e1.npy", one.astype("u1") * 255)
    case("p_pil_1.png", "png", "p_e1.npy", "yx")


def main():
    os.chdir(os.path.dirname(os.path.abspath(__file__)))
    make_tiff()
    make_npy()
    make_png()
    with open("cases.txt", "w") as f:
        f.write("\n".join(sorted(CASES)) + "\n")
    version = subprocess.run(["vips", "--version"], check=True, capture_output=True, text=True)
    with open("versions.txt", "w") as f:
        f.write(f"numpy {np.__version__}\ntifffile {tifffile.__version__}\nPillow {PIL.__version__}\n"
                f"opencv {cv2.__version__}\n{version.stdout.strip()}\n")


main()
