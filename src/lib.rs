//! Trackway: an event gateway. Customer.io Track API in, Data Pipelines events out, routed by a YAML
//! file that people keep in git.
//!
//! The layers, lowest first; a module uses only modules of lower rows, which a test enforces:
//!
//! ```text
//! 7  cli                             arguments, printing, exit codes
//! 6  server                          the only place that joins the row below
//! 5  ingest    route    deliver      bytes → call    call → events → deliveries    deliveries → world
//! 4  config                          routing.yaml and catalogue files → settings
//! 3  event     expr                  what travels    the language
//! 2  value     diagnostic            JSON as we hold it    what we tell people
//! 1  clock     metrics   text        time, counting, source positions
//! ```

pub mod cli;
pub mod clock;
pub mod config;
pub mod deliver;
pub mod diagnostic;
pub mod event;
pub mod expr;
pub mod ingest;
pub mod metrics;
pub mod route;
pub mod server;
pub mod text;
pub mod value;
