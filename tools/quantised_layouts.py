#!/usr/bin/env python3
"""Writes crates/compression/tests/formats/{layouts/,quantisers.txt}: what public packages make of the same weights.

    pip install torch numpy safetensors compressed-tensors auto-round gguf
    python3 tools/quantised_layouts.py crates/compression/tests/formats

`layouts/NAME/` holds a checkpoint of one matrix as the package writes it, and `expected.safetensors` what the same package
reads back. `quantisers.txt` holds FNV-1a checksums of the codes and of the scales that compressed-tensors computes for
matrices of pseudo-random weights.
"""

import json
import pathlib
import sys

import gguf
import numpy as np
import torch
from auto_round.export.export_to_autoround.qlinear_triton_act import QuantLinear
from auto_round.export.export_to_awq.utils import WQLinear_GEMM, dequantize_gemm
from auto_round_extension.torch.qlinear_torch_zp import QuantLinear as TorchLinear
from compressed_tensors.compressors import BaseCompressor
from compressed_tensors.compressors.nvfp4.helpers import unpack_fp4_from_uint8
from compressed_tensors.quantization import QuantizationArgs, QuantizationScheme
from compressed_tensors.quantization.lifecycle.forward import dequantize, quantize
from compressed_tensors.quantization.utils import calculate_qparams, generate_gparam
from safetensors.torch import save_file

OUT = pathlib.Path(sys.argv[1])
MODULE = "model.layers.0.mlp.up_proj"


def splitmix(count, seed):
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + (np.arange(count, dtype=np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def weights(rows, cols, seed=7):
    """Sums of four uniform numbers of 16 bits, a few of them large: exact in 32-bit floats."""
    z = splitmix(rows * cols, seed)
    parts = [((z >> np.uint64(16 * part)) & np.uint64(0xFFFF)).astype(np.int64) - 32768 for part in range(4)]
    values = np.sum(parts, axis=0).astype(np.float32) / np.float32(1 << 21)
    values[::97] *= np.float32(4)
    return torch.from_numpy(values.reshape(rows, cols))


def args(bits, kind, strategy, symmetric=True, **more):
    return QuantizationArgs(num_bits=bits, type=kind, strategy=strategy, symmetric=symmetric, **more)


def grouped(matrix, quantisation):
    """The weights of each scale as the last dimension, and the shape of the scales."""
    rows, cols = matrix.shape
    strategy, group = quantisation.strategy, quantisation.group_size
    if strategy == "tensor":
        return matrix.reshape(1, -1), (1,)
    if strategy == "channel":
        return matrix, (rows, 1)
    if strategy == "block":
        down, across = quantisation.block_structure
        blocks = matrix.reshape(rows // down, down, cols // across, across).permute(0, 2, 1, 3)
        return blocks.reshape(-1, down * across), (rows // down, cols // across)
    return matrix.reshape(-1, group), (rows, cols // group)


def parameters(matrix, quantisation):
    values, shape = grouped(matrix, quantisation)
    overall = None
    if quantisation.strategy == "tensor_group":
        overall = generate_gparam(matrix.min().reshape(1), matrix.max().reshape(1))
    scale, zero = calculate_qparams(values.amin(-1), values.amax(-1), quantisation, global_scale=overall)
    return scale.reshape(shape), zero.reshape(shape), overall


CASES = {
    "int8-tensor": args(8, "int", "tensor"),
    "int8-channel": args(8, "int", "channel"),
    "int8-channel-asymmetric": args(8, "int", "channel", False),
    "int4-channel": args(4, "int", "channel"),
    "int4-group32": args(4, "int", "group", group_size=32),
    "int4-group32-asymmetric": args(4, "int", "group", False, group_size=32),
    "fp8-tensor": args(8, "float", "tensor"),
    "fp8-channel": args(8, "float", "channel"),
    "fp8-block128": args(8, "float", "block", block_structure=[128, 128]),
    "mxfp8": args(8, "float", "group", group_size=32, scale_dtype=torch.uint8, zp_dtype=torch.uint8),
    "mxfp4": args(4, "float", "group", group_size=32, scale_dtype=torch.uint8, zp_dtype=torch.uint8),
    "nvfp4": args(4, "float", "tensor_group", group_size=16, scale_dtype=torch.float8_e4m3fn),
}


def checksum(data):
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"


def quantisers():
    """Scales as they are used, in 32-bit floats, and quantised numbers as 32-bit floats."""
    matrix = weights(256, 512)
    with open(OUT / "quantisers.txt", "w", encoding="utf-8") as lines:
        for name, quantisation in CASES.items():
            scale, zero, overall = parameters(matrix, quantisation)
            codes = quantize(matrix, scale, zero, quantisation, global_scale=overall).to(torch.float32)
            if quantisation.type == "int":
                codes = codes + 0.0  # no negative zero
            used = scale.to(torch.float32) if overall is None else scale.to(torch.float32) / overall
            sums = [checksum(part.contiguous().numpy().tobytes()) for part in (used, zero.to(torch.float32), codes)]
            print(name, *sums, file=lines)


def save(name, config, tensors, expected):
    folder = OUT / "layouts" / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps({"model_type": "llama", **config}) + "\n")
    if tensors is not None:
        save_file({f"{MODULE}.{key}": value.contiguous() for key, value in tensors.items()}, folder / "model.safetensors")
    expected = expected.to(torch.float32).contiguous()
    save_file({"expected": expected}, OUT / "layouts" / f"{name}.expected")


def compressed(name, format_name, quantisation, rows=32, cols=64):
    matrix = weights(rows, cols)
    scheme = QuantizationScheme(targets=["Linear"], weights=quantisation, format=format_name)
    scale, zero, overall = parameters(matrix, quantisation)
    state = {"weight": matrix, "weight_scale": scale, "weight_zero_point": zero.to(torch.int8)}
    if overall is not None:
        state["weight_global_scale"] = overall
    compressor = BaseCompressor.get_value_from_registry(format_name)
    stored = compressor.compress(dict(state), scheme)
    if quantisation.num_bits == 4 and quantisation.type == "float":
        # The package unpacks to bfloat16; the same in 32 bits.
        numbers = unpack_fp4_from_uint8(stored["weight_packed"], rows, cols, dtype=torch.float32)
        back = dequantize(numbers, scale.to(torch.float32), args=quantisation, global_scale=overall, dtype=torch.float32)
    else:
        back = compressor.decompress(dict(stored), scheme)["weight"]
    groups = {"group_0": {"targets": ["Linear"], "weights": json.loads(quantisation.model_dump_json())}}
    config = {"quant_method": "compressed-tensors", "format": format_name, "config_groups": groups}
    stored.pop("weight_zero_point") if quantisation.symmetric and "weight_zero_point" in stored else None
    save(name, {"quantization_config": config}, stored, back)


def affine(matrix, group):
    """Scales of 16 bits and zero points of 4, as [rows, groups]."""
    blocks = matrix.reshape(matrix.shape[0], -1, group)
    low, high = blocks.amin(-1).clamp(max=0), blocks.amax(-1).clamp(min=0)
    scales = ((high - low) / 15).half().float()
    return scales, torch.round(-low / scales).clamp(1, 15)


def gptq():
    matrix = weights(32, 64)
    scales, zeros = affine(matrix, 32)
    linear = torch.nn.Linear(64, 32, bias=False)
    linear.weight.data = matrix.clone()
    # What is packed must be in range.
    spread = scales.repeat_interleave(32, 1), zeros.repeat_interleave(32, 1)
    linear.weight.data = (torch.round(matrix / spread[0] + spread[1]).clamp(0, 15) - spread[1]) * spread[0]
    packed = QuantLinear(4, 32, 64, 32, False)
    packed.pack(linear, scales, zeros.clone(), torch.ones(1), torch.ones(1), device="cpu")
    layer = TorchLinear(4, 32, 64, 32, False)
    layer.qweight, layer.qzeros, layer.scales = packed.qweight, packed.qzeros, packed.scales.float()
    expected = layer.forward(torch.eye(64)).T
    config = {"quant_method": "gptq", "bits": 4, "group_size": 32, "desc_act": False, "sym": False}
    tensors = {"qweight": packed.qweight, "qzeros": packed.qzeros, "scales": packed.scales}
    tensors["g_idx"] = torch.arange(64, dtype=torch.int32) // 32
    save("gptq", {"quantization_config": config}, tensors, expected)


def awq():
    matrix = weights(32, 64)
    scales, zeros = affine(matrix, 32)
    linear = torch.nn.Linear(64, 32, bias=False)
    spread = scales.repeat_interleave(32, 1), zeros.repeat_interleave(32, 1)
    linear.weight.data = (torch.round(matrix / spread[0] + spread[1]).clamp(0, 15) - spread[1]) * spread[0]
    packed = WQLinear_GEMM.from_linear(linear, 4, 32, scales=scales.T.contiguous(), zeros=zeros.T.contiguous(), device="cpu")
    expected = dequantize_gemm(packed.qweight, packed.qzeros, packed.scales.float(), 4, 32).T
    config = {"quant_method": "awq", "bits": 4, "group_size": 32, "zero_point": True, "version": "gemm"}
    tensors = {"qweight": packed.qweight, "qzeros": packed.qzeros, "scales": packed.scales}
    save("awq", {"quantization_config": config}, tensors, expected)


def ggml():
    """Every type in one file; blocks that the package cannot quantise to are random with a sane scale."""
    folder = OUT / "layouts" / "gguf"
    folder.mkdir(parents=True, exist_ok=True)
    writer = gguf.GGUFWriter(folder / "model.gguf", "llama")
    writer.add_array("tokenizer.ggml.tokens", ["a", "b", "ü"])
    writer.add_context_length(2048)
    expected = {}
    rows, cols = 4, 512
    matrix = weights(rows, cols).numpy()
    types = gguf.GGMLQuantizationType
    for kind in (types.F32, types.F16, types.BF16, types.Q8_0, types.Q4_0, types.Q4_K, types.Q6_K):
        if kind in (types.Q4_K, types.Q6_K):
            _, size = gguf.GGML_QUANT_SIZES[kind]
            data = (splitmix(rows * cols // 256 * size, 11) & np.uint64(255)).astype(np.uint8).reshape(-1, size)
            halves = slice(0, 4) if kind == types.Q4_K else slice(208, 210)
            data[:, halves] = np.array([0.011, 0.007], np.float16).view(np.uint8)[: halves.stop - halves.start]
            data = data.reshape(rows, -1)
        else:
            data = gguf.quants.quantize(matrix, kind)
        name = f"{kind.name.lower()}.weight"
        writer.add_tensor(name, data, raw_dtype=kind)
        expected[name] = torch.from_numpy(gguf.quants.dequantize(data, kind).astype(np.float32).reshape(rows, cols).copy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    save_file(expected, OUT / "layouts" / "gguf.expected")


def main():
    torch.manual_seed(0)
    quantisers()
    compressed("ct-int4-group", "pack-quantized", CASES["int4-group32"])
    compressed("ct-int4-group-asymmetric", "pack-quantized", CASES["int4-group32-asymmetric"])
    compressed("ct-int8-channel", "int-quantized", CASES["int8-channel"])
    compressed("ct-fp8-channel", "float-quantized", CASES["fp8-channel"])
    compressed("ct-fp8-block", "float-quantized", args(8, "float", "block", block_structure=[16, 32]))
    compressed("ct-mxfp4", "mxfp4-pack-quantized", CASES["mxfp4"])
    compressed("ct-nvfp4", "nvfp4-pack-quantized", CASES["nvfp4"])
    compressed("ct-mxfp8", "mxfp8-quantized", CASES["mxfp8"])
    gptq()
    awq()
    ggml()


main()
