//! Faulty connections between the operator and the apiserver.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

/// Port of an HTTP proxy that answers each `every`th request with 429, 500 or 503 in turn; one request a connection.
pub fn refusing_proxy(target: u16, every: Arc<AtomicU32>, refused: Arc<AtomicU32>) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let number = Arc::new(AtomicU32::new(0));
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let (every, refused, number) = (every.clone(), refused.clone(), number.clone());
            thread::spawn(move || one_request(client, target, &every, &refused, &number));
        }
    });
    port
}

fn one_request(mut client: TcpStream, target: u16, every: &AtomicU32, refused: &AtomicU32, number: &AtomicU32) {
    let mut reader = BufReader::new(client.try_clone().unwrap());
    let mut head = String::new();
    let mut length = 0_usize;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        let lower = line.to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        if line == "\r\n" {
            head.push_str("connection: close\r\n\r\n");
            break;
        }
        if !lower.starts_with("connection:") {
            head.push_str(&line);
        }
    }
    let mut body = vec![0; length];
    if reader.read_exact(&mut body).is_err() {
        return;
    }
    let count = number.fetch_add(1, Ordering::SeqCst);
    let every = every.load(Ordering::SeqCst);
    // Leases pass: an operator without its Lease stops, which would hide its other retries.
    if every != 0 && count.is_multiple_of(every) && !head.contains("/leases") {
        let turn = refused.fetch_add(1, Ordering::SeqCst);
        // The client itself waits after a 429, hence a proxy that refuses everything answers 500.
        let turn = if every == 1 { 1 } else { turn };
        let (code, reason) = [
            (429, "TooManyRequests"),
            (500, "InternalError"),
            (503, "ServiceUnavailable"),
        ][turn as usize % 3];
        let status = format!(
            r#"{{"kind":"Status","apiVersion":"v1","metadata":{{}},"status":"Failure","message":"refused by the test","reason":"{reason}","code":{code}}}"#
        );
        let _ = write!(
            client,
            "HTTP/1.1 {code} {reason}\r\ncontent-type: application/json\r\n{}content-length: {}\r\nconnection: close\r\n\r\n{status}",
            if code == 500 { "" } else { "retry-after: 1\r\n" },
            status.len()
        );
        return;
    }
    let Ok(mut server) = TcpStream::connect(("127.0.0.1", target)) else {
        return;
    };
    if server
        .write_all(head.as_bytes())
        .and_then(|()| server.write_all(&body))
        .is_err()
    {
        return;
    }
    let mut buffer = [0; 16 * 1024];
    while let Ok(count) = server.read(&mut buffer) {
        if count == 0 || client.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ = client.shutdown(Shutdown::Both);
}

/// TCP proxy that cuts connections and passes TLS unchanged.
pub struct Proxy {
    pub port: u16,
    /// Cuts each n-th new connection after a moment; 0 cuts none.
    pub break_every: Arc<AtomicU32>,
    pub cuts: Arc<AtomicU32>,
    epoch: Arc<AtomicU32>,
    ends: Arc<AtomicBool>,
}

impl Proxy {
    pub fn start(target: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let proxy = Self {
            port: listener.local_addr().unwrap().port(),
            break_every: Arc::default(),
            cuts: Arc::default(),
            epoch: Arc::default(),
            ends: Arc::default(),
        };
        let (every, cuts, epoch, ends) = (
            proxy.break_every.clone(),
            proxy.cuts.clone(),
            proxy.epoch.clone(),
            proxy.ends.clone(),
        );
        thread::spawn(move || {
            let mut number = 0_u32;
            for client in listener.incoming().map_while(Result::ok) {
                if ends.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(server) = TcpStream::connect(("127.0.0.1", target)) else {
                    continue;
                };
                number += 1;
                let every = every.load(Ordering::SeqCst);
                let limit = if every != 0 && number.is_multiple_of(every) {
                    Some(20_000)
                } else {
                    None
                };
                let (cuts, epoch) = (cuts.clone(), epoch.clone());
                thread::spawn(move || relay(&client, &server, limit, &cuts, &epoch));
            }
        });
        proxy
    }

    /// Cuts all present connections.
    pub fn cut(&self) {
        self.epoch.fetch_add(1, Ordering::SeqCst);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

/// Passes bytes in both directions until an end closes, the limit of bytes is reached, or all are cut.
fn relay(client: &TcpStream, server: &TcpStream, limit: Option<usize>, cuts: &Arc<AtomicU32>, epoch: &Arc<AtomicU32>) {
    let born = epoch.load(Ordering::SeqCst);
    let pass = |from: &TcpStream, to: &TcpStream| {
        let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
        let (cuts, epoch) = (cuts.clone(), epoch.clone());
        thread::spawn(move || {
            let mut passed = 0;
            let mut buffer = [0; 16 * 1024];
            from.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
            loop {
                if epoch.load(Ordering::SeqCst) != born || limit.is_some_and(|limit| passed > limit) {
                    cuts.fetch_add(1, Ordering::SeqCst);
                    break;
                }
                match from.read(&mut buffer) {
                    Ok(0) => break,
                    Ok(count) => {
                        passed += count;
                        if to.write_all(&buffer[..count]).is_err() {
                            break;
                        }
                    }
                    Err(error)
                        if matches!(
                            error.kind(),
                            std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
                        ) => {}
                    Err(_) => break,
                }
            }
            let _ = from.shutdown(Shutdown::Both);
            let _ = to.shutdown(Shutdown::Both);
        })
    };
    let (there, back) = (pass(client, server), pass(server, client));
    let _ = there.join();
    let _ = back.join();
}
