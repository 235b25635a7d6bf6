//! Single instructions against the measured curves that `hardware.md` 2.3 and 2.4 quote, within 10 %.
//!
//! GiB/s turn into bytes per cycle at the clock of the chip that was measured; cycles do not depend on it.

use vitruvian_davinci::Machine;
use vitruvian_davinci::isa::{
    Accumulate, Address, Burst, Fixpipe, FractalLoad, Instruction, Layout, Mask, Mmad, Move, Quant, Side,
    Space, Strides, Type, Vector, VectorOp,
};
use vitruvian_davinci::timing::occupation;

use crate::common::machine;

/// Clocks of the measured chips.
const B1: f64 = 1.85e9;
const B3: f64 = 1.80e9;

fn within_tenth(what: &str, got: f64, want: f64) {
    assert!((got / want - 1.0).abs() <= 0.10, "{what}: {got:.1} cycles against {want:.1}");
}

/// Cycles of `kib` KiB at a measured rate.
fn cycles(kib: f64, gib_per_s: f64, clock: f64) -> f64 {
    kib * 1024.0 / (gib_per_s * 1024f64.powi(3) / clock)
}

fn burst(route: Move, bytes: u32) -> Instruction {
    let (to, from) = route.ends();
    let (dst, src) = (Address::at(to, 0), Address::at(from, 0));
    Instruction::Burst(Burst {
        route,
        dst,
        src,
        count: 1,
        bytes,
        src_pitch: bytes,
        dst_pitch: bytes,
        atomic: false,
    })
}

fn alone(machine: &Machine, instruction: &Instruction) -> f64 {
    occupation(machine, instruction) as f64
}

#[test]
fn gm_to_l1() {
    let machine = machine("ascend-910b1");
    let curve = [
        (1, 9.9),
        (2, 17.9),
        (8, 58.0),
        (16, 93.0),
        (32, 147.0),
        (48, 166.0),
        (64, 176.0),
        (128, 232.0),
        (256, 261.0),
        (512, 271.5),
    ];
    for (kib, rate) in curve {
        within_tenth(
            &format!("{kib} KiB"),
            alone(&machine, &burst(Move::GmToL1, kib << 10)),
            cycles(f64::from(kib), rate, B1),
        );
    }
}

#[test]
fn gm_to_l1_of_4_kib_is_off_the_curve() {
    // Measured 29 GiB/s: as long as 8 KiB. No start-up plus width gives that; DEVIATIONS 1.
    let machine = machine("ascend-910b1");
    let error = alone(&machine, &burst(Move::GmToL1, 4 << 10)) / cycles(4.0, 29.0, B1) - 1.0;
    assert!((-0.15..-0.10).contains(&error), "{error}");
}

#[test]
fn gm_to_ub() {
    let machine = machine("ascend-910b3");
    for (kib, rate) in [(1, 7.9), (8, 57.0), (20, 96.0), (44, 144.0), (96, 170.0), (192, 187.0)] {
        within_tenth(
            &format!("{kib} KiB"),
            alone(&machine, &burst(Move::GmToUb, kib << 10)),
            cycles(f64::from(kib), rate, B3),
        );
    }
}

#[test]
fn ub_to_gm() {
    let machine = machine("ascend-910b1");
    for (kib, rate) in [(1, 11.0), (10, 67.0), (20, 95.0), (39, 110.0), (192, 110.0)] {
        within_tenth(
            &format!("{kib} KiB"),
            alone(&machine, &burst(Move::UbToGm, kib << 10)),
            cycles(f64::from(kib), rate, B1),
        );
    }
}

#[test]
fn l0c_to_gm() {
    let machine = machine("ascend-910b1");
    for (kib, rate) in [(1, 21.0), (4, 86.0), (9, 165.0), (17, 200.0), (64, 200.0)] {
        let fixpipe = Instruction::Fixpipe(Fixpipe {
            dst: Address::at(Space::Gm, 0),
            src: Address::at(Space::L0c, 0),
            m: kib * 16,
            n: 16,
            src_rows: kib * 16,
            dst_pitch: 64,
            ty: Type::F32,
            from: Type::F32,
            layout: Layout::Nd,
            quant: Quant::None,
            relu: false,
            atomic: false,
        });
        within_tenth(&format!("{kib} KiB"), alone(&machine, &fixpipe), cycles(f64::from(kib), rate, B1));
    }
}

#[test]
fn l1_to_l0() {
    let machine = machine("ascend-910b1");
    let load = |side, space, rows, cols| {
        Instruction::FractalLoad(FractalLoad {
            side,
            dst: Address::at(space, 0),
            src: Address::at(Space::L1, 0),
            index: Address::at(Space::L1, 0),
            rows,
            cols,
            src_rows: rows,
            transpose: false,
            ty: Type::F16,
        })
    };
    // One fractal: 4 cycles to L0A, 5 to L0B. 32 KiB: 437 and 220 GiB/s.
    assert_eq!(alone(&machine, &load(Side::A, Space::L0a, 16, 16)), 4.0);
    assert_eq!(alone(&machine, &load(Side::B, Space::L0b, 16, 16)), 5.0);
    within_tenth("L0A", alone(&machine, &load(Side::A, Space::L0a, 128, 128)), cycles(32.0, 437.0, B1));
    within_tenth("L0B", alone(&machine, &load(Side::B, Space::L0b, 128, 128)), cycles(32.0, 220.0, B1));
}

fn mmad(m: u32, k: u32, n: u32) -> Instruction {
    Instruction::Mmad(Mmad {
        dst: Address::at(Space::L0c, 0),
        a: Address::at(Space::L0a, 0),
        b: Address::at(Space::L0b, 0),
        m,
        k,
        n,
        ty: Type::F16,
        accumulate: Accumulate::Init,
        sparse: false,
    })
}

#[test]
fn mmad_back_to_back_by_n() {
    // 910B1, M = 32, K = 32 (the deepest K at which N = 1024 fits L0B): FLOP per cycle
    let machine = machine("ascend-910b1");
    for (n, rate) in [
        (16, 3370.0),
        (32, 5445.0),
        (64, 6686.0),
        (144, 7438.0),
        (272, 7782.0),
        (528, 7887.0),
        (1024, 8057.0),
    ] {
        let flop = 2.0 * 32.0 * 32.0 * f64::from(n);
        within_tenth(&format!("N = {n}"), alone(&machine, &mmad(32, 32, n)), flop / rate);
    }
}

#[test]
fn mmad_alone_by_n() {
    // 910B3, M = 16, K = 16 (N = 2048 fits L0B): FLOP per cycle until the result is visible
    let machine = machine("ascend-910b3");
    for (n, rate) in [(16, 328.0), (64, 1214.0), (272, 3481.0), (1040, 6050.0), (2048, 6945.0)] {
        let flop = 2.0 * 16.0 * 16.0 * f64::from(n);
        let got = vitruvian_davinci::timing::cycles(&machine, &mmad(16, 16, n)) as f64;
        within_tenth(&format!("N = {n}"), got, flop / rate);
    }
}

#[test]
fn vector_slopes() {
    // PTO-ISA on 910B3: cycles = slope · repeats + fixed
    let machine = machine("ascend-910b3");
    let table = [
        (VectorOp::Add, 2.11, 24.0),
        (VectorOp::Mul, 2.3, 25.0),
        (VectorOp::Max, 2.01, 23.0),
        (VectorOp::Div, 4.03, 31.0),
        (VectorOp::Muls, 1.0, 26.0),
        (VectorOp::Exp, 2.0, 31.0),
        (VectorOp::Ln, 2.0, 33.0),
        (VectorOp::Sqrt, 2.0, 39.0),
        (VectorOp::Conv, 2.0, 32.0),
        (VectorOp::Cadd, 7.0, 46.0),
        (VectorOp::Sel, 2.0, 27.0),
    ];
    for (op, slope, fixed) in table {
        for repeat in [1, 16, 128] {
            let vector = Vector {
                op,
                ty: Type::F16,
                to: Type::F16,
                condition: vitruvian_davinci::isa::Condition::Lt,
                dst: Address::at(Space::Ub, 0),
                src0: Address::at(Space::Ub, 0x8000),
                // half a row of banks away, so that the sources do not collide
                src1: Address::at(Space::Ub, 0x8100),
                scalar: 0.0,
                repeat,
                mask: Mask::All,
                strides: Strides::UNIT,
            };
            let want = slope * f64::from(repeat) + fixed;
            within_tenth(op.name(), alone(&machine, &Instruction::Vector(vector)), want);
        }
    }
}
