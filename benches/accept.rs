//! Accepted durable calls per second: the gateway against a bare server that keeps the same promise.
//!
//! ```text
//! cargo bench --bench accept
//! ```
//!
//! The bare server is hyper, reads the same body, and answers when a committer thread has written it
//! with everything else that was waiting and synced: no routing, no checks, no format. Both run as
//! processes of their own and are asked in turn by the same clients. Prints calls per second, CPU per
//! call and the ratios of each pair of rounds; only the ratios of a run are worth quoting. With
//! `--test` each answers a few calls.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark prints, measures, and fails by panicking"
)]

use std::convert::Infallible;
use std::fs::OpenOptions;
use std::io::BufRead as _;
use std::io::BufReader;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use std::time::Instant;

use bytes::Bytes;
use http::Request;
use http::Response;
use http_body_util::BodyExt as _;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncReadExt as _;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

const BODY: &str = r#"{"name":"order_completed","id":"01HF7Z3BAXW4E5QK1T3M9Z0N7C","timestamp":1700000000,"data":{"order_id":"ord_10023","total":99.50,"currency":"EUR","coupon":"WINTER","shipping":"express","channel":"web","first_order":false,"items":[{"sku":"A-100","name":"Wool socks","price":9.95,"quantity":2},{"sku":"B-220","name":"Rain jacket","price":79.60,"quantity":1}],"address":{"city":"Bergen","country":"NO","postal_code":"5003"},"campaign":{"source":"newsletter","medium":"email","name":"november"}}}"#;

/// Clients that each wait for their answer before the next call.
const CLIENTS: usize = 64;

/// Pairs of rounds; the median ratio is what counts.
const ROUNDS: usize = 7;

/// Bytes of the bare server's file, zeroed ahead as the gateway's segments are.
const FILE_BYTES: u64 = 1 << 30;

fn main() {
    let mut arguments = std::env::args().skip(1);
    if arguments.any(|argument| argument == "--bare") {
        return bare(&std::env::args().next_back().unwrap());
    }
    let quick = std::env::args().any(|argument| argument == "--test");
    let round = Duration::from_millis(if quick { 50 } else { 2_000 });
    let rounds = if quick { 1 } else { ROUNDS };
    let dir = tempfile::tempdir().unwrap();
    let gateway = Server::gateway(dir.path());
    let bare = Server::bare(dir.path(), if quick { 1 << 20 } else { FILE_BYTES });
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut ratios = Vec::new();
    for number in 1..=rounds {
        let ours = gateway.measure(&runtime, round);
        let theirs = bare.measure(&runtime, round);
        let (rate, cpu) = (ours.rate / theirs.rate, ours.cpu_micros / theirs.cpu_micros);
        println!(
            "round {number}: gateway {:.0}/s {:.1} µs CPU, bare {:.0}/s {:.1} µs CPU, \
             rate {rate:.2}, CPU {cpu:.2}",
            ours.rate, ours.cpu_micros, theirs.rate, theirs.cpu_micros
        );
        ratios.push((rate, cpu));
    }
    let median = |read: fn(&(f64, f64)) -> f64| {
        let mut values: Vec<f64> = ratios.iter().map(read).collect();
        values.sort_by(f64::total_cmp);
        let last = values.last().copied().unwrap();
        (
            values.get(values.len() / 2).copied().unwrap(),
            values.first().copied().unwrap(),
            last,
        )
    };
    let (rate, cpu) = (median(|it| it.0), median(|it| it.1));
    println!(
        "gateway / bare, calls per second: {:.2} ({:.2} to {:.2})",
        rate.0, rate.1, rate.2
    );
    println!(
        "gateway / bare, CPU per call: {:.2} ({:.2} to {:.2})",
        cpu.0, cpu.1, cpu.2
    );
}

/// A server in a process of its own.
struct Server {
    child: Child,
    address: String,
}

struct Measured {
    rate: f64,
    cpu_micros: f64,
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Server {
    fn gateway(dir: &Path) -> Self {
        let config = "trackway: 1\n\
             server: {listen: \"127.0.0.1:0\", admin: \"127.0.0.1:0\"}\n\
             storage: {dir: ./data}\n\
             sources:\n  web: {name: Web, credentials: [{site_id: site, api_key: key}]}\n";
        std::fs::write(dir.join("routing.yaml"), config).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_trackway"));
        command.arg("run").arg(dir.join("routing.yaml"));
        Self::start(command, "listening")
    }

    fn bare(dir: &Path, bytes: u64) -> Self {
        let path = dir.join("bare");
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .open(&path)
            .unwrap();
        let zeros = vec![0; 1 << 20];
        for at in (0..bytes).step_by(zeros.len()) {
            file.write_all_at(&zeros, at).unwrap();
        }
        file.sync_all().unwrap();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg("--bare").arg(path);
        Self::start(command, "listening")
    }

    fn start(mut command: Command, word: &str) -> Self {
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap())
            .lines()
            .map_while(Result::ok);
        let line = lines.find(|line| line.contains(word)).unwrap();
        let (_, address) = line.split_once("http://").unwrap();
        // Somebody has to read what it prints, or it would wait.
        thread::spawn(move || lines.for_each(drop));
        Self {
            child,
            address: address.trim().to_owned(),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "counts of a benchmark")]
    fn measure(&self, runtime: &tokio::runtime::Runtime, round: Duration) -> Measured {
        let before = self.cpu();
        let start = Instant::now();
        let calls = runtime.block_on(load(&self.address, start + round));
        let seconds = start.elapsed().as_secs_f64();
        let calls = calls as f64;
        let cpu_micros = (self.cpu() - before) * 1e6 / calls;
        Measured {
            rate: calls / seconds,
            cpu_micros,
        }
    }

    /// Seconds of CPU so far, user and system; ticks are hundredths on every Linux we know.
    fn cpu(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()));
        let stat = stat.unwrap_or_default();
        let fields = stat.rsplit(')').next().unwrap_or("").split_whitespace();
        fields
            .skip(11)
            .take(2)
            .filter_map(|ticks| ticks.parse::<f64>().ok())
            .sum::<f64>()
            / 100.0
    }
}

/// Calls until `end`; says how many were answered with 200.
async fn load(address: &str, end: Instant) -> u64 {
    let request = format!(
        "POST /api/v1/customers/42/events HTTP/1.1\r\nHost: gateway\r\n\
         Authorization: Basic c2l0ZTprZXk=\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{BODY}",
        BODY.len()
    );
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        let (address, request) = (address.to_owned(), request.clone());
        clients.spawn(async move {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.set_nodelay(true).unwrap();
            let mut answer = vec![0; 4096];
            let mut calls = 0;
            while Instant::now() < end {
                stream.write_all(request.as_bytes()).await.unwrap();
                let mut read = 0;
                while !answer.get(..read).unwrap_or_default().ends_with(b"{}\n") {
                    let more = stream
                        .read(answer.get_mut(read..).unwrap_or_default())
                        .await
                        .unwrap();
                    assert_ne!(more, 0, "the server closed the connection");
                    read += more;
                }
                assert!(answer.starts_with(b"HTTP/1.1 200"));
                calls += 1;
            }
            calls
        });
    }
    clients.join_all().await.into_iter().sum()
}

/// What waits for the disk: a body, and who is told.
type Waiting = (Bytes, oneshot::Sender<()>);

/// The bare server: runs until it is killed.
fn bare(path: &str) {
    let (queue, queued) = mpsc::sync_channel::<Waiting>(1024);
    let file = OpenOptions::new().write(true).open(path).unwrap();
    thread::spawn(move || {
        let (mut at, mut group, mut waiting) = (0, Vec::new(), Vec::new());
        while let Ok(first) = queued.recv() {
            for (body, told) in std::iter::once(first).chain(queued.try_iter()) {
                group.extend_from_slice(&body);
                waiting.push(told);
            }
            file.write_all_at(&group, at % (FILE_BYTES - (8 << 20)))
                .unwrap();
            file.sync_data().unwrap();
            at += group.len() as u64;
            group.clear();
            for told in waiting.drain(..) {
                // A client may have gone.
                let _ = told.send(());
            }
        }
    });
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        std::io::Write::write_fmt(
            &mut std::io::stderr(),
            format_args!("listening http://{}\n", listener.local_addr().unwrap()),
        )
        .unwrap();
        let mut connections = JoinSet::new();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            let queue = queue.clone();
            let service = service_fn(move |request: Request<Incoming>| {
                let queue = queue.clone();
                async move {
                    let body = request.into_body().collect().await.unwrap().to_bytes();
                    let (tell, told) = oneshot::channel();
                    queue.send((body, tell)).unwrap();
                    told.await.unwrap();
                    Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(b"{}\n"))))
                }
            });
            connections
                .spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
}
