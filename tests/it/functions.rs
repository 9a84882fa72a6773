//! The reference of the functions is the one their tables make.

use std::fs;
use std::path::Path;

use trackway::expr::builtins::reference;

#[test]
fn the_page_of_functions_is_up_to_date() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/functions.md");
    let made = reference();
    if fs::read_to_string(&page).unwrap_or_default() != made {
        let new = page.with_extension("md.new");
        fs::write(&new, &made).unwrap();
        panic!(
            "{} is out of date. Read {} and, if it is right, move it there.",
            page.display(),
            new.display()
        );
    }
}
