//! A Kubernetes manifest: a StatefulSet and its services a part, and a Deployment for the router.

use serde_json::{Value, json};

use super::command::Command;
use super::{Engine, Launch, Maker, Part, Role, command, router, yaml};

/// The manifest of the whole deployment.
pub fn manifest(launch: &Launch) -> String {
    let mut documents: Vec<Value> = Vec::new();
    for part in &launch.parts {
        documents.push(workload(part, launch));
        documents.push(headless(part));
        if part.engine == Engine::Mindie {
            documents.push(configuration(part, launch));
        }
    }
    match router::router(launch) {
        Some(router) => documents.extend([router_workload(&router, launch), front("router")]),
        None => documents.extend(launch.parts.first().map(|part| front(&part.name))),
    }
    documents.iter().map(yaml::document).collect()
}

/// Name under which the device plug-in of a maker hands out chips.
pub fn resource(maker: Maker) -> &'static str {
    match maker {
        Maker::Nvidia => "nvidia.com/gpu",
        Maker::Huawei => "huawei.com/Ascend910",
        Maker::Amd => "amd.com/gpu",
    }
}

/// Stable names, so that a router finds each replica and the nodes of a replica find their first.
fn workload(part: &Part, launch: &Launch) -> Value {
    let chips = part.degrees.chips().div_ceil(part.nodes());
    let mut limits = json!({});
    limits[resource(part.maker)] = chips.into();
    let mut volumes = vec![
        json!({ "name": "models", "persistentVolumeClaim": { "claimName": "models" } }),
        json!({ "name": "shared-memory", "emptyDir": { "medium": "Memory" } }),
    ];
    let mut mounts = vec![
        json!({ "name": "models", "mountPath": "/models" }),
        json!({ "name": "shared-memory", "mountPath": "/dev/shm" }),
    ];
    if part.engine == Engine::Mindie {
        volumes.push(json!({ "name": "config", "configMap": { "name": part.name } }));
        mounts.push(
            json!({ "name": "config", "mountPath": "/usr/local/Ascend/mindie/latest/mindie-service/conf" }),
        );
    }
    let container = json!({
        "name": "engine",
        "image": image(part.engine),
        "command": ["/bin/sh", "-c"],
        "args": [script(part, launch)],
        "env": environment(launch),
        "ports": [{ "containerPort": 8000, "name": "http" }],
        "resources": { "limits": limits },
        "volumeMounts": mounts,
    });
    json!({
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": { "name": part.name, "labels": labels(&part.name, part.role) },
        "spec": {
            "serviceName": part.name,
            "replicas": part.replicas * part.nodes(),
            "podManagementPolicy": "Parallel",
            "selector": { "matchLabels": { "app": part.name } },
            "template": {
                "metadata": { "labels": labels(&part.name, part.role) },
                "spec": { "containers": [container], "volumes": volumes },
            },
        },
    })
}

/// Where a replica spans nodes, a pod's ordinal says which node it is of which replica.
fn script(part: &Part, launch: &Launch) -> String {
    let start = command(part, launch).shell();
    if part.nodes() == 1 {
        return start;
    }
    let (name, nodes) = (&part.name, part.nodes());
    format!(
        "ordinal=\"${{HOSTNAME##*-}}\"\nexport NODE_RANK=$((ordinal % {nodes}))\n\
         export MASTER_ADDR=\"{name}-$((ordinal / {nodes} * {nodes})).{name}\"\n{start}"
    )
}

fn environment(launch: &Launch) -> Value {
    json!([
        { "name": "MODEL", "value": format!("/models/{}", launch.model) },
        { "name": "POD_IP", "valueFrom": { "fieldRef": { "fieldPath": "status.podIP" } } },
    ])
}

/// Gives each pod its name; no address of its own.
fn headless(part: &Part) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": { "name": part.name },
        "spec": {
            "clusterIP": "None",
            "publishNotReadyAddresses": true,
            "selector": { "app": part.name },
            "ports": [{ "name": "http", "port": 8000 }],
        },
    })
}

/// What clients speak to.
fn front(app: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": { "name": "vitruvian-service" },
        "spec": { "selector": { "app": app }, "ports": [{ "name": "http", "port": 8000, "targetPort": 8000 }] },
    })
}

fn router_workload(router: &Command, launch: &Launch) -> Value {
    let engine = launch.parts.first().map_or(Engine::Vllm, |part| part.engine);
    let package = if engine == Engine::Sglang { "sglang-router==0.3.2" } else { "vllm-router==0.1.17" };
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": { "name": "router", "labels": { "app": "router" } },
        "spec": {
            "replicas": 1,
            "selector": { "matchLabels": { "app": "router" } },
            "template": {
                "metadata": { "labels": { "app": "router" } },
                "spec": { "containers": [{
                    "name": "router",
                    "image": "python:3.12-slim",
                    "command": ["/bin/sh", "-c"],
                    "args": [format!("pip install {package}\n{}", router.shell())],
                    "ports": [{ "containerPort": 8000, "name": "http" }],
                }] },
            },
        },
    })
}

fn configuration(part: &Part, launch: &Launch) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": { "name": part.name },
        "data": { "config.json": super::mindie::config(part, launch) },
    })
}

fn labels(name: &str, role: Role) -> Value {
    let role = match role {
        Role::Whole => "whole",
        Role::Prefill => "prefill",
        Role::Decode => "decode",
    };
    json!({ "app": name, "role": role })
}

/// Published image of the version whose options are used. MindIE's needs an account with its maker.
fn image(engine: Engine) -> &'static str {
    match engine {
        Engine::Vllm => "vllm/vllm-openai:v0.24.0",
        Engine::Sglang => "lmsysorg/sglang:v0.5.10",
        Engine::VllmAscend => "quay.io/ascend/vllm-ascend:v0.18.0",
        Engine::Mindie => "mindie:2.1",
    }
}
