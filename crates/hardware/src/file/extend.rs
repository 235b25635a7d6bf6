//! A file and those it extends, as one sheet.

use vitruvian_diagnostics::{Diagnostic, Diagnostics, Severity, SourceText};

use crate::file::fault;
use crate::file::key::{Key, Presence};
use crate::file::read;
use crate::file::sheet::{Entry, Place, Sheet};

/// What is needed to read one kind of file.
pub(crate) struct Loader<'a, T: 'static> {
    /// The keys of the file.
    pub(crate) keys: &'static [Key<T>],
    /// As a diagnostic says it: "chip".
    pub(crate) what: &'static str,
    /// Finds the file that another extends.
    pub(crate) parents: &'a dyn Fn(&str) -> Option<SourceText>,
    /// Tells that there is no such file.
    pub(crate) unknown: fn(&str) -> Diagnostic,
    /// Lets inherited figures follow, or give way to, what the file itself sets.
    pub(crate) give_way: fn(own: &Sheet<T>, inherited: &mut Sheet<T>),
    /// Computes what follows from other figures and is not given.
    pub(crate) complete: fn(&mut Sheet<T>),
    /// Finds figures that contradict each other.
    pub(crate) check: fn(&Sheet<T>) -> Vec<Diagnostic>,
}

/// Reads a file and those it extends. Warnings come with the sheet, all errors come at once.
pub(crate) fn load<T>(
    source: &SourceText,
    loader: &Loader<'_, T>,
) -> Result<(Sheet<T>, Vec<Diagnostic>), Diagnostics> {
    let (mut sheet, mut faults) = lineage(source, loader, &mut vec![source.name().to_owned()]);
    if faults.is_empty() {
        (loader.complete)(&mut sheet);
        sheet.sort();
        faults.extend(missing(&sheet, loader.what, source));
        faults.extend((loader.check)(&sheet));
    }
    faults.sort_by_key(|fault| fault.labels.first().map_or(0, |label| label.span.start));
    if faults.iter().any(|fault| fault.severity == Severity::Error) {
        return Err(Diagnostics(faults));
    }
    Ok((sheet, faults))
}

/// The sheet of a file over the sheet of what it extends; `trail` holds the files on the way, against cycles.
fn lineage<T>(
    source: &SourceText,
    loader: &Loader<'_, T>,
    trail: &mut Vec<String>,
) -> (Sheet<T>, Vec<Diagnostic>) {
    let (mut own, mut faults) = read::sheet(loader.keys, loader.what, source);
    if let Some((parent, place)) = own.extends.clone() {
        match parent_sheet(&parent, &place, loader, trail) {
            Ok((inherited, parents_faults)) => {
                faults.extend(parents_faults);
                own = merged(own, inherited, loader);
            }
            Err(fault) => faults.push(fault),
        }
    }
    (own, faults)
}

fn parent_sheet<T>(
    parent: &str,
    place: &Place,
    loader: &Loader<'_, T>,
    trail: &mut Vec<String>,
) -> Result<(Sheet<T>, Vec<Diagnostic>), Diagnostic> {
    let Some(text) = (loader.parents)(parent) else {
        return Err((loader.unknown)(parent).at(&place.source, place.span, ""));
    };
    if trail.iter().any(|name| name == text.name()) {
        trail.push(text.name().to_owned());
        let message = format!("a {} cannot extend itself: {}", loader.what, trail.join(" -> "));
        return Err(Diagnostic::error("extends-cycle", message).at(&place.source, place.span, ""));
    }
    trail.push(text.name().to_owned());
    let (mut sheet, faults) = lineage(&text, loader, trail);
    sheet.lineage.insert(0, crate::file::stem(text.name()).to_owned());
    Ok((sheet, faults))
}

/// The child's figures, and the parent's where the child has none.
fn merged<T>(mut own: Sheet<T>, mut inherited: Sheet<T>, loader: &Loader<'_, T>) -> Sheet<T> {
    read::as_inherited(&mut inherited);
    (loader.give_way)(&own, &mut inherited);
    let same = |a: &Entry<T>, b: &Entry<T>| std::ptr::eq(a.key, b.key) && a.dtype == b.dtype;
    inherited.entries.retain(|old| !own.entries.iter().any(|new| same(old, new)));
    own.entries.append(&mut inherited.entries);
    own.lineage.append(&mut inherited.lineage);
    own
}

fn missing<T>(sheet: &Sheet<T>, what: &str, source: &SourceText) -> Option<Diagnostic> {
    let required = sheet.keys.iter().filter(|key| key.presence == Presence::Required);
    let absent = required.filter(|key| sheet.get(key.path).is_none());
    let paths: Vec<String> = absent.map(|key| format!("`{}`", key.path)).collect();
    (!paths.is_empty()).then(|| fault::missing(what, &paths, source))
}
