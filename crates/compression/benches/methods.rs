//! How long the expensive methods take on a layer of 4096 × 4096: `cargo bench -p vitruvian-compression --bench methods`.

#![allow(missing_docs, clippy::cast_possible_wrap)]

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use vitruvian_compression::forward::InputStatistics;
use vitruvian_compression::method::{Gptq, Pattern, gptq, magnitude};
use vitruvian_compression::{Granularity, Grid, Matrix, Scheme};

const WIDTH: usize = 4096;

/// Sums of four uniform numbers: bell-shaped, as weights and activations are.
fn noise(rows: usize, cols: usize, seed: u64) -> Matrix {
    let mut state = seed;
    Matrix::from_fn(rows, cols, |_, _| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let sum: i64 = (0..4).map(|part| (state >> (16 * part) & 0xffff) as i64 - 32_768).sum();
        sum as f32 / 32_768.0
    })
}

fn methods(c: &mut Criterion) {
    let weights = noise(WIDTH, WIDTH, 1);
    let mut group = c.benchmark_group("layer of 4096x4096");
    group.sample_size(10);

    // Bytes of the weights in BF16.
    group.throughput(Throughput::Bytes(2 * (WIDTH * WIDTH) as u64));
    group.bench_function("magnitude 2:4", |bench| {
        let pruned = |mut weights| magnitude(black_box(&mut weights), Pattern::TWO_OF_FOUR);
        bench.iter_batched(|| weights.clone(), pruned, BatchSize::LargeInput);
    });

    let inputs = InputStatistics::of(&noise(2 * WIDTH, WIDTH, 2));
    let scheme = Scheme::symmetric(Grid::Int4, Granularity::Group(128));
    group.bench_function("gptq int4-group128", |bench| {
        bench.iter(|| gptq(black_box(weights.clone()), &inputs, &scheme, Gptq::default()));
    });
    group.finish();
}

criterion_group!(benches, methods);
criterion_main!(benches);
