#!/usr/bin/env python3
"""Reads a checkpoint that `vitruvian compress --write` wrote with compressed-tensors, and compares it with the original.

    pip install torch safetensors compressed-tensors
    python3 tools/read_compressed.py ORIGINAL_DIR WRITTEN_DIR

Prints, for each linear layer, the package's decompressed weight against the original: signal over noise in dB. The
configuration is parsed by the package, formats are looked up in its registry, and names must be those it expects.
"""

import json
import pathlib
import re
import sys

import torch
from compressed_tensors.compressors import BaseCompressor
from compressed_tensors.quantization import QuantizationConfig
from safetensors import safe_open


def tensors(folder):
    found = {}
    for path in sorted(pathlib.Path(folder).glob("*.safetensors")):
        with safe_open(path, "pt") as file:
            found.update({name: file.get_tensor(name) for name in file.keys()})
    return found


def matches(target, module):
    if target.startswith("re:"):
        return re.match(target[3:], module) is not None
    return target == module or target == "Linear"


def main():
    original, written = tensors(sys.argv[1]), tensors(sys.argv[2])
    config = json.loads((pathlib.Path(sys.argv[2]) / "config.json").read_text())["quantization_config"]
    parsed = QuantizationConfig.model_validate(config)
    worst = float("inf")
    for name, weight in original.items():
        module = name.removesuffix(".weight")
        if weight.ndim != 2 or module in parsed.ignore:
            continue
        scheme = next(s for s in parsed.config_groups.values() if any(matches(t, module) for t in s.targets))
        form = scheme.format or parsed.format
        compressor = BaseCompressor.get_value_from_registry(getattr(form, "value", form))
        state = {key.removeprefix(module + "."): value for key, value in written.items() if key.startswith(module + ".")}
        expected = set(compressor.compression_param_names(scheme))
        if set(state) - {"input_global_scale"} != expected - {"input_global_scale"}:
            sys.exit(f"{module} has {sorted(state)}, expected {sorted(expected)}")
        back = compressor.decompress(state, scheme)["weight"].to(torch.float32)
        weight = weight.to(torch.float32)
        if back.shape != weight.shape:
            sys.exit(f"{module} is {tuple(back.shape)}, was {tuple(weight.shape)}")
        noise = (weight - back).square().sum()
        ratio = 10 * torch.log10(weight.square().sum() / noise).item()
        worst = min(worst, ratio)
        print(f"{module} {getattr(form, 'value', form)} {ratio:.2f} dB")
    print(f"least {worst:.2f} dB")


main()
