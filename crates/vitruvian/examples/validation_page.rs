//! Writes docs/validation.md: `cargo run --release -p vitruvian --example validation_page -- ../shared/data`, the argument
//! being the folder that holds `serving/h100_h200_serving.csv` and `models/`.

use std::error::Error;
use std::fs;
use std::path::Path;

use vitruvian::present::validation as present;
use vitruvian::validation::scenarios::scenarios;
use vitruvian::validation::{fit, serving::serving};
use vitruvian_diagnostics::SourceText;
use vitruvian_report::markdown;

const TEXT: &str = include_str!("validation_page.md");

fn main() -> Result<(), Box<dyn Error>> {
    let data = std::env::args().nth(1).ok_or("name the folder of measured data")?;
    let data = Path::new(&data);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let table = read(&data.join("serving/h100_h200_serving.csv"))?;
    let configuration = |name: &str| {
        let file = data.join("models").join(format!("{}.json", name.replace('/', "--")));
        if file.is_file() { read(&file).ok() } else { None }
    };
    let points = serving(&table, &configuration).map_err(|faults| faults.to_string())?;
    let fits = fit(&table, &configuration).map_err(|faults| faults.to_string())?;
    let published = scenarios(&files(&root)?).map_err(|faults| faults.to_string())?;
    let tables = [
        ("{serving}", present::serving_errors(&points)),
        ("{fit}", present::engine_figures(&fits)),
        ("{groups}", present::scenario_groups(&published)),
        ("{scenarios}", present::scenario_rows(&published)),
    ];
    let page = tables.iter().fold(TEXT.to_owned(), |page, (place, table)| {
        page.replace(place, markdown::render(table).trim_end())
    });
    fs::write(root.join("docs/validation.md"), page)?;
    Ok(())
}

fn files(root: &Path) -> Result<Vec<SourceText>, Box<dyn Error>> {
    let mut paths: Vec<_> =
        fs::read_dir(root.join("validation"))?.filter_map(Result::ok).map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    paths.iter().map(|path| read(path)).collect()
}

fn read(path: &Path) -> Result<SourceText, Box<dyn Error>> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(SourceText::new(name, fs::read_to_string(path)?))
}
