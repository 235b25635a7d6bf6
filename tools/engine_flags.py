#!/usr/bin/env python3
"""Writes catalog/engines/flags-*.toml: the option names that launch files may use, read from published packages.

    pip download --no-deps --only-binary :all: vllm==0.24.0 -d wheels     (a wheel is a zip archive)
    tools/engine_flags.py FOLDER            writes the lists of every package found unpacked below FOLDER
    tools/engine_flags.py FOLDER --check    writes nothing and says what differs; exit status 1 if anything does

FOLDER holds one folder a package and version, such as `vllm-0.24.0` with `vllm/` in it. Sources are parsed, never
imported, so that no accelerator library is needed. Names are facts; no text of the packages is copied.
"""

import ast
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent.parent / "catalog" / "engines"
VLLM_ARGUMENTS = ["vllm/engine/arg_utils.py", "vllm/entrypoints/openai/cli_args.py", "vllm/entrypoints/cli/serve.py"]
CONNECTORS = ["vllm/distributed/kv_transfer/kv_connector/factory.py"]

# File, then its lists: name, package folder, how words are found, modules.
FILES = {
    "vllm": [
        ("vllm serve", "vllm-0.24.0", "options", VLLM_ARGUMENTS),
        ("vllm bench serve", "vllm-0.24.0", "options",
         ["vllm/benchmarks/serve.py", "vllm/benchmarks/datasets/datasets.py"]),
        ("kv connectors", "vllm-0.24.0", "connectors", CONNECTORS),
        ("kv-transfer-config", "vllm-0.24.0", "fields:KVTransferConfig", ["vllm/config/kv_transfer.py"]),
        ("quantization", "vllm-0.24.0", "literal:QuantizationMethods",
         ["vllm/model_executor/layers/quantization/__init__.py"]),
        ("environment", "vllm-0.24.0", "keys:environment_variables", ["vllm/envs.py"]),
        ("vllm-router", "vllm_router-0.1.17", "options", ["vllm_router/router_args.py"]),
    ],
    "vllm-ascend": [
        ("vllm serve", "vllm-0.18.0", "options", VLLM_ARGUMENTS),
        ("kv connectors", "vllm_ascend-0.18.0", "connectors",
         ["vllm_ascend/distributed/kv_transfer/__init__.py"]),
        ("kv-transfer-config", "vllm-0.18.0", "fields:KVTransferConfig", ["vllm/config/kv_transfer.py"]),
        ("additional-config", "vllm_ascend-0.18.0", "get:additional_config", ["vllm_ascend/ascend_config.py"]),
        ("environment", "vllm_ascend-0.18.0", "keys:env_variables", ["vllm_ascend/envs.py"]),
        ("vllm-router", "vllm_router-0.1.17", "options", ["vllm_router/router_args.py"]),
    ],
    "sglang": [
        ("sglang.launch_server", "sglang-0.5.10", "options", ["sglang/srt/server_args.py"]),
        ("quantization", "sglang-0.5.10", "list:QUANTIZATION_CHOICES", ["sglang/srt/server_args.py"]),
        ("kv connectors", "sglang-0.5.10", "list:DISAGG_TRANSFER_BACKEND_CHOICES", ["sglang/srt/server_args.py"]),
        ("sglang_router.launch_router", "sglang_router-0.3.2", "options", ["sglang_router/router_args.py"]),
    ],
}


def called(node):
    return isinstance(node, ast.Call) and (getattr(node.func, "attr", None) or getattr(node.func, "id", ""))


def text(node):
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def option(node):
    """A literal `--name`, or `f"--{prefix}name"`, whose prefix is empty on the command line."""
    if isinstance(node, ast.JoinedStr):
        parts = [text(part) for part in node.values]
        return "--" + parts[-1] if parts[0] == "--" and len(parts) == 3 and parts[-1] else None
    value = text(node)
    return value if value and value.startswith("--") and len(value) > 2 else None


def options(tree):
    for node in ast.walk(tree):
        if called(node) == "add_argument":
            yield from filter(None, map(option, node.args))
        # vLLM turns the fields of these classes into options.
        if isinstance(node, ast.ClassDef) and node.name.endswith("FrontendArgs"):
            for name in fields(node):
                yield "--" + name.replace("_", "-")


def fields(node):
    return [item.target.id for item in node.body if isinstance(item, ast.AnnAssign)]


def find(tree, how):
    kind, _, name = how.partition(":")
    for node in ast.walk(tree):
        target = getattr(node, "target", None) or (getattr(node, "targets", None) or [None])[0]
        here = getattr(target, "id", None) == name
        if kind == "connectors" and called(node) == "register_connector" and node.args and text(node.args[0]):
            yield text(node.args[0])
        elif kind == "fields" and isinstance(node, ast.ClassDef) and node.name == name:
            yield from fields(node)
        elif kind == "literal" and here and isinstance(node.value, ast.Subscript):
            yield from filter(None, map(text, node.value.slice.elts))
        elif kind == "list" and here and isinstance(node.value, ast.List):
            yield from filter(None, map(text, node.value.elts))
        elif kind == "keys" and here and isinstance(node.value, ast.Dict):
            yield from filter(None, map(text, node.value.keys))
        elif kind == "get" and called(node) == "get" and getattr(node.func.value, "id", "") == name:
            yield text(node.args[0])


def words(folder, package, how, modules):
    found = set()
    for module in modules:
        path = folder / package / module
        if path.exists():
            tree = ast.parse(path.read_text())
            found |= set(options(tree) if how == "options" else find(tree, how))
    if not found:
        sys.exit(f"nothing found in {package}: {', '.join(modules)}")
    return sorted(found)


def wrapped(items):
    lines, line = [], "   "
    for item in (f'"{item}",' for item in items):
        if len(line) + 1 + len(item) > 110:
            lines.append(line)
            line = "   "
        line += " " + item
    return "\n".join([*lines, line])


def document(title, lists, folder):
    out = [f"# Names that launch files for {title} may use, read by tools/engine_flags.py from the packages named."]
    for name, package, how, modules in lists:
        project, _, version = package.rpartition("-")
        out.append(f'\n[[list]]\nname = "{name}"\npackage = "{project.replace("_", "-")}"\nversion = "{version}"')
        out.append('grade = "datasheet"')
        out.append(f"words = [\n{wrapped(words(folder, package, how, modules))}\n]")
    return "\n".join(out) + "\n"


def main():
    if len(sys.argv) < 2 or not pathlib.Path(sys.argv[1]).is_dir():
        sys.exit(__doc__)
    folder, check = pathlib.Path(sys.argv[1]), "--check" in sys.argv[2:]
    stale = []
    for title, lists in FILES.items():
        path, made = HERE / f"flags-{title}.toml", document(title, lists, folder)
        if check and (not path.exists() or path.read_text() != made):
            stale.append(path.name)
        elif not check:
            path.write_text(made)
    if stale:
        sys.exit(f"out of date: {', '.join(stale)}")


if __name__ == "__main__":
    main()
