//! Fits the engines' host figures to the open serving points, and those of older releases to the calibration rows of
//! `validation/`, and writes them into `catalog/engines/`:
//! `cargo run --release -p vitruvian --example fit_engines -- ../shared/data`. Then record the scenarios and write the page.

use std::error::Error;
use std::fs;
use std::path::Path;

use vitruvian::validation::scenarios::{ReleaseFit, fit_releases};
use vitruvian::validation::{EngineFit, fit};
use vitruvian_diagnostics::SourceText;

fn main() -> Result<(), Box<dyn Error>> {
    let data = std::env::args().nth(1).ok_or("name the folder of measured data")?;
    let data = Path::new(&data);
    let table = read(&data.join("serving/h100_h200_serving.csv"))?;
    let configuration = |name: &str| {
        let file = data.join("models").join(format!("{}.json", name.replace('/', "--")));
        if file.is_file() { read(&file).ok() } else { None }
    };
    for fit in &fit_releases(&scenarios()?).map_err(|faults| faults.to_string())? {
        rewrite(&fit.engine, |line| released(line, fit))?;
    }
    for fit in &fit(&table, &configuration).map_err(|faults| faults.to_string())? {
        rewrite(&fit.engine, |line| fitted(line, fit))?;
    }
    Ok(())
}

/// Every line of an engine's file through `change`.
fn rewrite(engine: &str, change: impl Fn(&str) -> String) -> Result<(), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalog/engines");
    let path = folder.join(format!("{engine}.toml"));
    let text = fs::read_to_string(&path)?;
    Ok(fs::write(&path, text.lines().map(|line| change(line) + "\n").collect::<String>())?)
}

/// The scenarios of serving.
fn scenarios() -> Result<Vec<SourceText>, Box<dyn Error>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../validation"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(read(&path)?);
        }
    }
    files.sort_by(|a, b| a.name().cmp(b.name()));
    Ok(files)
}

/// The line with its value as calibration rows have it.
fn released(line: &str, fit: &ReleaseFit) -> String {
    let key = line.split(" = ").next().unwrap_or_default();
    let Some((_, value)) = fit.figures.iter().find(|(known, _)| *known == key) else {
        return line.to_owned();
    };
    let value = if value.parse::<f64>().is_ok() { value.clone() } else { format!("\"{value}\"") };
    format!(
        "{key} = {{ value = {value}, source = \"fitted by `fit_engines` on {} calibration rows, mean error {:.0} %\", grade = \
         \"derived\" }}",
        fit.rows, fit.mean_abs_pct_error
    )
}

/// The line with its fitted value and what it is worth, if it is one of a fitted figure.
fn fitted(line: &str, fit: &EngineFit) -> String {
    let key = line.split(" = ").next().unwrap_or_default();
    let Some(value) = value(key, fit) else { return line.to_owned() };
    let left_out = &fit.left_out;
    format!(
        "{key} = {{ value = {value}, source = \"fitted by `validate serving --fit` on {} open points; models left out: TTFT \
         {:.0} %, TPOT {:.0} % median\", grade = \"derived\" }}",
        fit.points, left_out.ttft_median_abs_pct_error, left_out.tpot_median_abs_pct_error
    )
}

/// A figure as the file writes it: quoted with its unit, or a bare number.
fn value(key: &str, fit: &EngineFit) -> Option<String> {
    match key {
        "tpot_sigma" => return Some(format!("{:.3}", fit.fitted.tpot_sigma)),
        "ttft_sigma" => return Some(format!("{:.3}", fit.fitted.ttft_sigma)),
        _ => {}
    }
    let figure = fit.figures.iter().find(|figure| figure.key == key)?;
    let bare = figure.value.parse::<f64>().is_ok();
    Some(if bare { figure.value.clone() } else { format!("\"{}\"", figure.value) })
}

fn read(path: &Path) -> Result<SourceText, Box<dyn Error>> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(SourceText::new(name, fs::read_to_string(path)?))
}
