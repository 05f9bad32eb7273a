//! HTTPS, proxies and certificates, with variables set for a process of its own: the test runs itself
//! again, since the client reads them once.

use crate::fixture;
use mcpwatch::connect::{Options, Remote, Target, read};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A proxy that leads every host to a fixture server behind TLS, under the certificate in `tests/data`.
struct Proxy {
    port: u16,
    tunnels: Arc<AtomicUsize>,
    _server: fixture::Http,
}

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tls").join(name)
}

impl Proxy {
    fn start() -> Self {
        let server = fixture::Http::start(&["--era", "both"]);
        let behind = server.url.trim_start_matches("http://").trim_end_matches("/mcp").to_owned();
        let certificate = CertificateDer::from_pem_file(data("cert.pem")).unwrap();
        let key = PrivateKeyDer::from_pem_file(data("key.pem")).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.unwrap().with_no_client_auth().with_single_cert(vec![certificate], key);
        let config = Arc::new(config.unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let tunnels = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&tunnels);
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let (config, behind, count) = (Arc::clone(&config), behind.clone(), Arc::clone(&count));
                std::thread::spawn(move || tunnel(connection, config, &behind, &count));
            }
        });
        Self { port, tunnels, _server: server }
    }
}

/// One connection: CONNECT, TLS, one request.
fn tunnel(
    mut connection: TcpStream,
    config: Arc<ServerConfig>,
    behind: &str,
    count: &AtomicUsize,
) -> Option<()> {
    let head = head(&mut connection)?;
    assert!(head.starts_with("CONNECT mcpwatch.test:443 "), "{head}");
    connection.write_all(b"HTTP/1.1 200 OK\r\n\r\n").ok()?;
    count.fetch_add(1, Ordering::Relaxed);
    let mut outside = StreamOwned::new(ServerConnection::new(config).ok()?, connection);
    let mut inside = TcpStream::connect(behind).ok()?;
    let head = self::head(&mut outside)?;
    let length = head
        .to_ascii_lowercase()
        .lines()
        .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    outside.read_exact(&mut body).ok()?;
    inside.write_all(&[head.as_bytes(), &body].concat()).ok()?;
    let mut answer = BufReader::new(inside);
    loop {
        let part = answer.fill_buf().ok()?;
        let length = part.len();
        if length == 0 {
            outside.conn.send_close_notify();
            return outside.flush().ok();
        }
        outside.write_all(part).and_then(|()| outside.flush()).ok()?;
        answer.consume(length);
    }
}

/// A head of HTTP, byte by byte, so that nothing after it is taken.
fn head(from: &mut impl Read) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        from.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    String::from_utf8(head).ok()
}

/// What a process with these variables says of `https://mcpwatch.test/mcp`.
fn reads_with(variables: &[(&str, &str)]) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "https::in_a_process_of_its_own", "--ignored", "--nocapture"]);
    for name in ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE"] {
        command.env_remove(name).env_remove(name.to_lowercase());
    }
    let output = command.envs(variables.iter().copied()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let said = text.lines().find_map(|line| line.split_once("SAID ")).map(|(_, said)| said.to_owned());
    said.unwrap_or(text)
}

#[tokio::test]
#[allow(clippy::print_stderr)]
#[ignore = "run by the other tests with variables of its own"]
async fn in_a_process_of_its_own() {
    let target = Target::Url(Remote { url: "https://mcpwatch.test/mcp".into(), ..Remote::default() });
    match read(&target, &Options::default(), &|_| ()).await {
        Ok(reading) => eprintln!("SAID {} over {}", reading.surface.items().len(), reading.protocol),
        Err(error) => eprintln!("SAID {error}"),
    }
}

#[cfg(target_os = "linux")]
#[test]
fn proxies_and_certificates_are_those_of_the_environment() {
    let proxy = Proxy::start();
    let address = format!("http://127.0.0.1:{}", proxy.port);
    let certificate = data("cert.pem");
    let certificate = certificate.to_str().unwrap();
    let through = |more: &[(&str, &str)]| {
        let mut variables = vec![("HTTPS_PROXY", address.as_str())];
        variables.extend(more);
        reads_with(&variables)
    };
    assert_eq!(through(&[("SSL_CERT_FILE", certificate)]), "17 over 2026-07-28");
    assert!(proxy.tunnels.load(Ordering::Relaxed) > 0);
    let unknown = through(&[]);
    assert!(unknown.starts_with("mcpwatch.test could not be reached: invalid peer certificate"), "{unknown}");
    let before = proxy.tunnels.load(Ordering::Relaxed);
    let direct = through(&[("SSL_CERT_FILE", certificate), ("NO_PROXY", "mcpwatch.test")]);
    assert!(direct.starts_with("mcpwatch.test could not be reached"), "{direct}");
    assert_eq!(proxy.tunnels.load(Ordering::Relaxed), before, "NO_PROXY is obeyed");
}
