//! What stands beside the tensors: `quantization_config`, `quant_model_description.json`.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::parts::is_packed;
use super::{Activations, Export, Part, Recipe, Style};
use crate::{Granularity, Grid, ScaleFormat, Symmetry};

impl Export<'_> {
    /// `config.json` with the quantisation in it, in the dialect of the style.
    pub(super) fn config(&self) -> Value {
        let mut config = self.checkpoint.config().as_object().cloned().unwrap_or_default();
        config.shift_remove("quantization_config");
        let published = match self.style {
            Style::CompressedTensors => self.compressed_tensors(),
            Style::Fp8Block => json!({
                "quant_method": "fp8",
                "activation_scheme": "dynamic",
                "fmt": "e4m3",
                "weight_block_size": [128, 128],
                "modules_to_not_convert": self.left_out(),
            }),
            // vllm-ascend is told by the description; `--quantization ascend` on the command line.
            Style::ModelSlim => return Value::Object(config),
        };
        config.insert("quantization_config".to_owned(), published);
        Value::Object(config)
    }

    /// Linear layers that stay in 16 bits, and the head.
    fn left_out(&self) -> Vec<&str> {
        self.kept
            .iter()
            .filter(|weight| weight.tensor.ends_with(".weight"))
            .map(|weight| weight.module.as_str())
            .collect()
    }

    /// One group of modules a recipe; a single recipe applies to all linear layers but those left out.
    fn compressed_tensors(&self) -> Value {
        let mut groups: BTreeMap<&str, (Recipe, Vec<&str>)> = BTreeMap::new();
        for (weight, recipe) in self.chosen.values() {
            groups.entry(recipe.name).or_insert_with(|| (*recipe, Vec::new())).1.push(&weight.module);
        }
        let single = groups.len() == 1;
        let format = groups.values().next().map_or("dense", |(recipe, _)| format(recipe));
        let groups = groups.into_values().enumerate().map(|(index, (recipe, modules))| {
            let targets = if single { json!(["Linear"]) } else { json!(modules) };
            (format!("group_{index}"), group(&recipe, &targets))
        });
        json!({
            "quant_method": "compressed-tensors",
            "format": if single { format } else { "mixed-precision" },
            "quantization_status": "compressed",
            "config_groups": groups.collect::<Map<_, _>>(),
            "ignore": self.left_out(),
            "kv_cache_scheme": null,
        })
    }

    /// `quant_model_description.json`: the kind of each tensor.
    pub(super) fn description<'p>(
        &self,
        parts: impl Iterator<Item = (&'p Part, Option<&'p Recipe>)>,
    ) -> Value {
        let kind = |recipe: Option<&Recipe>| match recipe.map(|recipe| recipe.activations) {
            None => "FLOAT",
            Some(Activations::Plain) => "W8A16",
            Some(_) => "W8A8_DYNAMIC",
        };
        let first = self.chosen.values().next().map(|(_, recipe)| recipe);
        let mut described = Map::new();
        described.insert("model_quant_type".to_owned(), json!(kind(first)));
        described.insert("version".to_owned(), json!("1.0.0"));
        described.insert("group_size".to_owned(), json!(0));
        described.extend(parts.map(|(part, recipe)| (part.name.clone(), json!(kind(recipe)))));
        Value::Object(described)
    }
}

/// compressed-tensors' name of how a recipe's weights are packed.
fn format(recipe: &Recipe) -> &'static str {
    match (recipe.scheme.grid, recipe.scheme.scales) {
        (Grid::E2m1, ScaleFormat::E4m3) => "nvfp4-pack-quantized",
        (Grid::E2m1, _) => "mxfp4-pack-quantized",
        (Grid::E4m3, ScaleFormat::E8m0 | ScaleFormat::E8m0Nearest) => "mxfp8-quantized",
        (Grid::E4m3 | Grid::E5m2, _) => "float-quantized",
        _ if is_packed(recipe) => "pack-quantized",
        _ => "int-quantized",
    }
}

fn group(recipe: &Recipe, targets: &Value) -> Value {
    let inputs = match recipe.activations {
        Activations::Plain => Value::Null,
        Activations::Token => tensor(recipe, "token", None, true),
        Activations::Group(size) => tensor(recipe, group_strategy(recipe), Some(size), true),
    };
    let weights = match recipe.scheme.granularity {
        Granularity::Tensor => tensor(recipe, "tensor", None, false),
        Granularity::Channel => tensor(recipe, "channel", None, false),
        Granularity::Group(size) => tensor(recipe, group_strategy(recipe), Some(size), false),
        Granularity::Block { rows, cols } => {
            let mut block = tensor(recipe, "block", None, false);
            block["block_structure"] = json!([rows, cols]);
            block
        }
    };
    json!({
        "targets": targets,
        "format": format(recipe),
        "weights": weights,
        "input_activations": inputs,
        "output_activations": null,
    })
}

/// Groups below a scale of the whole tensor have a name of their own.
fn group_strategy(recipe: &Recipe) -> &'static str {
    if recipe.scheme.scales == ScaleFormat::E4m3 { "tensor_group" } else { "group" }
}

fn tensor(recipe: &Recipe, strategy: &str, group: Option<usize>, input: bool) -> Value {
    let scheme = &recipe.scheme;
    let dynamic = match (input, scheme.scales) {
        (false, _) => json!(false),
        (true, ScaleFormat::E4m3) => json!("local"),
        (true, _) => json!(true),
    };
    let mut described = json!({
        "num_bits": scheme.grid.bits(),
        "type": if scheme.grid.is_integer() { "int" } else { "float" },
        "symmetric": input || scheme.symmetry != Symmetry::Asymmetric,
        "strategy": strategy,
        "group_size": group,
        "dynamic": dynamic,
    });
    match scheme.scales {
        ScaleFormat::E8m0 | ScaleFormat::E8m0Nearest => {
            described["scale_dtype"] = json!("torch.uint8");
            described["zp_dtype"] = json!("torch.uint8");
        }
        ScaleFormat::E4m3 => described["scale_dtype"] = json!("torch.float8_e4m3fn"),
        _ => {}
    }
    described
}
