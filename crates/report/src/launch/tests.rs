//! Every name that is written must be one of the named version.

use serde_json::Value;

use super::*;

fn degrees(tp: u32, dp: u32, ep: u32) -> Degrees {
    Degrees { tp, pp: 1, dp, ep }
}

fn part(engine: Engine, role: Role, precision: &str) -> Part {
    let huawei = matches!(engine, Engine::VllmAscend | Engine::Mindie);
    Part {
        name: format!("{}-chip", engine.name()),
        role,
        engine,
        chip: "a chip".to_owned(),
        maker: if huawei { Maker::Huawei } else { Maker::Nvidia },
        node_size: 8,
        degrees: degrees(4, 2, 8),
        replicas: 2,
        sequences: 64,
        step_tokens: 8192,
        block: 16,
        context: 5120,
        memory_fraction: 0.9,
        format: Format { name: precision.to_owned(), published: false, kv: "fp8".to_owned() },
        exchange: None,
        peer: (role != Role::Whole).then_some(Peer { degrees: degrees(8, 1, 1), same_engine: true }),
    }
}

fn launch(parts: Vec<Part>) -> Launch {
    Launch {
        model: "llama-3.1-70b".to_owned(),
        parts,
        traffic: Traffic {
            input: 4096,
            shared_prefix: 1024,
            output: 512,
            rate: 2.5,
            ttft_ms: Some(2000.0),
            tpot_ms: Some(50.0),
            recorded: None,
        },
        predicted: vec!["TTFT 300 ms".to_owned()],
        notes: Vec::new(),
    }
}

/// Everything that can be emitted: engines × roles × precisions × own or foreign peer.
fn all() -> Vec<Launch> {
    let mut all = Vec::new();
    for engine in [Engine::Vllm, Engine::Sglang, Engine::VllmAscend, Engine::Mindie] {
        for precision in ["bf16", "fp8", "fp8-block", "w8a8-dynamic", "w4a16"] {
            all.push(launch(vec![
                part(engine, Role::Whole, precision),
                part(engine, Role::Whole, precision),
            ]));
            for exchange in ["single-batch", "two-batch"] {
                let own = Part { exchange: Some(exchange), ..part(engine, Role::Whole, precision) };
                all.push(launch(vec![own]));
            }
            if engine == Engine::Mindie {
                continue;
            }
            for same_engine in [true, false] {
                let pool = |role| {
                    let mut pool = part(engine, role, precision);
                    pool.degrees.pp = if role == Role::Prefill { 4 } else { 1 };
                    pool.peer = pool.peer.map(|peer| Peer { same_engine, ..peer });
                    pool
                };
                all.push(launch(vec![pool(Role::Prefill), pool(Role::Decode)]));
            }
        }
    }
    all
}

fn known(engine: &str, list: &str) -> Vec<String> {
    names::list(engine, list).unwrap_or_else(|| panic!("{engine} has no list `{list}`")).words
}

fn commands(launch: &Launch) -> Vec<(&'static str, command::Command)> {
    let parts = launch.parts.iter().map(|part| (part.engine.name(), command(part, launch)));
    let engine = launch.parts[0].engine.name();
    let router_of = if engine == "sglang" { "sglang" } else { "vllm" };
    let router = router::router(launch).map(|router| (router_of, router));
    parts.chain(router).chain([("vllm", bench::bench(launch))]).collect()
}

#[test]
fn every_option_is_one_of_the_named_version() {
    for launch in all() {
        for (engine, command) in commands(&launch) {
            let known = known(engine, command.options_of);
            for (option, _) in &command.options {
                assert!(known.iter().any(|word| word == option), "{engine} {}: {option}", command.options_of);
            }
        }
    }
}

#[test]
fn what_hides_the_exchange_between_experts_is_switched_on() {
    let words = |engine, exchange, role| {
        let own = Part { exchange: Some(exchange), ..part(engine, role, "fp8-block") };
        let commands = commands(&launch(vec![own]));
        commands.iter().map(|(_, command)| command.words().join(" ")).collect::<Vec<_>>().join(" ")
    };
    let sglang = words(Engine::Sglang, "single-batch", Role::Whole);
    assert!(sglang.contains("--enable-single-batch-overlap --moe-a2a-backend deepep"), "{sglang}");
    let vllm = words(Engine::Vllm, "two-batch", Role::Prefill);
    assert!(vllm.contains("--enable-dbo --all2all-backend deepep_high_throughput"), "{vllm}");
}

#[test]
fn a_trace_is_replayed_by_options_that_exist() {
    let request = |seconds, input| Request { seconds, input, output: 9, contents: vec![1, 2] };
    let mut launch = launch(vec![part(Engine::Vllm, Role::Whole, "bf16")]);
    launch.traffic.recorded =
        Some(Recorded { unit: 512, requests: vec![request(0.0, 600), request(0.5, 700)] });
    let (command, known) = (bench::bench(&launch), known("vllm", "vllm bench serve"));
    command
        .options
        .iter()
        .for_each(|(option, _)| assert!(known.iter().any(|word| word == option), "{option}"));
    let trace = bench::trace(&launch).unwrap();
    let second: Value = serde_json::from_str(trace.lines().nth(1).unwrap()).unwrap();
    assert_eq!(
        second,
        serde_json::json!({
            "timestamp": 0.5, "input_length": 700, "output_length": 9, "hash_ids": [1, 2],
        })
    );
}

#[test]
fn an_option_that_is_none_would_be_found() {
    assert!(!known("vllm", "vllm serve").contains(&"--max-num-sequences".to_owned()));
    assert!(!known("vllm-ascend", "vllm serve").contains(&"--device-ids".to_owned()), "new since 0.18");
}

#[test]
fn every_variable_is_one_that_the_engine_reads() {
    for launch in all() {
        for (engine, command) in commands(&launch) {
            for (name, _) in &command.environment {
                assert!(known(engine, "environment").iter().any(|word| word == name), "{engine}: {name}");
            }
        }
    }
}

/// The value of an option of a command, read as JSON.
fn json_of(command: &command::Command, option: &str) -> Option<Value> {
    let (_, values) = command.options.iter().find(|(name, _)| *name == option)?;
    Some(serde_json::from_str(&values[0]).unwrap())
}

#[test]
fn transfers_use_connectors_and_keys_that_exist() {
    let mut seen = std::collections::BTreeSet::new();
    for launch in all() {
        for (engine, command) in commands(&launch) {
            if let Some(transfer) = json_of(&command, "--kv-transfer-config") {
                let keys = known(engine, "kv-transfer-config");
                assert!(transfer.as_object().unwrap().keys().all(|key| keys.contains(key)), "{transfer}");
                let connector = transfer["kv_connector"].as_str().unwrap().to_owned();
                assert!(known(engine, "kv connectors").contains(&connector), "{engine}: {connector}");
                seen.insert(connector);
            }
            if let Some(additional) = json_of(&command, "--additional-config") {
                let keys = known(engine, "additional-config");
                assert!(additional.as_object().unwrap().keys().all(|key| keys.contains(key)), "{additional}");
            }
        }
    }
    let expected = ["LMCacheAscendConnector", "LMCacheConnectorV1", "MooncakeConnectorV1", "NixlConnector"];
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn quantisation_methods_exist() {
    for launch in all() {
        for (engine, command) in commands(&launch) {
            for (_, values) in command.options.iter().filter(|(name, _)| *name == "--quantization") {
                // The plug-in registers its method itself: `ASCEND_QUANTIZATION_METHOD`.
                let own = engine == "vllm-ascend" && values[0] == "ascend";
                assert!(own || known(engine, "quantization").contains(&values[0]), "{engine}: {values:?}");
            }
        }
    }
}

#[test]
fn the_router_of_sglang_knows_where_prefill_is_met() {
    let pools = [Role::Prefill, Role::Decode].map(|role| part(Engine::Sglang, role, "bf16"));
    let words = router::router(&launch(pools.to_vec())).unwrap().words().join(" ");
    assert!(
        words.contains("--pd-disaggregation --prefill http://sglang-chip-0.sglang-chip:8000 8998"),
        "{words}"
    );
}

#[test]
fn both_ends_of_a_mooncake_transfer_tell_the_same_degrees() {
    let launch = launch(vec![
        part(Engine::VllmAscend, Role::Prefill, "bf16"),
        Part {
            degrees: degrees(8, 1, 1),
            peer: Some(Peer { degrees: degrees(4, 2, 8), same_engine: true }),
            ..part(Engine::VllmAscend, Role::Decode, "bf16")
        },
    ]);
    let told = |part: &Part| {
        json_of(&command(part, &launch), "--kv-transfer-config").unwrap()["kv_connector_extra_config"].clone()
    };
    assert_eq!(told(&launch.parts[0]), told(&launch.parts[1]));
    assert_eq!(told(&launch.parts[0])["prefill"]["tp_size"], 4);
}

fn keys_of(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(key, item)| {
            found.push(key.clone());
            keys_of(item, found);
        }),
        Value::Array(items) => items.iter().for_each(|item| keys_of(item, found)),
        _ => {}
    }
}

#[test]
fn the_configuration_of_mindie_has_no_unknown_key() {
    let launch = launch(vec![part(Engine::Mindie, Role::Whole, "w8a8-dynamic")]);
    let value: Value = serde_json::from_str(&mindie::config(&launch.parts[0], &launch)).unwrap();
    let (mut found, known) =
        (Vec::new(), [known("mindie", "config.json"), known("mindie", "ScheduleConfig")].concat());
    keys_of(&value, &mut found);
    found.iter().for_each(|key| assert!(known.contains(key), "{key}"));
    assert_eq!(value["BackendConfig"]["ModelDeployConfig"]["ModelConfig"][0]["worldSize"], 8);
}

#[test]
fn sglang_counts_all_ranks_of_a_layer_as_tensor_parallel() {
    let launch = launch(vec![part(Engine::Sglang, Role::Whole, "bf16")]);
    let words = command(&launch.parts[0], &launch).words().join(" ");
    // TP4 × DP2: 8 ranks; 64 sequences of each of two groups.
    assert!(words.contains("--tp-size 8 --dp-size 2 --enable-dp-attention --ep-size 8"), "{words}");
    assert!(words.contains("--max-running-requests 128"), "{words}");
}

#[test]
fn a_manifest_asks_for_the_chips_of_a_replica() {
    let mut wide = part(Engine::Vllm, Role::Whole, "bf16");
    wide.degrees = Degrees { tp: 8, pp: 2, dp: 1, ep: 1 };
    let manifest = kubernetes::manifest(&launch(vec![wide]));
    // 16 chips over nodes of 8: two pods a replica, two replicas.
    assert!(manifest.contains("nvidia.com/gpu: 8\n") && manifest.contains("replicas: 4\n"), "{manifest}");
    assert!(manifest.contains("--nnodes 2") && manifest.contains("NODE_RANK=$((ordinal % 2))"));
    let ascend = kubernetes::manifest(&launch(vec![part(Engine::VllmAscend, Role::Whole, "bf16")]));
    assert!(ascend.contains("huawei.com/Ascend910: 8\n"), "{ascend}");
}

#[test]
fn a_disaggregated_service_has_a_router_that_knows_every_replica() {
    let launch =
        launch(vec![part(Engine::Vllm, Role::Prefill, "bf16"), part(Engine::Vllm, Role::Decode, "bf16")]);
    let words = router::router(&launch).unwrap().words().join(" ");
    assert_eq!(words.matches("--prefill http://").count(), 2);
    assert_eq!(words.matches("--decode http://").count(), 2);
    assert!(!words.contains(" 8998"), "vLLM's connector finds its peer by itself");
    let files = files(&launch);
    let names: Vec<&str> = files.iter().map(|file| &*file.name).collect();
    assert_eq!(
        names,
        ["README.md", "vllm-chip.sh", "vllm-chip.sh", "router.sh", "kubernetes.yaml", "bench.sh"]
    );
}
