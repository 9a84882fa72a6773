//! `trackway explain` as a person at a terminal sees it.

use std::process::Command;

use trackway::diagnostic::Code;
use trackway::expr::builtins;

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
    insta::assert_snapshot!(explain(&["uper"]), @r"
    exit 64
    --- standard output
    --- standard error
    error: there is no code and no function `uper`
    hint: did you mean `upper`?
    ");
    assert!(explain(&["upcase"]).ends_with("did you mean `upper`?\n"));
    insta::assert_snapshot!(explain(&["TW204"]), @r"
    exit 64
    --- standard output
    --- standard error
    error: there is no code and no function `TW204`
    hint: did you mean `TW0204`?
    ");
    insta::assert_snapshot!(explain(&["kafka"]), @r"
    exit 64
    --- standard output
    --- standard error
    error: there is no code and no function `kafka`
    hint: `trackway explain` lists all codes and functions
    ");
}

#[test]
fn lists_every_code_and_every_function() {
    let list = explain(&[]);
    assert!(
        list.contains("  TW0204  wrong kind of argument\n"),
        "{list}"
    );
    assert!(
        list.contains("    upper               The text in upper case\n"),
        "{list}"
    );
    for code in Code::ALL {
        assert!(list.contains(&format!("\n  {code}  ")), "{code}");
    }
    for name in builtins::names() {
        assert!(list.contains(&format!("\n    {name} ")), "{name}");
    }
}
