//! Reading measured tables: what is read, and what is said of what cannot be.
#![allow(clippy::unwrap_used)]

use vitruvian_calibration::reader::Kind;
use vitruvian_calibration::{read_csv, read_parquet};
use vitruvian_cost::Family;
use vitruvian_diagnostics::SourceText;
use vitruvian_model::Operator;

fn faults(text: &str) -> String {
    read_csv(&SourceText::new("t.csv", text)).unwrap_err().to_string()
}

#[test]
fn a_gemm_row_is_a_product_and_its_time() {
    let table =
        read_csv(&SourceText::new("t.csv", "dtype,m,n,k,latency_us\nbf16,16,512,1024,7.5\n")).unwrap();
    let row = &table.measurements[0];
    assert_eq!((table.kind, row.slot.family, row.line), (Kind::Gemm, Family::Gemm, 2));
    assert!((row.time.get() - 7.5e-6).abs() < 1e-18);
    assert!(matches!(row.operators[..], [Operator::Gemm(op)] if (op.m, op.n, op.k) == (16, 512, 1024)));
    assert_eq!(row.shape, "n=512 k=1024");
}

#[test]
fn w8a8_dynamic_contains_the_quantisation_of_its_activations() {
    let text = "dtype,m,n,k,latency_us\nw8a8_dynamic,16,512,1024,17.5\n";
    let table = read_csv(&SourceText::new("t.csv", text)).unwrap();
    assert!(matches!(table.measurements[0].operators[..], [Operator::Vector(_), Operator::Gemm(_)]));
}

#[test]
fn a_format_that_is_not_modelled_is_left_out_and_counted() {
    let text = "dtype,m,n,k,latency_us\nfp6,16,512,1024,17.5\n";
    let table = read_csv(&SourceText::new("t.csv", text)).unwrap();
    assert_eq!(table.measurements.len(), 0);
    assert_eq!(table.skipped.values().sum::<usize>(), 1);
}

#[test]
fn a_cell_is_named_with_its_line() {
    let text =
        "dtype,m,n,k,latency_us\nbf16,16,512,1024,7.5\nbf16,sixteen,512,1024,7.5\nbf16,16,512,1024,-1\n";
    assert_eq!(
        faults(text),
        "t.csv:3:1: error: `m` is `sixteen`, not a number\nt.csv:4:1: error: `latency_us` is -1, not a time above zero"
    );
}

#[test]
fn a_mistake_on_every_row_is_said_once() {
    let rows = "bf16,1.5,512,1024,7.5\n".repeat(50);
    let text = format!("dtype,m,n,k,latency_us\n{rows}");
    assert_eq!(
        faults(&text),
        "t.csv:2:1: error: `m` is 1.5, not a whole number of things\nerror: and 49 more rows like these"
    );
}

#[test]
fn unknown_columns_name_the_known_ones() {
    let said = faults("a,b\n1,2\n");
    assert!(said.starts_with("t.csv:1:1: error: columns a,b make no table of operator times"), "{said}");
    assert!(said.contains("m n k"), "{said}");
}

#[test]
fn a_row_of_the_wrong_length_is_an_error() {
    let said = faults("dtype,m,n,k,latency_us\nbf16,16,512\n");
    assert!(said.starts_with("t.csv:2:1: error: "), "{said}");
}

#[test]
fn a_file_that_is_not_parquet_is_named() {
    let said = read_parquet("x.parquet", b"hello".to_vec()).unwrap_err().to_string();
    assert!(said.starts_with("error: x.parquet: "), "{said}");
}
