//! The DynamoDB that a command talks to: embedded, at an endpoint, or AWS. All through the same client.

use crate::arguments::Where;
use crate::output::Failure;
use dynoxide::Database;
use std::io::Read as _;
use std::path::Path;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use viewfold_dynamodb::{Store, client};

/// A DynamoDB, and how it is reached.
pub(crate) struct Connection {
    pub(crate) store: Store,
    pub(crate) config: client::SdkConfig,
    /// Keeps the embedded one open, where it is one.
    _open: Option<oneshot::Sender<()>>,
    /// The copy of a file that it is of.
    copy: Option<Copy>,
}

/// Connects to the DynamoDB that the arguments name; without any, to an embedded one in memory.
pub(crate) async fn connect(place: &Where) -> Result<Connection, Failure> {
    let config = match place {
        Where { aws: true, .. } => client::from_environment().await,
        Where { endpoint: Some(url), .. } => {
            if !url.starts_with("http://") && !url.starts_with("https://") {
                return Err(Failure::wrong_use(format!(
                    "--endpoint takes a URL such as http://127.0.0.1:8000, not `{url}`"
                )));
            }
            knock(url).await?;
            client::to_endpoint(url).await
        }
        Where { db, .. } => return connect_embedded(db.as_deref()).await,
    };
    Ok(Connection { store: Store::new(&config), config, _open: None, copy: None })
}

/// Connects to a DynamoDB that is kept; `what` is there, `the dead letters are` for one.
pub(crate) async fn connect_kept(place: &Where, what: &str) -> Result<Connection, Failure> {
    match place {
        Where { db: None, endpoint: None, aws: false } => {
            Err(Failure::wrong_use(format!("say where {what}: --aws, --endpoint URL or --db FILE")))
        }
        Where { db: Some(file), .. } if !file.exists() => {
            let file = file.display();
            Err(Failure::wrong_use(format!(
                "{file} is not there; `viewfold tables PROJECTIONS --create --db {file}` makes it"
            )))
        }
        place => connect(place).await,
    }
}

/// How long an endpoint may take to let somebody in.
const PATIENCE: Duration = Duration::from_secs(5);

/// Makes sure that something listens at a URL: what the client says of a door that stays shut is for nobody.
async fn knock(url: &str) -> Result<(), Failure> {
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let place = authority.rsplit('@').next().unwrap_or_default();
    // The colons inside of `[::1]` are the address's own.
    let (host, port) = match place.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port.parse().ok()),
        _ => (place, Some(if scheme == "https" { 443 } else { 80 })),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let (false, Some(port)) = (host.is_empty(), port) else {
        return Err(Failure::wrong_use(format!("--endpoint takes a URL such as http://127.0.0.1:8000, not `{url}`")));
    };
    let why = match tokio::time::timeout(PATIENCE, TcpStream::connect((host, port))).await {
        Ok(Ok(_)) => return Ok(()),
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("no answer in {} seconds", PATIENCE.as_secs()),
    };
    Err(Failure::new(format!("nothing answers at {url}: {why}")))
}

/// Connects to an embedded DynamoDB: in the file, or in memory.
pub(crate) async fn connect_embedded(file: Option<&Path>) -> Result<Connection, Failure> {
    let (url, open) = embedded(file).await?;
    let config = client::to_endpoint(&url).await;
    Ok(Connection { store: Store::new(&config), config, _open: Some(open), copy: None })
}

/// Connects to an embedded DynamoDB in memory, or to a copy of a file: nothing that is done to it reaches the file.
pub(crate) async fn connect_copy(file: Option<&Path>) -> Result<Connection, Failure> {
    let Some(file) = file else { return connect_embedded(None).await };
    let failed = |error: std::io::Error| Failure::wrong_use(format!("{} cannot be read: {error}", file.display()));
    std::fs::metadata(file).map_err(failed)?;
    is_database(file)?;
    let folder = std::env::temp_dir().join(format!("viewfold-{}", std::process::id()));
    std::fs::create_dir_all(&folder).map_err(failed)?;
    let copied = Copy(folder);
    let copy = copied.0.join("copy.db");
    // What SQLite has not yet moved into the file itself stands beside it.
    for beside in ["", "-wal"] {
        let mut from = file.as_os_str().to_owned();
        from.push(beside);
        let mut to = copy.as_os_str().to_owned();
        to.push(beside);
        if std::fs::metadata(&from).is_ok() {
            std::fs::copy(&from, &to).map_err(failed)?;
        }
    }
    let mut connection = connect_embedded(Some(&copy)).await?;
    connection.copy = Some(copied);
    Ok(connection)
}

/// A folder that goes when it is no longer needed.
struct Copy(std::path::PathBuf);

impl Drop for Copy {
    fn drop(&mut self) {
        // What stays behind stands in the system's folder for such.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Serves the embedded DynamoDB on this machine until what is returned with its address goes.
async fn embedded(file: Option<&Path>) -> Result<(String, oneshot::Sender<()>), Failure> {
    let database = match file {
        None => Database::memory(),
        Some(path) => {
            let text = path
                .to_str()
                .ok_or_else(|| Failure::wrong_use(format!("{} is no path that the database takes", path.display())))?;
            is_database(path)?;
            Database::new(text)
        }
    };
    let name = file.map_or_else(|| "the database in memory".to_owned(), |path| path.display().to_string());
    let database = database.map_err(|error| Failure::new(format!("{name} cannot be opened: {error}")))?;
    let listener = TcpListener::bind("127.0.0.1:0")
        .await
        .map_err(|error| Failure::new(format!("no port of this machine can be listened on: {error}")))?;
    let address = listener.local_addr().map_err(|error| Failure::new(format!("the port cannot be told: {error}")))?;
    let (open, closed) = oneshot::channel::<()>();
    let closed = async { drop(closed.await) };
    tokio::spawn(dynoxide::server::serve_with_shutdown(listener, database, closed));
    Ok((format!("http://{address}"), open))
}

/// How every SQLite database begins.
const HEADER: &[u8] = b"SQLite format 3\0";

/// Makes sure that a file is a database, or will be one.
fn is_database(path: &Path) -> Result<(), Failure> {
    let name = path.display();
    let Ok(metadata) = std::fs::metadata(path) else {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        return match folder {
            Some(folder) if !folder.is_dir() => {
                Err(Failure::wrong_use(format!("{name} cannot be made: there is no folder {}", folder.display())))
            }
            _ => Ok(()),
        };
    };
    if metadata.is_dir() {
        return Err(Failure::wrong_use(format!("{name} is a folder: --db takes a file, which is made if missing")));
    }
    let mut start = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(HEADER.len() as u64).read_to_end(&mut start));
    read.map_err(|error| Failure::wrong_use(format!("{name} cannot be read: {error}")))?;
    // An empty file becomes a database.
    if !start.is_empty() && start != HEADER {
        return Err(Failure::wrong_use(format!(
            "{name} is no database of viewfold, and stays as it is: --db takes one that viewfold made, or the name of a new file"
        )));
    }
    Ok(())
}

/// The runtime that clients and the embedded DynamoDB run on.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("no threads can be started: {error}")))
}
