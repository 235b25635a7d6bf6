#!/usr/bin/env python3
"""Trains the small decoder of examples/small-decoder on this repository's own prose.

A Llama-type model (RMSNorm, RoPE, grouped-query attention, SwiGLU) over bytes, small enough that the whole compression
pipeline runs on it in a test: 3 layers of width 128, 0.66 million parameters, BF16.

The text is what the repository itself says, at one commit: every Markdown file, the licence, and the documentation
comments of the Rust sources. Every sixteenth block of 2048 bytes is held out and never trained on. The seed is fixed; on
one thread two runs of the same torch write the same bytes.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install torch numpy safetensors
    OMP_NUM_THREADS=1 nice /tmp/venv/bin/python tools/train_small_decoder.py examples/small-decoder

Five minutes of one core. The folder gets config.json, model.safetensors, tokenizer.json, calibration.txt, heldout.txt and
facts.json: what torch itself measures on the held-out text with the weights as stored, for our forward pass to agree with.
"""

import argparse
import hashlib
import json
import math
import subprocess
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file

REVISION = "43e33e082f784134fd99fce98dbf512bbb8d2d34"
BLOCK, HELD_EVERY = 2048, 16
CONTEXT, SHOWN = 256, 96  # length of a sequence, sequences of calibration and of held-out text
CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "vocab_size": 256,
    "hidden_size": 128,
    "intermediate_size": 384,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 32,
    "hidden_act": "silu",
    "rms_norm_eps": 1e-05,
    "rope_theta": 10000.0,
    "max_position_embeddings": 512,
    "attention_bias": False,
    "mlp_bias": False,
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
    "bos_token_id": None,
    "eos_token_id": None,
}


def git(*arguments):
    return subprocess.run(["git", *arguments], check=True, capture_output=True).stdout


def prose(path, text):
    """What a file says: all of it, or the documentation comments of Rust."""
    if path.suffix != ".rs":
        return text
    lines = (line.strip() for line in text.splitlines())
    said = (line[3:].strip() for line in lines if line.startswith(("//!", "///")))
    return "\n".join(said)


def corpus():
    """Training and held-out bytes of the pinned revision."""
    names = git("ls-tree", "-r", "--name-only", REVISION).decode().split("\n")
    paths = [Path(name) for name in names if name.endswith((".md", ".rs")) or name == "LICENSE"]
    paths = [path for path in paths if "zh" not in path.name]
    parts = (prose(path, git("show", f"{REVISION}:{path}").decode()) for path in paths)
    text = "\n\n".join(part for part in parts if part.strip()).encode()
    blocks = [text[at : at + BLOCK] for at in range(0, len(text) - BLOCK, BLOCK)]
    train = b"".join(block for index, block in enumerate(blocks) if index % HELD_EVERY)
    held = b"".join(block for index, block in enumerate(blocks) if index % HELD_EVERY == 0)
    return train, held


def shapes():
    hidden, inner = CONFIG["hidden_size"], CONFIG["intermediate_size"]
    heads, groups, width = (CONFIG[k] for k in ("num_attention_heads", "num_key_value_heads", "head_dim"))
    layer = {
        "input_layernorm": (hidden,),
        "self_attn.q_proj": (heads * width, hidden),
        "self_attn.k_proj": (groups * width, hidden),
        "self_attn.v_proj": (groups * width, hidden),
        "self_attn.o_proj": (hidden, heads * width),
        "post_attention_layernorm": (hidden,),
        "mlp.gate_proj": (inner, hidden),
        "mlp.up_proj": (inner, hidden),
        "mlp.down_proj": (hidden, inner),
    }
    found = {"model.embed_tokens.weight": (CONFIG["vocab_size"], hidden), "model.norm.weight": (hidden,)}
    for index in range(CONFIG["num_hidden_layers"]):
        found |= {f"model.layers.{index}.{name}.weight": shape for name, shape in layer.items()}
    return found | {"lm_head.weight": (CONFIG["vocab_size"], hidden)}


def initial():
    weights = {}
    for name, shape in shapes().items():
        if len(shape) == 1:
            weights[name] = torch.ones(shape)
        else:
            residual = name.endswith(("o_proj.weight", "down_proj.weight"))
            spread = 0.05 / math.sqrt(2 * CONFIG["num_hidden_layers"] if residual else 1)
            weights[name] = torch.randn(shape) * spread
        weights[name].requires_grad_()
    return weights


def norm(x, weight):
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + CONFIG["rms_norm_eps"]) * weight


def rotate(x):
    """RoPE in the half-split order of the Hugging Face checkpoints."""
    length, width = x.shape[-2], x.shape[-1]
    frequency = CONFIG["rope_theta"] ** (-torch.arange(0, width, 2) / width)
    angle = torch.outer(torch.arange(length), frequency)
    cos, sin = angle.cos().repeat(1, 2), angle.sin().repeat(1, 2)
    first, second = x.chunk(2, dim=-1)
    return x * cos + torch.cat((-second, first), dim=-1) * sin


def heads(x, count):
    return x.view(x.shape[0], x.shape[1], count, -1).transpose(1, 2)


def forward(weights, tokens):
    x = weights["model.embed_tokens.weight"][tokens]
    count, groups = CONFIG["num_attention_heads"], CONFIG["num_key_value_heads"]
    for index in range(CONFIG["num_hidden_layers"]):
        get = lambda name, at=f"model.layers.{index}.": weights[f"{at}{name}.weight"]
        h = norm(x, get("input_layernorm"))
        q = rotate(heads(h @ get("self_attn.q_proj").T, count))
        k = rotate(heads(h @ get("self_attn.k_proj").T, groups)).repeat_interleave(count // groups, 1)
        v = heads(h @ get("self_attn.v_proj").T, groups).repeat_interleave(count // groups, 1)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).flatten(2)
        x = x + mixed @ get("self_attn.o_proj").T
        h = norm(x, get("post_attention_layernorm"))
        inner = F.silu(h @ get("mlp.gate_proj").T) * (h @ get("mlp.up_proj").T)
        x = x + inner @ get("mlp.down_proj").T
    return norm(x, weights["model.norm.weight"]) @ weights["lm_head.weight"].T


def loss(weights, tokens):
    logits = forward(weights, tokens[:, :-1])
    return F.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten())


def train(data, steps, batch, peak):
    weights = initial()
    decayed = [w for w in weights.values() if w.dim() > 1]
    plain = [w for w in weights.values() if w.dim() == 1]
    groups = [{"params": decayed, "weight_decay": 0.1}, {"params": plain, "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=peak, betas=(0.9, 0.95))
    generator = torch.Generator().manual_seed(20)
    for step in range(steps):
        warm, left = min(1.0, (step + 1) / 50), step / steps
        rate = peak * warm * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * left)))
        for group in optimiser.param_groups:
            group["lr"] = rate
        starts = torch.randint(len(data) - CONTEXT - 1, (batch,), generator=generator).tolist()
        tokens = torch.stack([data[at : at + CONTEXT + 1] for at in starts])
        value = loss(weights, tokens)
        optimiser.zero_grad()
        value.backward()
        torch.nn.utils.clip_grad_norm_(weights.values(), 1.0)
        optimiser.step()
        if step % 100 == 0 or step == steps - 1:
            print(f"step {step:5} loss {value.item():.4f}", flush=True)
    return {name: weight.detach() for name, weight in weights.items()}


def tokenizer():
    """A byte-level BPE without merges: token i is byte i, in the printable alphabet of the GPT-2 tokeniser."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    letter = {byte: chr(byte) for byte in printable} | {byte: chr(256 + n) for n, byte in enumerate(others)}
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
    return {
        "version": "1.0",
        "added_tokens": [],
        "pre_tokenizer": level,
        "decoder": level,
        "model": {
            "type": "BPE",
            "vocab": {letter[byte]: byte for byte in range(256)},
            "merges": [],
        },
    }


@torch.no_grad()
def facts(folder, held):
    """What torch measures on the stored weights: every window of CONTEXT bytes predicts its last CONTEXT - 1."""
    stored = load_file(folder / "model.safetensors")
    weights = {name: weight.float() for name, weight in stored.items()}
    windows = torch.tensor(list(held)).view(-1, CONTEXT)
    losses = torch.stack([loss(weights, window[None]).double() for window in windows])
    logits = forward(weights, windows[:1, :])[0, -1]
    return {
        "protocol": f"bytes, {len(windows)} windows of {CONTEXT}, each byte after a window's first is predicted",
        "torch": torch.__version__,
        "perplexity_per_byte": math.exp(losses.mean().item()),
        "first_window_last_logits_of_a_to_p": [round(value, 5) for value in logits[97:113].tolist()],
    }


def write(folder, weights, train_bytes, held_bytes):
    folder.mkdir(parents=True, exist_ok=True)
    shown = CONTEXT * SHOWN
    # Windows spread over the whole text, so that they hold its kinds in proportion.
    def spread(text):
        stride = (len(text) - CONTEXT) // (SHOWN - 1)
        return b"".join(text[n * stride : n * stride + CONTEXT] for n in range(SHOWN))

    calibration, held = spread(train_bytes), spread(held_bytes)
    assert len(calibration) == len(held) == shown
    (folder / "calibration.txt").write_bytes(calibration)
    (folder / "heldout.txt").write_bytes(held)
    (folder / "config.json").write_text(json.dumps(CONFIG, indent=2) + "\n")
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer(), ensure_ascii=True, indent=1) + "\n")
    stored = {name: weight.to(torch.bfloat16).contiguous() for name, weight in weights.items()}
    save_file(stored, folder / "model.safetensors", metadata={"format": "pt"})
    found = facts(folder, held) | {
        "revision": REVISION,
        "training_bytes": len(train_bytes),
        "training_sha256": hashlib.sha256(train_bytes).hexdigest(),
    }
    (folder / "facts.json").write_text(json.dumps(found, indent=2) + "\n")
    print(json.dumps(found, indent=2))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--steps", type=int, default=1200)
    parser.add_argument("--batch", type=int, default=12)
    parser.add_argument("--rate", type=float, default=4e-3)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(19)
    train_bytes, held_bytes = corpus()
    print(f"{len(train_bytes)} bytes to train on, {len(held_bytes)} held out")
    data = torch.tensor(list(train_bytes))
    weights = train(data, arguments.steps, arguments.batch, arguments.rate)
    write(arguments.folder, weights, train_bytes, held_bytes)


if __name__ == "__main__":
    main()
