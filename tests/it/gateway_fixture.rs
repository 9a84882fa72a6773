//! A real gateway process in a directory of its own, on ports the system chose.
#![expect(
    clippy::disallowed_methods,
    reason = "a test that waits for a process must give up some day"
)]

use std::io::BufRead as _;
use std::io::BufReader;
use std::io::Read as _;
use std::io::Write as _;
use std::net::SocketAddr;
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;
use std::time::Instant;

use tempfile::TempDir;

/// How long anything may take before a test gives up; nothing waits for it when all is well.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The head of a configuration: chosen ports, data beside the file, one source.
pub(crate) const HEAD: &str = r#"trackway: 1
server: {listen: "127.0.0.1:0", admin: "127.0.0.1:0"}
storage: {dir: ./data, segment_bytes: 1MiB}
sources:
  web:
    name: Website
    credentials: [{site_id: site, api_key: key}]
"#;

/// A running gateway; killed when dropped.
pub(crate) struct Gateway {
    child: Child,
    /// Everything it printed on standard error, and a signal for each line.
    printed: Arc<(Mutex<String>, Condvar)>,
    /// The directory of its routing.yaml.
    pub(crate) dir: Arc<TempDir>,
    pub(crate) address: SocketAddr,
    pub(crate) admin: SocketAddr,
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    #[expect(dead_code, reason = "shown when a test fails")]
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Gateway {
    /// Starts with [`HEAD`] and `rest` as routing.yaml in a new directory.
    pub(crate) fn start(rest: &str) -> Self {
        let dir = TempDir::new().unwrap();
        std::fs::write(dir.path().join("routing.yaml"), format!("{HEAD}{rest}")).unwrap();
        Self::start_in(Arc::new(dir))
    }

    /// Starts on the routing.yaml that stands in `dir`.
    pub(crate) fn start_in(dir: Arc<TempDir>) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trackway"));
        command
            .arg("run")
            .arg(dir.path().join("routing.yaml"))
            .current_dir(dir.path());
        Self::spawn(command, dir)
    }

    pub(crate) fn spawn(mut command: Command, dir: Arc<TempDir>) -> Self {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let printed = Arc::new((Mutex::new(String::new()), Condvar::new()));
        let stderr = child.stderr.take().unwrap();
        let stdout = child.stdout.take().unwrap();
        let sink = printed.clone();
        thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let mut text = sink.0.lock().unwrap();
                text.push_str(&line);
                text.push('\n');
                drop(text);
                sink.1.notify_all();
            }
            sink.0.lock().unwrap().push_str("[end of standard error]\n");
            sink.1.notify_all();
        });
        let sink = printed.clone();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let mut text = sink.0.lock().unwrap();
                text.extend([
                    "stdout: ", &line, "
",
                ]);
                drop(text);
                sink.1.notify_all();
            }
        });
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut gateway = Self {
            child,
            printed,
            dir,
            address: nowhere,
            admin: nowhere,
        };
        let text = gateway.wait_for("  data  ");
        let address = |what: &str| {
            let (_, behind) = text
                .split_once(what)
                .unwrap_or_else(|| panic!("no {what} in {text}"));
            let url = behind
                .split_whitespace()
                .find(|word| word.contains("://127.0.0.1:"))
                .unwrap();
            let (_, port) = url.rsplit_once(':').unwrap();
            let digits: String = port.chars().take_while(char::is_ascii_digit).collect();
            SocketAddr::from(([127, 0, 0, 1], digits.parse().unwrap()))
        };
        gateway.address = address("listening");
        gateway.admin = address("admin");
        gateway
    }

    /// Waits until standard error holds `text`, and returns all of it.
    pub(crate) fn wait_for(&self, text: &str) -> String {
        self.wait_until(text, |printed| printed.contains(text))
    }

    fn wait_until(&self, what: &str, done: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + PATIENCE;
        let mut printed = self.printed.0.lock().unwrap();
        loop {
            if done(&printed) {
                return printed.clone();
            }
            let left = deadline.saturating_duration_since(Instant::now());
            let ended = printed.contains("[end of standard error]");
            assert!(
                !ended && !left.is_zero(),
                "waited for {what:?}, got:\n{printed}"
            );
            printed = self.printed.1.wait_timeout(printed, left).unwrap().0;
        }
    }

    /// What was printed so far.
    pub(crate) fn printed(&self) -> String {
        self.printed.0.lock().unwrap().clone()
    }

    /// Writes routing.yaml anew, in place, with [`HEAD`] in front.
    pub(crate) fn save(&self, rest: &str) {
        std::fs::write(self.path("routing.yaml"), format!("{HEAD}{rest}")).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Sends a call with the credentials of [`HEAD`].
    pub(crate) fn call(&self, method: &str, target: &str, body: &str) -> Answer {
        request(self.address, method, target, Some("site:key"), body)
    }

    /// Sends a call with the credentials of the quickstart.
    pub(crate) fn call_quickstart(&self, method: &str, target: &str, body: &str) -> Answer {
        request(
            self.address,
            method,
            target,
            Some("demo-site:demo-key"),
            body,
        )
    }

    pub(crate) fn ask_admin(&self, method: &str, target: &str) -> Answer {
        request(self.admin, method, target, None, "")
    }

    /// Waits until a file has `count` lines, and returns them.
    pub(crate) fn lines(&self, name: &str, count: usize) -> Vec<String> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let text = std::fs::read_to_string(self.path(name)).unwrap_or_default();
            let whole = text.matches('\n').count();
            if count <= whole {
                return text.lines().map(str::to_owned).collect();
            }
            let printed = self.printed();
            assert!(
                Instant::now() < deadline,
                "{whole} of {count} lines in {name}; {printed}"
            );
            thread::yield_now();
            thread::park_timeout(Duration::from_millis(2));
        }
    }

    /// Ends the process without a warning, as `kill -9` does.
    pub(crate) fn kill(mut self) -> Arc<TempDir> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.dir.clone()
    }

    /// Sends a signal by name.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args([&format!("-{name}"), &id])
                .status()
                .unwrap()
                .success()
        );
    }

    /// Waits for the process to end by itself, and returns its exit code.
    pub(crate) fn wait(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// One request on a connection of its own.
pub(crate) fn request(
    address: SocketAddr,
    method: &str,
    target: &str,
    credentials: Option<&str>,
    body: &str,
) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
        .write_all(head(method, target, credentials, body, "close").as_bytes())
        .unwrap();
    stream.write_all(body.as_bytes()).unwrap();
    let mut text = Vec::new();
    stream.read_to_end(&mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    let (head, body) = text
        .split_once("\r\n\r\n")
        .unwrap_or_else(|| panic!("no answer: {text:?}"));
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .unwrap();
    Answer {
        status,
        head: head.to_owned(),
        body: body.to_owned(),
    }
}

/// The head of a request.
pub(crate) fn head(
    method: &str,
    target: &str,
    credentials: Option<&str>,
    body: &str,
    connection: &str,
) -> String {
    use base64::Engine as _;
    let authorization = credentials.map_or_else(String::new, |credentials| {
        let encoded = base64::engine::general_purpose::STANDARD.encode(credentials);
        format!("Authorization: Basic {encoded}\r\n")
    });
    format!(
        "{method} {target} HTTP/1.1\r\nHost: gateway\r\nConnection: {connection}\r\n{authorization}\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    )
}
