#![allow(missing_docs, clippy::all, clippy::pedantic, clippy::print_stdout, clippy::unwrap_used)]
use vitruvian_davinci::isa::*;
use vitruvian_davinci::kernels::gemm::*;
use vitruvian_davinci::timing::*;
use vitruvian_davinci::tiling::*;
use vitruvian_davinci::*;

fn main() {
    let chip = vitruvian_hardware::catalog::chip("ascend-910b2").unwrap();
    let mut core = CoreTiming::of(chip.architecture).unwrap();
    let get = |k: &str, d: f64| std::env::var(k).ok().and_then(|v| v.parse().ok()).unwrap_or(d);
    core.hbm_efficiency = get("HBM", 0.9);
    core.gm_l1_nd2nz.startup = get("START", 185.0) as u32;
    core.miss_latency = get("MISS", 150.0) as u32;
    let machine = Machine::new(&chip, core).unwrap();
    let text = std::fs::read_to_string("/work/shared/data/operators/ascend-910b/gemm.csv").unwrap();
    println!("m,n,k,us,tm,tn,split,swz,cycles,hbm,warm");
    let mut menu = Menu::library();
    if let Ok(v) = std::env::var("MMIN") { let v: u32 = v.parse().unwrap(); menu.m.retain(|m| *m >= v); }
    if let Ok(v) = std::env::var("NMIN") { let v: u32 = v.parse().unwrap(); menu.n.retain(|m| *m >= v); }
    for line in text.lines().filter(|l| l.starts_with("bf16")) {
        let f: Vec<&str> = line.split(',').collect();
        let (m, n, k): (u32, u32, u32) = (f[1].parse().unwrap(), f[2].parse().unwrap(), f[3].parse().unwrap());
        let p = GemmProblem::new(m, n, k, Type::Bf16);
        let warm = Warmth::rotating(6.0 * p.footprint(), machine.shared.l2_capacity as f64, 16, p.written() / p.footprint());
        let found = search(&machine, &p, &menu, Options { warmth: warm, trace: false }).unwrap();
        for (t, cycles) in &found.simulated {
            println!("{m},{n},{k},{},{},{},{},{},{},{},{:.3}", f[4], t.m, t.n, t.split_k, t.swizzle, cycles, 0, warm.resident);
        }
    }
}
