//! MindIE: a `config.json` and the daemon that reads it.

use serde_json::{Value, json};

use super::command::Command;
use super::{Launch, Part};

/// The daemon, told where its configuration is.
pub fn start(part: &Part) -> Command {
    Command::new("environment", &["./bin/mindieservice_daemon"])
        .variable("NPU_MEMORY_FRACTION", part.memory_fraction.to_string())
}

/// `conf/config.json` of one replica.
pub fn config(part: &Part, launch: &Launch) -> String {
    let value = json!({
        "Version": "1.0.0",
        "ServerConfig": server(),
        "BackendConfig": backend(part, launch),
    });
    format!("{value:#}\n")
}

fn server() -> Value {
    json!({
        "ipAddress": "0.0.0.0",
        "managementIpAddress": "127.0.0.1",
        "port": 8000,
        "managementPort": 1026,
        "allowAllZeroIpListening": true,
        "httpsEnabled": false,
        "openAiSupport": "vllm",
    })
}

fn backend(part: &Part, launch: &Launch) -> Value {
    let devices: Vec<u32> = (0..part.degrees.chips().min(part.node_size)).collect();
    json!({
        "backendName": "mindieservice_llm_engine",
        "modelInstanceNumber": 1,
        "npuDeviceIds": [devices],
        "tokenizerProcessNumber": 8,
        "multiNodesInferEnabled": part.nodes() > 1,
        "ModelDeployConfig": deploy(part, launch),
        "ScheduleConfig": schedule(part, launch),
    })
}

fn deploy(part: &Part, launch: &Launch) -> Value {
    let degrees = part.degrees;
    let mut model = json!({
        "modelInstanceType": "Standard",
        "modelName": launch.model,
        "modelWeightPath": format!("/models/{}", launch.model),
        "worldSize": degrees.chips(),
        "cpuMemSize": 5,
        "npuMemSize": -1,
        "backendType": "atb",
        "trustRemoteCode": false,
    });
    if degrees.dp > 1 || degrees.ep > 1 {
        model["tp"] = degrees.tp.into();
        model["dp"] = degrees.dp.into();
        model["moe_ep"] = degrees.ep.into();
        model["moe_tp"] = (degrees.tp * degrees.dp / degrees.ep.max(1)).into();
    }
    json!({
        "maxSeqLen": part.context,
        "maxInputTokenLen": launch.traffic.input.max(1),
        "truncation": false,
        "ModelConfig": [model],
    })
}

fn schedule(part: &Part, launch: &Launch) -> Value {
    let prompts = (part.step_tokens / launch.traffic.input.max(1)).max(1);
    json!({
        "templateType": "Standard",
        "templateName": "Standard_LLM",
        "cacheBlockSize": part.block,
        "maxPrefillBatchSize": prompts,
        "maxPrefillTokens": part.step_tokens.max(launch.traffic.input),
        "prefillPolicyType": 0,
        "decodePolicyType": 0,
        "maxBatchSize": part.sequences,
        "maxIterTimes": launch.traffic.output,
        "maxPreemptCount": 0,
        "supportSelectBatch": false,
        "maxQueueDelayMicroseconds": 5000,
    })
}
