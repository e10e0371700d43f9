//! Fetching of the reduction script from the FIA API or a file.
//!
//! Promises the whole text, `None` without a script, or an error; never a part, and never more than
//! [`MAX_SCRIPT_BYTES`]. Must not validate the script: loading it does.

use std::path::{Path, PathBuf};
use std::time::Duration;

/// Length of a script, at most, in bytes.
pub const MAX_SCRIPT_BYTES: usize = 4 << 20;

/// Location of the script, from FIA_API_URL or SCRIPT_FILE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScriptSource {
    /// URL whose GET answers a JSON string, or null without a script.
    FiaApi(String),
    File(PathBuf),
    /// No script: live data processing alone.
    Nowhere,
}

/// Failure to fetch the script; the former one stays in use.
#[derive(Debug, thiserror::Error)]
pub enum FetchScriptError {
    /// The API did not answer within ten seconds.
    #[error("cannot reach the FIA API at {url}: {reason}. The last script goes on; the API is asked again")]
    Unreachable {
        url: String,
        /// The client's error and its causes.
        reason: String,
    },
    /// The API answered with another status than success.
    #[error("the FIA API answered {status} to GET {url}: {excerpt:?}. The last script goes on; the API is asked again")]
    Status {
        url: String,
        status: u16,
        /// First 80 characters of the body.
        excerpt: String,
    },
    /// The body is neither a JSON string nor null.
    #[error("the FIA API's answer to GET {url} is not a JSON string: it begins {excerpt:?}. Check FIA_API_URL")]
    NotAScript {
        url: String,
        /// First 80 characters of the body.
        excerpt: String,
    },
    /// The script exceeds [`MAX_SCRIPT_BYTES`].
    #[error("the script at {place} is longer than {MAX_SCRIPT_BYTES} bytes")]
    TooLong { place: String },
    /// The file cannot be read.
    #[error("cannot read the script {path}: {source}")]
    File { path: PathBuf, source: std::io::Error },
}

/// Client of one script source.
#[derive(Debug)]
pub struct ScriptFetcher {
    source: ScriptSource,
    client: reqwest::Client,
}

impl ScriptFetcher {
    /// Client with a timeout of 5 s for a connection and of 10 s for a response.
    ///
    /// # Errors
    /// If the system's certificates or resolver cannot be set up.
    pub fn new(source: ScriptSource) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(5))
            .timeout(Duration::from_secs(10))
            .user_agent(concat!("live-data-worker/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(ScriptFetcher { source, client })
    }

    /// URL or path of the script, as `/status` shows it.
    pub fn location(&self) -> String {
        match &self.source {
            ScriptSource::FiaApi(url) => url.clone(),
            ScriptSource::File(path) => path.display().to_string(),
            ScriptSource::Nowhere => "no script: live data processing".into(),
        }
    }

    /// Text of the script; `None` if the API has none or a blank one.
    ///
    /// # Errors
    /// Each variant of [`FetchScriptError`].
    pub async fn fetch(&self) -> Result<Option<String>, FetchScriptError> {
        match &self.source {
            ScriptSource::FiaApi(url) => self.get(url).await,
            ScriptSource::File(path) => read(path).await.map(Some),
            ScriptSource::Nowhere => Ok(None),
        }
    }

    async fn get(&self, url: &str) -> Result<Option<String>, FetchScriptError> {
        let unreachable = |e: reqwest::Error| FetchScriptError::Unreachable {
            url: url.into(),
            reason: error_chain(&e),
        };
        let mut response = self.client.get(url).send().await.map_err(unreachable)?;
        let status = response.status();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            // JSON's escapes can double a text's length.
            if body.len() + chunk.len() > 2 * MAX_SCRIPT_BYTES {
                return Err(FetchScriptError::TooLong { place: url.into() });
            }
            body.extend_from_slice(&chunk);
        }
        if !status.is_success() {
            return Err(FetchScriptError::Status {
                url: url.into(),
                status: status.as_u16(),
                excerpt: excerpt(&body),
            });
        }
        match serde_json::from_slice::<Option<String>>(&body) {
            Ok(Some(script)) if script.len() > MAX_SCRIPT_BYTES => Err(FetchScriptError::TooLong { place: url.into() }),
            Ok(script) => Ok(script.filter(|text| !text.trim().is_empty())),
            Err(_) => Err(FetchScriptError::NotAScript {
                url: url.into(),
                excerpt: excerpt(&body),
            }),
        }
    }
}

/// URL of an instrument's script below the FIA API's address `api`.
pub fn script_url(api: &str, instrument: &str) -> String {
    format!(
        "{}/live-data/{}/script",
        api.trim_end_matches('/'),
        instrument.to_lowercase()
    )
}

async fn read(path: &Path) -> Result<String, FetchScriptError> {
    let bytes = tokio::fs::read(path).await.map_err(|source| FetchScriptError::File {
        path: path.to_owned(),
        source,
    })?;
    if bytes.len() > MAX_SCRIPT_BYTES {
        return Err(FetchScriptError::TooLong {
            place: path.display().to_string(),
        });
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn excerpt(body: &[u8]) -> String {
    String::from_utf8_lossy(&body[..body.len().min(400)])
        .chars()
        .take(80)
        .collect()
}

/// Texts of an error and its causes in one line: reqwest's own text omits the cause.
fn error_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use axum::{Router, http::StatusCode, response::Html, routing::get};

    async fn serve(router: Router) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let api = format!("http://{}/api/", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        api
    }

    async fn answer(api: &str, instrument: &str) -> Result<Option<String>, FetchScriptError> {
        ScriptFetcher::new(ScriptSource::FiaApi(script_url(api, instrument)))
            .unwrap()
            .fetch()
            .await
    }

    #[tokio::test]
    async fn a_script_null_an_error_and_a_page_are_distinguished() {
        let api = serve(
            Router::new()
                .route(
                    "/api/live-data/merlin/script",
                    get(|| async { "\"def execute():\\n    pass\"" }),
                )
                .route("/api/live-data/mari/script", get(|| async { "null" }))
                .route(
                    "/api/live-data/let/script",
                    get(|| async { (StatusCode::INTERNAL_SERVER_ERROR, "oops") }),
                )
                .route(
                    "/api/live-data/zoom/script",
                    get(|| async { Html("<html>sign in</html>") }),
                )
                .route(
                    "/api/live-data/wish/script",
                    get(|| async { format!("\"{}\"", "a".repeat(MAX_SCRIPT_BYTES + 1)) }),
                ),
        )
        .await;
        assert_eq!(
            answer(&api, "MERLIN").await.unwrap().unwrap(),
            "def execute():\n    pass"
        );
        assert_eq!(answer(&api, "MARI").await.unwrap(), None);
        let error = answer(&api, "LET").await.unwrap_err().to_string();
        assert!(error.contains("500") && error.contains("oops"), "{error}");
        let error = answer(&api, "ZOOM").await.unwrap_err().to_string();
        assert!(error.contains("<html>sign in"), "{error}");
        assert!(matches!(
            answer(&api, "WISH").await,
            Err(FetchScriptError::TooLong { .. })
        ));
    }

    #[tokio::test]
    async fn an_api_that_is_down_is_named_with_the_reason() {
        let free = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let error = answer(&format!("http://{free}"), "LET").await.unwrap_err().to_string();
        assert!(
            error.contains(&free.to_string()) && error.contains("refused"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn a_file_is_read_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s.py");
        std::fs::write(&path, "x = 1\n").unwrap();
        let fetcher = ScriptFetcher::new(ScriptSource::File(path.clone())).unwrap();
        assert_eq!(fetcher.fetch().await.unwrap().unwrap(), "x = 1\n");
        std::fs::remove_file(&path).unwrap();
        assert!(fetcher.fetch().await.unwrap_err().to_string().contains("s.py"));
    }
}
