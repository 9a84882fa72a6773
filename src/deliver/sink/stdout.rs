//! Lines on standard output, for pipes and for looking.

use std::io;
use std::io::Write;

use bytes::Bytes;

use crate::deliver::sink::Sending;
use crate::deliver::sink::Sent;
use crate::deliver::sink::Sink;
use crate::deliver::sink::SinkError;
use crate::event::delivery::Outgoing;
use crate::event::delivery::ReasonClass;

/// Writes lines to standard output. Batches of several lanes never mix within a line.
///
/// Written means handed to the pipe or terminal, not that its reader has kept it.
#[derive(Clone, Copy, Debug, Default)]
pub struct StdoutSink;

impl Sink for StdoutSink {
    fn send(&self, outgoing: Outgoing) -> Sending<'_> {
        Box::pin(async move {
            let Outgoing::Lines(lines) = outgoing else {
                return Err(SinkError::misframed("lines"));
            };
            // A reader may let the pipe fill up: that must not stop a thread of the runtime.
            let written = tokio::task::spawn_blocking(move || write(io::stdout().lock(), &lines));
            written
                .await
                .unwrap_or_else(|error| Err(io::Error::other(error)))
                .map_err(|error| explain(&error))
        })
    }
}

fn write(mut out: impl Write, lines: &Bytes) -> io::Result<Sent> {
    out.write_all(lines)?;
    out.flush()?;
    Ok(Sent::Written)
}

fn explain(error: &io::Error) -> SinkError {
    let text = match error.kind() {
        io::ErrorKind::BrokenPipe => "whoever read standard output is gone".to_owned(),
        _ => format!("cannot write to standard output: {error}"),
    };
    SinkError::new(ReasonClass::Unavailable, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_that_left_is_an_error() {
        let (reader, writer) = io::pipe().unwrap();
        let lines = Bytes::from_static(b"{}\n");
        assert_eq!(write(&writer, &lines).unwrap(), Sent::Written);
        drop(reader);
        let error = explain(&write(&writer, &lines).unwrap_err());
        assert_eq!(error.class, ReasonClass::Unavailable);
        assert_eq!(error.text, "whoever read standard output is gone");
    }

    #[tokio::test]
    async fn takes_no_requests() {
        let request = http::Request::new(Bytes::new());
        let error = StdoutSink.send(Outgoing::Http(request)).await.unwrap_err();
        assert_eq!(error.text, "the lane's definition does not make lines");
    }
}
