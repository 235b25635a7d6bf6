//! A collective profile as the TOML text of its file.

use std::collections::BTreeMap;
use std::fmt::{Result, Write};

use vitruvian_network::profile::{Custom, Errors, ExpertKernel, ExpertPhase, PeerAccess, Stack};
use vitruvian_network::{CollectiveProfile, Steps};
use vitruvian_quantity::{BytesPerSecond, Seconds, significant};

/// The text of a profile file: a comment for its head, the core designs it answers for, and the figures.
pub fn toml(head: &str, answers_for: &BTreeMap<String, f64>, profile: &CollectiveProfile) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = file(&mut text, head, answers_for, profile);
    text
}

fn file(
    text: &mut String,
    head: &str,
    answers_for: &BTreeMap<String, f64>,
    profile: &CollectiveProfile,
) -> Result {
    head.lines().try_for_each(|line| writeln!(text, "# {line}"))?;
    writeln!(text, "[answers_for]")?;
    answers_for
        .iter()
        .try_for_each(|(design, widening)| writeln!(text, "{design} = {}", number(*widening)))?;
    writeln!(text, "\n[profile]")?;
    origin(text, &profile.stack, &profile.source, profile.points, [profile.in_fit, profile.held_out])?;
    let sigma = [profile.sigma.inside, profile.sigma.across, profile.sigma.experts].map(number);
    writeln!(text, "sigma = {{ inside = {}, across = {}, experts = {} }}", sigma[0], sigma[1], sigma[2])?;
    writeln!(text, "ramp = {}", number(profile.ramp))?;
    protocols(text, profile)?;
    if let Some(switch) = &profile.in_switch {
        writeln!(text, "\n[profile.in_switch]\nstart = {}", time(switch.start))?;
    }
    let [overlap, tree] = [profile.across.overlap, profile.across.tree_bandwidth].map(number);
    writeln!(text, "\n[profile.across]\noverlap = {overlap}\ntree_bandwidth = {tree}")?;
    writeln!(text, "\n[profile.experts]\nlargest = {}", profile.experts.largest)?;
    kernel(text, "low_latency", &profile.experts.low_latency)?;
    profile.experts.normal.iter().try_for_each(|normal| kernel(text, "normal", normal))?;
    profile.custom.iter().try_for_each(|kernels| custom(text, kernels))
}

fn origin(
    text: &mut String,
    stack: &Stack,
    source: &str,
    points: u32,
    [in_fit, held_out]: [Option<Errors>; 2],
) -> Result {
    let (software, version) = (quoted(&stack.software), quoted(&stack.version));
    writeln!(text, "stack = {{ software = {software}, version = {version} }}")?;
    writeln!(text, "source = {}\npoints = {points}", quoted(source))?;
    for (key, errors) in [("in_fit", in_fit), ("held_out", held_out)] {
        if let Some(Errors { mean, median, p90 }) = errors {
            let [mean, median, p90] = [mean, median, p90].map(number);
            writeln!(text, "{key} = {{ mean = {mean}, median = {median}, p90 = {p90} }}")?;
        }
    }
    Ok(())
}

fn protocols(text: &mut String, profile: &CollectiveProfile) -> Result {
    for ring in &profile.ring {
        writeln!(text, "\n[[profile.ring]]\nprotocol = {}", quoted(ring.protocol.name()))?;
        if ring.steps == Steps::Logarithmic {
            writeln!(text, "steps = \"logarithmic\"")?;
        }
        let [step, bandwidth] = [ring.step, ring.bandwidth].map(number);
        writeln!(text, "start = {}\nstep = {step}\nbandwidth = {bandwidth}", time(ring.start))?;
        ring.copy.iter().try_for_each(|copy| writeln!(text, "copy = {}", number(*copy)))?;
    }
    for pair in &profile.pairwise {
        writeln!(text, "\n[[profile.pairwise]]\nprotocol = {}", quoted(pair.protocol.name()))?;
        writeln!(text, "start = {}\npeer = {}", time(pair.start), number(pair.peer))?;
    }
    Ok(())
}

fn kernel(text: &mut String, name: &str, kernel: &ExpertKernel) -> Result {
    writeln!(text, "\n[profile.experts.{name}]")?;
    for (key, phase) in [("dispatch", &kernel.dispatch), ("combine", &kernel.combine)] {
        let ExpertPhase { start, doubling, copy_bandwidth, ramp } = phase;
        let (start, doubling) = (time(*start), time(*doubling));
        let (copy, ramp) = (rate(*copy_bandwidth), number(*ramp));
        write!(text, "{key} = {{ start = {start}, doubling = {doubling}, ")?;
        writeln!(text, "copy_bandwidth = {copy}, ramp = {ramp} }}")?;
    }
    Ok(())
}

fn custom(text: &mut String, kernels: &Custom) -> Result {
    let engines: Vec<String> = kernels.engines.iter().map(|name| quoted(name)).collect();
    writeln!(text, "\n[[profile.custom]]\nengines = [{}]", engines.join(", "))?;
    origin(text, &kernels.stack, &kernels.source, kernels.points, [kernels.in_fit, kernels.held_out])?;
    writeln!(text, "sigma = {}\nlargest = {}", number(kernels.sigma), kernels.largest)?;
    for (key, access) in [("one_shot", &kernels.one_shot), ("two_shot", &kernels.two_shot)] {
        let PeerAccess { start, peer, bandwidth } = access;
        let (start, peer, bandwidth) = (time(*start), time(*peer), number(*bandwidth));
        writeln!(text, "{key} = {{ start = {start}, peer = {peer}, bandwidth = {bandwidth} }}")?;
    }
    if let Some(kernel) = &kernels.multimem {
        let (start, bandwidth) = (time(kernel.start), number(kernel.bandwidth));
        writeln!(
            text,
            "multimem = {{ start = {start}, bandwidth = {bandwidth}, largest = {} }}",
            kernel.largest
        )?;
    }
    Ok(())
}

fn number(value: f64) -> String {
    significant(value, 3)
}

fn time(value: Seconds) -> String {
    format!("\"{} us\"", number(value.get() * 1e6))
}

fn rate(value: BytesPerSecond) -> String {
    format!("\"{} GB/s\"", number(value.get() / 1e9))
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
