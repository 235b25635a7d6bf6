//! Files that cannot be read or written.

use std::process::Command;

use crate::common::{self, Folder};
use crate::{refused, refused_in};

#[test]
fn a_directory_where_a_file_is_due() {
    let folder = Folder::new("bad-directory");
    std::fs::create_dir(folder.join("chip.toml")).unwrap();
    assert_eq!(
        refused_in(&folder, &["compare", "chip.toml"]),
        "\
error[file-is-folder]: `chip.toml` is a folder, not a file
 |
 = help: name the file inside it

"
    );
    assert_eq!(
        refused_in(&folder, &["compare", "--model", "chip.toml"]),
        "error[file-missing]: `chip.toml/config.json` does not exist\n\n"
    );
}

#[test]
fn files_that_are_not_there_are_told_at_once() {
    let folder = Folder::new("bad-missing");
    assert_eq!(
        refused_in(&folder, &["compare", "h21.toml", "--model", "no/config.json"]),
        "\
error[file-missing]: `h21.toml` does not exist

error[file-missing]: `no/config.json` does not exist
 |
 = help: there is no folder `no`

"
    );
}

#[test]
fn a_report_in_a_missing_folder() {
    for option in ["--report", "--all", "--output"] {
        assert_eq!(
            refused(&["compare", option, "/no/such/folder/x"]),
            "\
error[output-unwritable]: cannot write `/no/such/folder/x`: no such file or directory
 |
 = help: its folder does not exist; create it first

"
        );
    }
}

#[test]
fn an_output_that_is_a_directory() {
    let folder = Folder::new("bad-output");
    assert_eq!(
        refused_in(&folder, &["compare", "--report", "."]),
        "error[output-unwritable]: cannot write `.`: is a directory\n\n"
    );
    assert_eq!(std::fs::read_dir(&*folder).unwrap().count(), 0, "nothing is half-written");
}

#[test]
fn a_full_device_is_told() {
    // Writing to /dev/full fails with "no space left on device".
    if !std::path::Path::new("/dev/full").exists() {
        return;
    }
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = Command::new(common::BINARY).arg("compare").stdout(full).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        told.starts_with("error[output-unwritable]: cannot write `standard output`: no space left"),
        "{told}"
    );
}
