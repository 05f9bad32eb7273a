//! Streamable HTTP by hand (and the older HTTP+SSE), one thread a connection, each closed after use.

use crate::server::{Peer, Server};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};

struct Request {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: String,
}

/// Serves on loopback until killed.
pub fn serve(server: &Arc<Server>, port: u16) {
    let listener = TcpListener::bind(("127.0.0.1", port)).expect("the port is free");
    let port = listener.local_addr().expect("a bound socket has an address").port();
    let path = if server.options.legacy_sse { "sse" } else { "mcp" };
    let url = format!("http://127.0.0.1:{port}/{path}");
    eprintln!("{url}");
    if let Some(file) = server.options.state_file("url") {
        let temporary = file.with_extension("new");
        std::fs::write(&temporary, &url)
            .and_then(|()| std::fs::rename(&temporary, &file))
            .expect("the state folder is writable");
    }
    // The stream of HTTP+SSE that answers go to; one client at a time is enough for tests.
    let stream: Arc<Mutex<Option<Peer>>> = Arc::default();
    for connection in listener.incoming().flatten() {
        let (server, stream) = (Arc::clone(server), Arc::clone(&stream));
        std::thread::spawn(move || {
            let _ = connection.set_nodelay(true);
            if let Some(request) = read(&connection) {
                let _ = respond(&server, &stream, &request, connection);
            }
        });
    }
}

fn respond(
    server: &Arc<Server>,
    stream: &Mutex<Option<Peer>>,
    request: &Request,
    mut to: TcpStream,
) -> std::io::Result<()> {
    if let Some(token) = &server.options.token
        && request.header("authorization") != Some(&format!("Bearer {token}"))
    {
        return to.write_all(b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer resource_metadata=\"http://127.0.0.1/.well-known/oauth-protected-resource\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    }
    for (name, value) in &request.headers {
        if name.starts_with("mcp-") || name == "last-event-id" {
            server.log(&format!("HEADER {name}: {value}"));
        }
    }
    if let Some(session) = request.header("mcp-session-id")
        && !server.knows(session)
        && !server.options.legacy_sse
    {
        if server.does("forgets-400") {
            let body = r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"Bad Request: No valid session ID"}}"#;
            return status(&mut to, "400 Bad Request", "application/json", body);
        }
        return status(&mut to, "404 Not Found", "text/plain", "no such session");
    }
    match (request.method.as_str(), request.path.as_str()) {
        ("POST", "/redirect") => to.write_all(b"HTTP/1.1 307 Temporary Redirect\r\nLocation: /mcp\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
        ("POST", "/huge") => {
            to.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n{\"padding\":\"")?;
            let block = vec![b'x'; 1 << 20];
            (0..17).try_for_each(|_| to.write_all(&block))
        }
        ("POST", "/html") => status(&mut to, "200 OK", "text/html", "<h1>not an MCP server</h1>"),
        ("POST", "/broken") => status(&mut to, "500 Internal Server Error", "text/plain", "broken"),
        ("GET", "/sse") if server.options.legacy_sse => {
            let (peer, messages) = channel();
            server.add_stream(&peer);
            *stream.lock().unwrap() = Some(peer);
            let endpoint = if server.does("stray") { "http://127.0.0.1:9/messages" } else { "/messages?session=1" };
            events(&mut to, &format!("event: endpoint\ndata: {endpoint}\n\n"))?;
            stream_of(messages, &mut to)
        }
        ("POST", "/sse") if server.options.legacy_sse => {
            server.log("REFUSED POST");
            let refusal = server.options.refusal.as_deref();
            status(&mut to, refusal.unwrap_or("405 Method Not Allowed"), "text/plain", "")
        }
        ("POST", "/messages?session=1") if server.options.legacy_sse => {
            status(&mut to, "202 Accepted", "text/plain", "Accepted")?;
            let peer = stream.lock().unwrap().clone();
            peer.map_or(Ok(()), |peer| {
                server.receive(&request.body, &peer);
                Ok(())
            })
        }
        ("GET", "/mcp") if request.header("last-event-id") == Some("kept") => {
            events(&mut to, "")?;
            server.kept(None).map_or(Ok(()), |answer| event(&mut to, &answer))
        }
        ("GET", "/mcp") if request.header("mcp-session-id").is_some() && !server.does("no-stream") => {
            let (peer, messages) = channel();
            server.add_stream(&peer);
            events(&mut to, "retry: 10\ndata:\n\n")?;
            stream_of(messages, &mut to)
        }
        ("DELETE", "/mcp") => status(&mut to, "204 No Content", "text/plain", ""),
        ("POST", "/mcp") => post(server, request, &mut to),
        _ => status(&mut to, "405 Method Not Allowed", "text/plain", ""),
    }
}

fn post(server: &Arc<Server>, request: &Request, to: &mut TcpStream) -> std::io::Result<()> {
    let message: serde_json::Value = serde_json::from_str(&request.body).unwrap_or_default();
    let (peer, messages) = channel();
    server.serves(request.header("mcp-session-id"));
    if message.get("method").is_none() || message.get("id").is_none() {
        server.receive(&request.body, &peer);
        return status(to, "202 Accepted", "text/plain", "");
    }
    let method = message["method"].as_str().unwrap_or_default();
    let stateless = message["params"]["_meta"].get("io.modelcontextprotocol/protocolVersion").is_some();
    if stateless && server.options.era == crate::options::Era::Session && method == "server/discover" {
        return status(to, "400 Bad Request", "text/plain", "no session");
    }
    if stateless && request.header("mcp-method") != Some(method) {
        let body = format!(
            r#"{{"jsonrpc":"2.0","id":{},"error":{{"code":-32020,"message":"Mcp-Method is missing"}}}}"#,
            message["id"]
        );
        return status(to, "400 Bad Request", "application/json", &body);
    }
    server.receive(&request.body, &peer);
    drop(peer);
    let ends = |text: &[u8]| {
        let answer: serde_json::Value = serde_json::from_slice(text).unwrap_or_default();
        answer.get("method").is_none()
    };
    let session = match method {
        "initialize" if !server.does("no-session") => format!("Mcp-Session-Id: {}\r\n", server.new_session()),
        _ => String::new(),
    };
    let streams = server.options.sse || method == "subscriptions/listen" || method == "tools/call";
    if streams {
        to.write_all(
            format!(
                "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n{session}Connection: close\r\n\r\n"
            )
            .as_bytes(),
        )?;
        if method == "tools/call" && server.does("breaks") {
            server.kept(messages.into_iter().find(|text| ends(text)));
            return to.write_all(b"id: kept\nretry: 10\ndata:\n\n");
        }
        to.write_all(b": a comment first\n\nid: 1\ndata:\n\n")?;
        for text in messages {
            event(to, &text)?;
            if ends(&text) {
                break;
            }
        }
        return Ok(());
    }
    match messages.into_iter().find(|text| ends(text)) {
        Some(body) => {
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{session}Content-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            to.write_all(head.as_bytes())?;
            to.write_all(&body)
        }
        // Silence: the connection stays open until the client leaves.
        None => to.read(&mut [0; 1]).map(|_| ()),
    }
}

/// Sends messages as events, until an empty one.
fn stream_of(messages: Receiver<Vec<u8>>, to: &mut TcpStream) -> std::io::Result<()> {
    messages.into_iter().take_while(|message| !message.is_empty()).try_for_each(|message| event(to, &message))
}

fn channel() -> (Peer, Receiver<Vec<u8>>) {
    let (sender, receiver) = mpsc::channel();
    let sender = Mutex::new(sender);
    let peer: Peer = Arc::new(move |message: &[u8]| {
        let _ = sender.lock().unwrap().send(message.to_vec());
    });
    (peer, receiver)
}

fn events(to: &mut TcpStream, first: &str) -> std::io::Result<()> {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n";
    to.write_all(format!("{head}{first}").as_bytes())
}

/// One event in two writes, as real servers' chunks fall.
fn event(to: &mut TcpStream, message: &[u8]) -> std::io::Result<()> {
    let text = [b"event: message\ndata: ", message, b"\n\n"].concat();
    let (first, second) = text.split_at(text.len() / 2);
    to.write_all(first)?;
    to.flush()?;
    to.write_all(second)
}

fn status(to: &mut TcpStream, status: &str, kind: &str, body: &str) -> std::io::Result<()> {
    let length = body.len();
    to.write_all(format!("HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}").as_bytes())
}

fn read(connection: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(connection);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        match line.trim().split_once(':') {
            Some((name, value)) => headers.push((name.to_ascii_lowercase(), value.trim().to_owned())),
            None => break,
        }
    }
    let mut request = Request { method, path, headers, body: String::new() };
    let length = request.header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    request.body = String::from_utf8(body).ok()?;
    Some(request)
}

impl Request {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}
