//! `trackway explain` as a person at a terminal sees it.

use std::process::Command;

fn explain(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_trackway"))
        .arg("explain")
        .args(arguments)
        .output()
        .unwrap();
    format!(
        "exit {}\n--- standard output\n{}--- standard error\n{}",
        output.status.code().unwrap(),
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap()
    )
}

#[test]
fn prints_the_page_of_a_code_in_any_case() {
    insta::assert_snapshot!("code", explain(&["TW0204"]));
    assert_eq!(explain(&["tw0204"]), explain(&["TW0204"]));
}

#[test]
fn prints_the_entry_of_a_function() {
    insta::assert_snapshot!("function", explain(&["upper"]));
    insta::assert_snapshot!("function_about_tables", explain(&["lookup"]));
}

#[test]
fn says_what_was_probably_meant() {
    insta::assert_snapshot!(explain(&["uper"]), @"");
    insta::assert_snapshot!(explain(&["TW204"]), @"");
    insta::assert_snapshot!(explain(&["kafka"]), @"");
}

#[test]
fn lists_everything() {
    insta::assert_snapshot!("everything", explain(&[]));
}
