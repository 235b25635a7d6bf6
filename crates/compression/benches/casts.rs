//! What casting BF16 weights to each format takes, on one core: reading them from memory, scales and codes.
//! `cargo bench -p vitruvian-compression`.
#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use vitruvian_compression::checkpoint::Memory;
use vitruvian_compression::{Checkpoint, Granularity, Grid, Scheme, quantise};

const SIDE: usize = 2048;

fn checkpoint() -> Checkpoint {
    let weights = (0..SIDE * SIDE).map(|index| (index as f32 * 0.731).sin() * 0.02);
    let data: Vec<u8> = weights.flat_map(|weight| Grid::Bf16.encode(weight).to_le_bytes()).collect();
    let header =
        format!(r#"{{"w":{{"dtype":"BF16","shape":[{SIDE},{SIDE}],"data_offsets":[0,{}]}}}}"#, data.len());
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.bytes().chain(data));
    Checkpoint::open(&Memory([("model.safetensors".to_owned(), Arc::new(file))].into())).unwrap()
}

fn casts(criterion: &mut Criterion) {
    let checkpoint = checkpoint();
    let group = Granularity::Group(128);
    let schemes = [
        ("int8-channel", Scheme::symmetric(Grid::Int8, Granularity::Channel)),
        ("int4-group128", Scheme::symmetric(Grid::Int4, group)),
        ("int4-group128-asymmetric", Scheme::asymmetric(Grid::Int4, group)),
        ("fp8-tensor", Scheme::symmetric(Grid::E4m3, Granularity::Tensor)),
        ("fp8-block", Scheme::fp8_block()),
        ("mxfp8", Scheme::mxfp8()),
        ("mxfp4", Scheme::mxfp4()),
        ("nvfp4", Scheme::nvfp4()),
        ("hif8", Scheme::cast(Grid::Hif8)),
        ("fp16", Scheme::cast(Grid::Fp16)),
    ];
    let mut bench = criterion.benchmark_group("cast");
    bench.sample_size(10).throughput(Throughput::Bytes(2 * (SIDE * SIDE) as u64));
    bench.bench_function("read", |timer| timer.iter(|| black_box(checkpoint.matrix("w").unwrap())));
    for (name, scheme) in schemes {
        bench.bench_function(name, |timer| {
            timer.iter(|| black_box(quantise(&checkpoint.matrix("w").unwrap(), &scheme).unwrap()));
        });
    }
    bench.finish();
}

criterion_group!(benches, casts);
criterion_main!(benches);
