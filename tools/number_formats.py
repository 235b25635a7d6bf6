#!/usr/bin/env python3
"""Writes crates/compression/tests/formats/reference.txt: what public implementations make of each number format.

    pip install numpy ml_dtypes en_dtypes
    python3 tools/number_formats.py > crates/compression/tests/formats/reference.txt

`ml_dtypes` (Google) has the OCP and IEEE formats, `en_dtypes` (Huawei) HiFloat8. For each format the file holds the numbers
of all codes (of 8 bits and fewer) as bits of 32-bit floats, and FNV-1a checksums of the codes of three sets of numbers:
halfway between all neighbouring numbers and one step of float32 to either side; 2^20 random ones within the
format's exponents; and 2^20 random patterns of 32 bits. What lies beyond the largest number is set to it first: quantisers
saturate.
"""

import ml_dtypes
import numpy as np
from en_dtypes import hifloat8

FORMATS = {
    "int4": (ml_dtypes.int4, 4, 7.0, -8.0),
    "int8": (np.int8, 8, 127.0, -128.0),
    "fp8-e4m3": (ml_dtypes.float8_e4m3fn, 8, 448.0, -448.0),
    "fp8-e5m2": (ml_dtypes.float8_e5m2, 8, 57344.0, -57344.0),
    "hif8": (hifloat8, 8, 32768.0, -32768.0),
    "fp4-e2m1": (ml_dtypes.float4_e2m1fn, 4, 6.0, -6.0),
    "bf16": (ml_dtypes.bfloat16, 16, float(ml_dtypes.finfo(ml_dtypes.bfloat16).max), None),
    "fp16": (np.float16, 16, 65504.0, -65504.0),
}
COUNT = 1 << 20


def random(seed):
    """SplitMix64, a state a number."""
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + (np.arange(COUNT, dtype=np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def patterns():
    bits = (random(1) >> np.uint64(32)).astype(np.uint32)
    values = bits.view(np.float32)
    return np.where(np.isfinite(values), values, np.float32(0))


def within():
    z = random(2)
    exponent = (np.uint64(127 - 26) + (z >> np.uint64(40)) % np.uint64(44)).astype(np.uint32)
    mantissa = (z & np.uint64(0x7FFFFF)).astype(np.uint32)
    sign = ((z >> np.uint64(23)) & np.uint64(1)).astype(np.uint32)
    return ((sign << 31) | (exponent << 23) | mantissa).view(np.float32)


def halfway(numbers):
    values = np.unique(numbers[np.isfinite(numbers)]).astype(np.float64)
    middle = ((values[1:] + values[:-1]) / 2).astype(np.float32)
    down, up = np.nextafter(middle, np.float32(-np.inf)), np.nextafter(middle, np.float32(np.inf))
    return np.stack([down, middle, up], axis=1).reshape(-1)


def numbers_of(dtype, bits):
    codes = np.arange(1 << bits, dtype=np.uint16 if bits == 16 else np.uint8)
    if dtype is ml_dtypes.int4:
        return ((codes.astype(np.int8) << 4) >> 4).astype(np.float32)
    return codes.view(dtype).astype(np.float32)


def codes_of(values, dtype, bits, most, least):
    clipped = np.clip(values, np.float32(-most if least is None else least), np.float32(most))
    if dtype in (np.int8, ml_dtypes.int4):
        return np.rint(clipped).astype(np.int8).view(np.uint8) & np.uint8((1 << bits) - 1)
    codes = clipped.astype(dtype)
    return codes.view(np.uint16 if bits == 16 else np.uint8)


def checksum(codes):
    value = 0xCBF29CE484222325
    for byte in codes.tobytes():
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"


def main():
    for name, (dtype, bits, most, least) in FORMATS.items():
        numbers = numbers_of(dtype, bits)
        if bits <= 8:
            shown = np.where(np.isnan(numbers), np.float32(np.nan), numbers).view(np.uint32)
            print(name, "numbers", *(f"{value:08x}" for value in shown))
        for title, values in (("halfway", halfway(numbers)), ("within", within()), ("patterns", patterns())):
            print(name, title, len(values), checksum(codes_of(values, dtype, bits, most, least)))


main()
