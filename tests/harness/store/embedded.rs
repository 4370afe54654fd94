//! dynoxide, served in this process on the loopback, in memory.

use dynoxide::Database;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A served database. Both go when this is dropped.
#[derive(Debug)]
pub(super) struct Server {
    port: u16,
    task: JoinHandle<()>,
}

impl Server {
    /// Serves a new, empty database on a free port.
    pub(super) async fn start() -> Server {
        let database = Database::memory().expect("SQLite can hold a database in memory");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port of the loopback can be had");
        let port = listener.local_addr().expect("a bound socket has an address").port();
        let task = tokio::spawn(async move {
            // There is no gentle way to stop: the database goes with the task.
            let serve = dynoxide::server::serve_with_shutdown(listener, database, std::future::pending());
            serve.await.unwrap_or_else(|error| panic!("the embedded DynamoDB ended: {error}"));
        });
        Server { port, task }
    }

    /// Where it listens.
    pub(super) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}
