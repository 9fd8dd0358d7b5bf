//! A server that speaks as much S3 as the store asks for, over HTTP, in memory: objects, ranges, uploads in parts,
//! lists. It wants requests to be signed with the right key's ID, and does not check the signature.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Query, State};
use axum::http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_RANGE, ETAG, LAST_MODIFIED, RANGE};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

pub(crate) const BUCKET: &str = "bucket";
pub(crate) const KEY_ID: &str = "AKIATEST";

const WHEN: &str = "Thu, 26 Nov 2026 08:00:00 GMT";

#[derive(Clone)]
pub(crate) struct S3Server {
    pub(crate) endpoint: String,
    shared: Arc<Shared>,
}

struct Shared {
    bucket: Mutex<Bucket>,
    /// One permit for each request that completes an upload or puts an object.
    last_steps: Semaphore,
    /// One permit is added when such a request has come.
    arrived: Semaphore,
}

#[derive(Default)]
struct Bucket {
    objects: BTreeMap<String, Bytes>,
    /// By their ID: the object's name, and its parts.
    uploads: BTreeMap<String, (String, BTreeMap<u32, Bytes>)>,
    begun: u32,
    parts: Vec<usize>,
    answer: Option<StatusCode>,
}

type Parameters = BTreeMap<String, String>;

impl S3Server {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared {
            bucket: Mutex::default(),
            last_steps: Semaphore::new(Semaphore::MAX_PERMITS),
            arrived: Semaphore::new(0),
        });
        let router = Router::new().fallback(handle).layer(DefaultBodyLimit::disable()).with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { endpoint, shared }
    }

    pub(crate) fn objects(&self) -> Vec<String> {
        self.shared.bucket.lock().objects.keys().cloned().collect()
    }

    /// How many uploads have begun and neither ended nor been aborted.
    pub(crate) fn unfinished(&self) -> usize {
        self.shared.bucket.lock().uploads.len()
    }

    /// The sizes of all parts that have come.
    pub(crate) fn parts(&self) -> Vec<usize> {
        self.shared.bucket.lock().parts.clone()
    }

    /// From now on, every request that writes is answered with this status, or again as it should be.
    pub(crate) fn answer(&self, status: Option<StatusCode>) {
        self.shared.bucket.lock().answer = status;
    }

    /// From now on, the last step of every upload waits.
    pub(crate) fn hold_last_steps(&self) {
        self.shared.last_steps.forget_permits(Semaphore::MAX_PERMITS);
    }

    /// Waits until a last step has come.
    pub(crate) async fn last_step(&self) {
        self.shared.arrived.acquire().await.unwrap().forget();
    }

    pub(crate) fn release_last_steps(&self) {
        self.shared.last_steps.add_permits(1000);
    }
}

async fn handle(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    Query(parameters): Query<Parameters>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let signed = headers.get(AUTHORIZATION).and_then(|header| header.to_str().ok()).unwrap_or_default();
    if !signed.starts_with(&format!("AWS4-HMAC-SHA256 Credential={KEY_ID}/")) {
        return error(StatusCode::FORBIDDEN, "InvalidAccessKeyId");
    }
    let name = uri.path().strip_prefix(&format!("/{BUCKET}")).unwrap_or_default().trim_start_matches('/').to_owned();
    let writes = method != Method::GET && method != Method::HEAD && method != Method::DELETE;
    if let (true, Some(status)) = (writes, shared.bucket.lock().answer) {
        return error(status, "Told");
    }
    let is_last = method == Method::PUT && !parameters.contains_key("uploadId")
        || method == Method::POST && parameters.contains_key("uploadId");
    if is_last {
        shared.arrived.add_permits(1);
        shared.last_steps.acquire().await.unwrap().forget();
    }
    let mut bucket = shared.bucket.lock();
    match method {
        Method::GET if name.is_empty() => bucket.list(&parameters),
        Method::GET | Method::HEAD => bucket.get(&name, &headers),
        Method::PUT => bucket.put(name, &parameters, body),
        Method::POST => bucket.post(name, &parameters, &body),
        Method::DELETE => bucket.delete(&name, &parameters),
        _ => StatusCode::METHOD_NOT_ALLOWED.into_response(),
    }
}

impl Bucket {
    fn list(&self, parameters: &Parameters) -> Response {
        let prefix = parameters.get("prefix").map_or("", String::as_str);
        let mut xml = "<ListBucketResult><IsTruncated>false</IsTruncated>".to_owned();
        for (name, bytes) in self.objects.iter().filter(|(name, _)| name.starts_with(prefix)) {
            let size = bytes.len();
            write!(
                xml,
                "<Contents><Key>{name}</Key><LastModified>2026-11-26T08:00:00.000Z</LastModified>\
                 <ETag>\"e\"</ETag><Size>{size}</Size></Contents>"
            )
            .unwrap();
        }
        (xml + "</ListBucketResult>").into_response()
    }

    fn get(&self, name: &str, headers: &HeaderMap) -> Response {
        let Some(bytes) = self.objects.get(name) else { return error(StatusCode::NOT_FOUND, "NoSuchKey") };
        let size = bytes.len();
        let always = [(ETAG, "\"e\"".to_owned()), (LAST_MODIFIED, WHEN.to_owned())];
        let Some(range) = headers.get(RANGE).and_then(|range| range.to_str().ok()) else {
            return (always, [(CONTENT_LENGTH, size.to_string())], bytes.clone()).into_response();
        };
        let (first, last) = range.strip_prefix("bytes=").unwrap().split_once('-').unwrap();
        let (first, last): (usize, usize) = (first.parse().unwrap(), last.parse().unwrap());
        if first >= size {
            return error(StatusCode::RANGE_NOT_SATISFIABLE, "InvalidRange");
        }
        let last = last.min(size - 1);
        let range = [(CONTENT_RANGE, format!("bytes {first}-{last}/{size}"))];
        (StatusCode::PARTIAL_CONTENT, always, range, bytes.slice(first..=last)).into_response()
    }

    fn put(&mut self, name: String, parameters: &Parameters, body: Bytes) -> Response {
        let etag = [(ETAG, format!("\"{}\"", body.len()))];
        let Some(id) = parameters.get("uploadId") else {
            self.objects.insert(name, body);
            return etag.into_response();
        };
        self.parts.push(body.len());
        let Some((_, parts)) = self.uploads.get_mut(id) else { return error(StatusCode::NOT_FOUND, "NoSuchUpload") };
        parts.insert(parameters["partNumber"].parse().unwrap(), body);
        etag.into_response()
    }

    fn post(&mut self, name: String, parameters: &Parameters, body: &Bytes) -> Response {
        let Some(id) = parameters.get("uploadId") else {
            self.begun += 1;
            let id = format!("upload-{}", self.begun);
            self.uploads.insert(id.clone(), (name, BTreeMap::new()));
            let xml = "<InitiateMultipartUploadResult><UploadId>";
            return format!("{xml}{id}</UploadId></InitiateMultipartUploadResult>").into_response();
        };
        let Some((name, parts)) = self.uploads.remove(id) else { return error(StatusCode::NOT_FOUND, "NoSuchUpload") };
        // All parts but the last have at least 5 MiB, and all that came are named.
        let named = String::from_utf8_lossy(body).matches("<PartNumber>").count();
        let small = parts.values().rev().skip(1).any(|part| part.len() < 5 << 20);
        if named != parts.len() || small {
            return error(StatusCode::BAD_REQUEST, "EntityTooSmall");
        }
        self.objects.insert(name, parts.into_values().collect::<Vec<_>>().concat().into());
        "<CompleteMultipartUploadResult><ETag>\"e\"</ETag></CompleteMultipartUploadResult>".into_response()
    }

    fn delete(&mut self, name: &str, parameters: &Parameters) -> Response {
        match parameters.get("uploadId") {
            Some(id) => drop(self.uploads.remove(id)),
            None => drop(self.objects.remove(name)),
        }
        StatusCode::NO_CONTENT.into_response()
    }
}

fn error(status: StatusCode, code: &str) -> Response {
    (status, format!("<Error><Code>{code}</Code></Error>")).into_response()
}
