#![allow(missing_docs, clippy::all, clippy::pedantic, clippy::print_stdout, clippy::unwrap_used)]
use vitruvian_davinci::isa::*;
use vitruvian_davinci::kernels::attention::*;
use vitruvian_davinci::timing::*;
use vitruvian_davinci::*;
fn main() {
    let chip = vitruvian_hardware::catalog::chip("ascend-910b2").unwrap();
    let mut core = CoreTiming::of(chip.architecture).unwrap();
    core.hbm_efficiency = 0.9;
    let machine = Machine::new(&chip, core).unwrap();
    let text = std::fs::read_to_string("/work/shared/data/operators/ascend-910b/attention_prefill.csv").unwrap();
    println!("heads,kv,dim,batch,seq,us,cycles,v,m,inst");
    let keys: u32 = std::env::var("KEYS").ok().and_then(|v| v.parse().ok()).unwrap_or(512);
    let piece: u32 = std::env::var("PIECE").ok().and_then(|v| v.parse().ok()).unwrap_or(32);
    for line in text.lines().skip(1) {
        let f: Vec<&str> = line.split(',').collect();
        let p: Vec<u32> = f[..5].iter().map(|v| v.parse().unwrap()).collect();
        let a = Attention { heads: p[0], kv_heads: p[1], dim: p[2], batch: p[3], seq: p[4], ty: Type::Bf16, causal: true };
        let Ok(k) = prefill(&machine, &a, &AttentionTiling { keys, piece, ..Default::default() }) else { println!("{},{},{},{},{},{},nan,0,0,0", p[0],p[1],p[2],p[3],p[4],f[5]); continue };
        let warm = Warmth::rotating(1.0 * a.footprint(), machine.shared.l2_capacity as f64, 16, 0.2);
        let r = simulate(&machine, &k, Options { warmth: warm, trace: false }).unwrap();
        println!("{},{},{},{},{},{},{},{:.3},{:.3},{}", p[0],p[1],p[2],p[3],p[4],f[5], r.cycles, r.utilisation(Pipe::V), r.utilisation(Pipe::M), r.instructions);
    }
}
