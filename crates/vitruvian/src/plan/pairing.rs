//! Which engines can hand KV caches to each other, and under which rules of their connectors.

use vitruvian_engine::EngineProfile;
use vitruvian_model::{Mixer, Model};
use vitruvian_planner::plan::Pairing;

/// The rule under which `prefill` hands caches to `decode`; nothing where no published connector joins them.
///
/// - vLLM with vLLM: `NixlConnector` cuts caches anew for other TP degrees.
/// - vLLM Ascend with itself: `MooncakeConnectorV1` wants the TP degree of prefill to be a multiple of decode's unless the
///   model is latent-attention, and decode without pipeline stages (`vllm_ascend/ascend_config.py`,
///   `mooncake_connector.py`, 0.18.0).
/// - vLLM with vLLM Ascend: both register an LMCache connector.
/// - SGLang with itself: Mooncake.
pub(super) fn pairing(prefill: &EngineProfile, decode: &EngineProfile, model: &Model) -> Option<Pairing> {
    let free = Pairing { tp_multiple: false, flat_decode: false };
    match (prefill.name.as_str(), decode.name.as_str()) {
        ("vllm", "vllm" | "vllm-ascend") | ("vllm-ascend", "vllm") | ("sglang", "sglang") => Some(free),
        ("vllm-ascend", "vllm-ascend") => Some(Pairing { tp_multiple: !latent(model), flat_decode: true }),
        _ => None,
    }
}

/// The connectors of both ends, as a person reads them.
pub(super) fn connector(prefill: &EngineProfile, decode: &EngineProfile) -> String {
    match (prefill.name.as_str(), decode.name.as_str()) {
        ("vllm", "vllm") => "NixlConnector".to_owned(),
        ("vllm-ascend", "vllm-ascend") => "MooncakeConnectorV1".to_owned(),
        ("sglang", "sglang") => "mooncake".to_owned(),
        (one, other) => {
            [one, other].map(|name| if name == "vllm" { LMCACHE.0 } else { LMCACHE.1 }).join(" to ")
        }
    }
}

/// LMCache's connectors in vLLM and in vLLM Ascend.
const LMCACHE: (&str, &str) = ("LMCacheConnectorV1", "LMCacheAscendConnector");

/// What a reader must know of a transfer between engines of two makers.
pub(super) const FOREIGN: &str = "a KV transfer between vLLM and vLLM Ascend is not something either project documents: \
     both register an LMCache connector, but check on two chips that a cache written by one is read by the other";

fn latent(model: &Model) -> bool {
    model.kinds.iter().any(|layer| matches!(layer.mixer, Mixer::Mla(_)))
}
