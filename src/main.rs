//! The `trackway` program.

fn main() {}
