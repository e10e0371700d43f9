//! HTTP server in the place of the FIA API, whose response each test sets.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

/// Running server; it ends with the test process.
#[derive(Clone)]
pub struct Api {
    url: String,
    answer: Arc<Mutex<Answer>>,
}

/// Response to a request for the script.
#[derive(Clone, Debug)]
pub enum Answer {
    Script(String),
    /// `null`: the instrument has no script.
    Null,
    /// Status code and body of an error.
    Error(u16, String),
    /// HTML with status 200, as a proxy's login page.
    Html(String),
    /// No response for 60 s.
    Silence,
}

impl Api {
    /// Starts a server on a free port that responds with a script.
    pub fn start(script: &str) -> Api {
        let answer = Arc::new(Mutex::new(Answer::Script(script.to_owned())));
        let router = Router::new()
            .route("/live-data/{instrument}/script", get(script_of))
            .with_state(Arc::clone(&answer));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                axum::serve(listener, router).await.unwrap();
            });
        });
        Api { url, answer }
    }

    /// Base URL, for `FIA_API_URL`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Sets the response from now on.
    pub fn answer(&self, answer: Answer) {
        *self.answer.lock().unwrap() = answer;
    }
}

async fn script_of(State(answer): State<Arc<Mutex<Answer>>>) -> Response {
    let answer = answer.lock().unwrap().clone();
    match answer {
        Answer::Script(text) => axum::Json(text).into_response(),
        Answer::Null => axum::Json(serde_json::Value::Null).into_response(),
        Answer::Error(status, page) => (StatusCode::from_u16(status).unwrap(), page).into_response(),
        Answer::Html(page) => axum::response::Html(page).into_response(),
        Answer::Silence => {
            tokio::time::sleep(std::time::Duration::from_secs(60)).await;
            StatusCode::GATEWAY_TIMEOUT.into_response()
        }
    }
}
